"""A plan's traffic on a live engine, and what came of it.

planned    the traffic, drawn again from what the plan holds
ready      a server before it: whom it serves, and warm
generator  vLLM's own load generator, which sends; sent what came back
measured   that beside the plan, and the verdict
"""
