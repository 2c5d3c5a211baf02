"""Workloads, limits, costs and seeds, drawn by hypothesis."""

import numpy as np
from hypothesis import strategies as st

from multilora.matmul.operands import BASE
from multilora.serving.cost import published_cost, step_cost
from multilora.serving.limits import engine_limits
from multilora.serving.workload import make_workload

TINY = step_cost(1e-6, 1e-6, 0, 0, 3e-6, 2e-6)  # whole ns, so that times tie
BENT = step_cost(
    9.7,
    0.31,
    0.11,
    0.013,
    2,
    90,
    lora_ms=1.3,
    adapter_ms=0.7,
    api_ms=5.1,
    first_use_ms=31,
    bends={"seq": (2, 0.9), "prompt_token": (11, 0.02), "adapter": (2, 3.1)},
)


@st.composite
def runs(draw, has_few_blocks=False):
    """A workload, limits, cost and seed, small enough to try hundreds.

    With few blocks the KV cache is hardly larger than the longest request.
    """
    num = draw(st.integers(1, 40))

    def column(low, high):
        return np.array(
            draw(st.lists(st.integers(low, high), min_size=num, max_size=num))
        )

    cost = draw(st.sampled_from([TINY, BENT, published_cost()]))
    span = 60e-9 if cost is TINY else 0.8
    times = column(0, 60) / 60 * span
    num_adapters = draw(st.integers(1, 7))
    ids = column(BASE, num_adapters - 1)
    workload = make_workload(
        times, ids, column(1, 40), column(1, 9), num_adapters
    )
    max_loras, seats = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    kv = {}
    if has_few_blocks:
        size = draw(st.integers(1, 9))
        longest = (workload.prompt_tokens + workload.output_tokens).max() - 1
        kv = {
            "num_gpu_blocks": -(-int(longest) // size)
            + draw(st.integers(0, 9)),
            "block_size": size,
            "prefix_hit_share": draw(st.sampled_from([0, 0.4, 0.99])),
        }
    limits = engine_limits(
        max_loras,
        seats,
        seats + draw(st.integers(0, 40)),
        draw(st.none() | st.integers(max_loras, 8)),
        draw(st.sampled_from(["one by one", "residents first"])),
        **kv,
    )
    return workload, limits, cost, draw(st.integers(0, 99))
