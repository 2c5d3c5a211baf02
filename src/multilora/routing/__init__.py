"""Which engine a router sends a request to: the rules of real routers.

given       what a rule is told: the fleet, a request, engines as scraped
rules       every rule by its name, and a table of them
plain       in turn, at random, the fewest in flight, the better of two
ring        vllm-router's consistent hashing, with a session header or not
sticky      vllm-router's sticky least loaded: a table of sessions
llmd        llm-d's default profile, and with each of its LoRA scorers
scores      those scorers: by names in flight, and by residents
gie         the filters of the Gateway API Inference Extension 0.3
dynamo      Dynamo: each adapter's homes every 3 s, by its share of the load
rates       how much each adapter is asked for, as Dynamo estimates it
rendezvous  rendezvous hashing: each adapter ranks the engines for itself
aibrix      AIBrix: one pod an adapter
stack       vLLM production-stack: in turn, or by a ring with the model as key
ray         Ray Serve's multiplexing
placed      among the homes that a placement gave an adapter
hashes      the hash functions that rings are made of
blake       BLAKE3, for rendezvous hashing
"""
