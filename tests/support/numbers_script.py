"""A program of the library's numbers, for a page and for this machine."""

MEMORY = """
import json
from multilora.memory.ledger import memory_ledger
from multilora.memory.reservation import slot_reservation_bytes
from multilora.models.shipped import model_names, model_shape

def asked(function, *args):
    try:
        return function(*args)
    except ValueError as error:
        return str(error)

def counted(shape, card, rank, tensor):
    of = memory_ledger(shape, card, 4, rank, tensor_parallel_size=tensor)
    return [of.kv_tokens, of.kv_bytes, of.kv_tokens_low, of.kv_tokens_high,
            of.can_start, of.told()]

found = {}
for name in model_names():
    shape = model_shape(name)
    found[name] = row = [shape.num_params, shape.linear_params]
    for rank in (8, 64):
        row.append(asked(slot_reservation_bytes, shape, 4, rank))
        for card in (24, 80, 141):
            for tensor in (1, 2):
                row.append(asked(counted, shape, card, rank, tensor))
"""
TRACES = """
import json
import numpy as np
from multilora.cache.hitrate import che_hit_curve, lru_hit_curve
from multilora.cache.policies import POLICIES, policy_hits
from multilora.cache.slots import AdapterSlotCache
from multilora.memory import economics
from multilora.serving.cost import published_cost
from multilora.serving.limits import engine_limits
from multilora.serving.run import serve
from multilora.serving.workload import make_workload
from multilora.traffic import generators

# exp and log are each system's own: their last bits differ.
def digits(row):
    return [f"{value:.12g}" for value in row.tolist()]

found = {}
for seed in range(5):
    rng = np.random.default_rng(seed)
    trace = rng.integers(-1, 24, 700)
    zipf = generators.zipf(900, 40, seed=seed)
    times = np.cumsum(rng.exponential(0.2, 300))
    ids = rng.integers(-1, 5, 300)
    cache = AdapterSlotCache(5)
    slots = [cache.activate(int(i)) for i in trace]
    run = serve(
        make_workload(times, ids, rng.integers(1, 600, len(ids)),
                      rng.integers(1, 90, len(ids))),
        engine_limits(2, 8, 512, num_gpu_blocks=120), published_cost(),
        seed=seed)
    found[seed] = [
        lru_hit_curve(trace).tolist(), lru_hit_curve(zipf).tolist(),
        digits(che_hit_curve(generators.zipf_popularity(40, 1.1))),
        {p: [policy_hits(zipf, n, p) for n in (1, 3, 17)] for p in POLICIES},
        slots, cache.hits, cache.misses, cache.evictions, cache.hit_rate,
        digits(times), run.duration_ns, run.ttft_ns.tolist(),
        [float(x) for x in run.tpot_ns[run.workload.output_tokens > 1]],
        run.is_hit.tolist(),
    ]
found["lab 03"] = [
    economics.adapter_bytes(4096, 32, 16), economics.gpus_saved(100, 8),
    economics.adapters_per_gib(3584, 28, 24),
    economics.shrink_ratio(7_000_000_000, 3584, 28, 24),
]
"""
# The page shows 20,000 characters: each part by its hash, in hex of floats.
TOLD = """
import hashlib

def exact(value):
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, dict):
        return {str(key): exact(item) for key, item in value.items()}
    return [exact(item) for item in value] if isinstance(
        value, (list, tuple)) else value

for key, value in found.items():
    for place, item in enumerate(value):
        text = json.dumps(exact(item))
        digest = hashlib.sha256(text.encode()).hexdigest()
        print(key, place, text[:20], digest[:12])
"""
PROGRAMS = {"memory": MEMORY + TOLD, "traces": TRACES + TOLD}
