"""Several engines.

sizing     how many, by slots and by the load at its peak
loads      what each tenant asks for, what each engine gets of it
homes      the engines of each tenant, the tenants of each engine, moves
ranks      which engine may serve which rank
placement  who shares an engine: by load, or by rank first
first_fit  as many engines as the loads and the slots need
replicas   on how many engines a hot tenant must be
turns      homes for tenants with replicas, dealt in turn
flow       the homes that move the least, by a min-cost flow
moves      how many adapters a more even load moves
backups    who takes over when an engine is lost
bound      what no routing can beat
play       serve_fleet(): k engines behind a router, by a rule of routing
asked      its arguments, checked
course     requests, retries and events in order of time
desk       whom the router may choose, and what it knows of them
members    an engine's life: what was sent to it, run as far as is known
watched    the engine that runs along while its router watches it
events     an engine dies or is added, a tenant comes
played     what came of it: FleetRun

The chapter "A fleet":

scenes     traffic by Zipf's law, with a hot tenant, at nine; homes for it
runs       the fleets that the chapter plays, kept
tables     what came of a run, as rows and lines
residency  what a scrape names, beside what the slots hold
"""
