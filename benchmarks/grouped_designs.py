"""Plain designs of the grouped matmul, over base, by rows and width."""

import numpy as np
from threadpoolctl import threadpool_limits

from grouped_case import RANK, SCALING, drawn, require_equal
from multilora.matmul.groups import apply_groups
from multilora.matmul.lora import apply_batched
from multilora.matmul.segments import apply_segments, fast_layout, segments_of
from multilora.matmul.traps import apply_by_gather, apply_by_mask
from stopwatch import Stopwatch, kept_memory, seconds, watched

ROWS, ADAPTERS, WIDTHS = (1, 4, 16, 64, 256), (1, 4, 16, 64), (512, 4096)


def by_design(case):
    """Six plain designs; the row loop adds deltas to one base matmul."""
    x, W, A, B, ids = case
    plain, scalings = case.pairs, case.scalings
    fast = [fast_layout(*pair) for pair in plain]
    segments = segments_of(ids)
    ordered = segments.sort(x)
    singles = [(int(a), slice(i, i + 1)) for i, a in enumerate(ids)]
    return {
        "row loop": lambda: apply_groups(x, W, fast, singles, scalings),
        "unsorted": lambda: apply_batched(x, W, fast, ids, scalings),
        "unsorted, B as stored": lambda: apply_batched(
            x, W, plain, ids, scalings
        ),
        "presorted": lambda: apply_segments(
            ordered, W, fast, segments, scalings
        ),
        "presorted, B as stored": lambda: apply_segments(
            ordered, W, plain, segments, scalings
        ),
        "mask": lambda: apply_by_mask(x, W, A, B, ids, SCALING),
        "gather": lambda: apply_by_gather(x, W, A, B, ids, SCALING),
    }


def crossover_rows(num_rounds=9):
    """Return one dict a point: each design's time over the base matmul's.

    It is 1 plus the median time outside the base matmul over the median
    time inside it, less what the stopwatch costs. "base again" is a second
    base over the first: the noise of the base, which a delta does not have.
    num_rounds is for 256 rows; fewer rows get up to four times as many.
    """
    with threadpool_limits(limits=1), kept_memory():
        return [
            _crossover_row(rows, num_adapters, width, num_rounds)
            for width in WIDTHS
            for rows in ROWS
            for num_adapters in ADAPTERS
            if num_adapters <= rows
        ]


def _crossover_row(rows, num_adapters, width, num_rounds):
    case, watch = drawn(rows, num_adapters, width), Stopwatch()
    require_equal(case, by_design(case))
    case = case._replace(W=watched(case.W, watch))
    functions = by_design(case)
    functions |= {n: lambda: case.x @ case.W.T for n in ("base", "base again")}
    repeats = max(1, 2**26 // (rows * width**2))
    functions = {n: _repeated(f, repeats) for n, f in functions.items()}
    num_rounds *= min(4, 256 // rows)
    total, inside = seconds(functions, watch, num_rounds)
    base = np.median(inside["base"])
    outside = {n: np.median(total[n] - inside[n]) for n in total}
    times = {n: 1 + (outside[n] - outside["base"]) / base for n in functions}
    times["base again"] = np.median(inside["base again"]) / base
    row = {"width": width, "rows": rows, "num_adapters": num_adapters}
    row |= {"rank": RANK}
    return row | {name: round(float(t), 4) for name, t in times.items()}


def _repeated(function, times):
    def run():
        for _ in range(times):
            function()

    return run
