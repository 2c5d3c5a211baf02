"""Several engines.

sizing     how many, by slots and by the load at its peak
placement  which tenants share an engine, by load or by rank
play       serve_fleet(): k engines behind a router, by a rule of routing
desk       whom the router may choose, and what it knows of them
members    an engine's life: what was sent to it, run as far as is known
events     an engine dies or is added, a tenant comes
played     what came of it: FleetRun
"""
