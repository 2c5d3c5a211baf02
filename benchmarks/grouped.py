"""Time the grouped LoRA matmul against PEFT, vLLM's ops and plain designs.

`grouped_rows` needs the engine's environment, `crossover_rows` only numpy.
Both run in one process, on one thread, in rounds whose order is drawn anew;
every design must give the row loop's numbers exactly before it is timed.
"""

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from grouped_case import RANK, drawn, require_equal
from grouped_designs import crossover_rows
from grouped_peers import by_peers, by_torch
from multilora.matmul.lora import apply_batched
from multilora.matmul.segments import apply_segments, fast_layout, segments_of
from stopwatch import Stopwatch, kept_memory, seconds, watched

__all__ = ["crossover_rows", "grouped_rows"]

GROUPED_POINTS = ((16, 16), (64, 16), (256, 16))


def by_us(case, stopwatch):
    """Our two public ways, with B laid out for the expand."""
    W = watched(case.W, stopwatch)
    pairs, scalings = [fast_layout(*p) for p in case.pairs], case.scalings
    segments = segments_of(case.ids)
    x, ordered = case.x, segments.sort(case.x)
    return {
        "unsorted": lambda: apply_batched(x, W, pairs, case.ids, scalings),
        "presorted": lambda: apply_segments(
            ordered, W, pairs, segments, scalings
        ),
    }


def grouped_rows(num_rounds=20):
    """Return one dict a point: what adapters add to each library's base.

    "PEFT" is its delta over its base: the median time of a call outside its
    base matmul over the median time inside it. "unsorted / PEFT" is our
    delta over theirs, "presorted total" a whole call over its base matmul.
    num_rounds is for 256 rows; 16 rows get four times, 64 twice as many.
    Raises AssertionError if a library gives other numbers than the loop.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(limits=1), kept_memory():
            with torch.inference_mode():
                return [
                    _grouped_row(*point, num_rounds * 256 // max(point[0], 64))
                    for point in GROUPED_POINTS
                ]
    finally:
        torch.set_num_threads(before)


def _grouped_row(rows, num_adapters, num_rounds):
    case, watch = drawn(rows, num_adapters, width=4096), Stopwatch()
    W = watched(case.W, watch)
    ours, peers = by_us(case, watch), by_peers(case, watch)
    require_equal(case, ours | peers)
    bases = {"base alone": lambda: case.x @ W.T} | by_torch(case, watch)
    total, inside = seconds(ours | peers | bases, watch, num_rounds)
    base = {name: np.median(inside[name]) for name in inside}
    # What the stopwatch itself costs is no part of a delta.
    outside = {n: np.median(total[n] - inside[n]) for n in total}
    delta = {n: outside[n] - outside["base alone"] for n in ours}
    delta |= {n: outside[n] - outside["torch alone"] for n in peers}
    row = {name: delta[name] / base[name] for name in delta}
    for our in ours:
        row |= {f"{our} / {peer}": delta[our] / delta[peer] for peer in peers}
        row[f"{our} total"] = np.median(total[our] / inside[our])
    row["base alone"] = base["base alone"] / base["unsorted"]
    row["torch base"] = base["PEFT"] / base["unsorted"]
    head = {"rows": rows, "num_adapters": num_adapters, "width": 4096}
    head |= {"rank": RANK, "num_rounds": num_rounds, "blas": blas()}
    return head | {name: round(float(row[name]), 4) for name in row}


def blas():
    """Return the kernels numpy's BLAS chose: they set the base's speed."""
    found = [item for item in threadpool_info() if item["user_api"] == "blas"]
    return " ".join(
        f"{item['internal_api']} {item['version']} "
        f"{item.get('architecture', '')}".strip()
        for item in found
    )
