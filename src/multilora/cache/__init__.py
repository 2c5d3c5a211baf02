"""Which adapters are where: in a slot, in CPU memory, on disk.

slots        the LRU slot cache and the scheduler's walk
tiers        slots over a CPU tier
walks        in which order vLLM takes a step's adapters
policies     who leaves a full cache: LRU, FIFO, LFU, SIEVE, Belady
hitrate      whole hit curves; reuse, reuse_numba: depths of reuse
fast         is numba there, and is it worth its start
events       hits and misses of a run, step by step
cascade      one miss that costs several loads
load_cost    what one load costs
load_range   what a miss costs, as a range by place
"""
