"""Which engine a router sends a request to: the rules of real routers.

given   what a rule is told: the fleet, a request, engines as last scraped
rules   every rule by its name, and a table of them
plain   in turn, at random, the fewest in flight, the better of two
hashes  the hash functions that rings and rendezvous hashing are made of
ring    vllm-router's consistent hashing, with a session header and without
sticky  vllm-router's sticky least loaded
placed  among the homes that a placement gave an adapter
"""
