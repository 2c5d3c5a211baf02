"""Times as ratios: interleaved rounds in one process, median of pairs."""

import time
from collections.abc import Callable, Mapping

import numpy as np
from threadpoolctl import threadpool_limits

from multilora.arguments import choice, integer, shown
from multilora.matmul.lora import apply_batched, apply_row_by_row
from multilora.matmul.traps import apply_by_mask


def paired_ratios(
    functions: Mapping[str, Callable[[], object]],
    baseline: str,
    num_rounds: int = 9,
) -> dict[str, float]:
    """Return {name: median of time / baseline's time in the same round}.

    functions and num_rounds are those of round_seconds, baseline is one of
    the names.
    """
    _check_functions(functions)
    choice("baseline", baseline, functions)
    seconds = round_seconds(functions, num_rounds)
    base = seconds[baseline]
    return {
        name: float(np.median(times / base)) for name, times in seconds.items()
    }


def round_seconds(
    functions: Mapping[str, Callable[[], object]], num_rounds: int = 9
) -> dict[str, np.ndarray]:
    """Return {name: seconds in each round} as arrays of num_rounds.

    functions is {name: callable without arguments}. CPU time of one BLAS
    thread, so that neither other programs on the machine nor waiting
    threads count; each round runs every function once, in an order drawn
    anew, after one warm-up round.
    """
    _check_functions(functions)
    num_rounds = integer("num_rounds", num_rounds, 1, 1000)
    names, rng = list(functions), np.random.default_rng(0)
    seconds = {name: np.empty(num_rounds) for name in names}
    with threadpool_limits(limits=1):
        for round_number in range(-1, num_rounds):
            for name in map(names.__getitem__, rng.permutation(len(names))):
                start = time.process_time()
                functions[name]()
                if round_number >= 0:
                    seconds[name][round_number] = time.process_time() - start
    return seconds


def _check_functions(functions):
    if not functions or not all(map(callable, functions.values())):
        raise ValueError(
            f"functions is {shown(functions)}, but must map at least one "
            "name to a function"
        )


def overhead(
    rows: int,
    num_adapters: int,
    rank: int,
    width: int = 4096,
    num_rounds: int = 9,
    seed: int = 0,
) -> dict[str, float]:
    """Return time over the base matmul's, {design: ratio}, float32.

    rows requests spread evenly over num_adapters adapters of one square
    layer of `width`. Designs: grouped (apply_batched), row by row, mask;
    "base again" repeats the base and shows how far from 1 chance goes.
    """
    rows = integer("rows", rows, minimum=1)
    num_adapters = integer("num_adapters", num_adapters, 1, rows)
    rank = integer("rank", rank, minimum=1)
    width = integer("width", width, minimum=1)
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, width), dtype=np.float32)
    W = rng.standard_normal((width, width), dtype=np.float32)
    A = rng.standard_normal((num_adapters, rank, width), dtype=np.float32)
    B = rng.standard_normal((num_adapters, width, rank), dtype=np.float32)
    ids = rng.permutation(np.arange(rows) % num_adapters)
    pairs, scalings = list(zip(A, B, strict=True)), [2.0] * num_adapters
    functions = {
        "base": lambda: x @ W.T,
        "base again": lambda: x @ W.T,
        "grouped": lambda: apply_batched(x, W, pairs, ids, scalings),
        "mask": lambda: apply_by_mask(x, W, A, B, ids, 2.0),
        "row by row": lambda: apply_row_by_row(x, W, pairs, ids, scalings),
    }
    return paired_ratios(functions, "base", num_rounds)
