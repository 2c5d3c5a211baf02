"""Time the grouped LoRA matmul against PEFT, vLLM's ops and plain designs.

`grouped_rows` needs the engine's environment, `crossover_rows` only numpy.
Both run in one process, on one thread, in rounds whose order is drawn anew;
every design must give the row loop's numbers exactly before it is timed.
"""

import ctypes
import time
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from multilora.lora import apply_batched, apply_groups, apply_row_by_row
from multilora.segments import apply_segments, fast_layout, segments_of
from multilora.timing import paired_ratios
from multilora.traps import apply_by_gather, apply_by_mask

RANK, SCALING = 16, 2.0
GROUPED_POINTS = ((16, 16), (64, 16), (256, 16))
ROWS, ADAPTERS, WIDTHS = (1, 4, 16, 64, 256), (1, 4, 16, 64), (512, 4096)
# Delta time over the peer's, and total over base of presorted rows.
TARGETS = (
    ("unsorted / PEFT", 0.6, (16, 64, 256)),
    ("unsorted / vLLM bgmv", 0.4, (16, 64, 256)),
    ("presorted total", 1.10, (64, 256)),
)


class Case(NamedTuple):
    """One batch on one square layer; whole numbers, so that sums are exact.

    x is (rows, width), W (width, width), A (adapters, rank, width), B
    (adapters, width, rank), ids (rows,) in no order, none of them base.
    """

    x: np.ndarray
    W: np.ndarray
    A: np.ndarray
    B: np.ndarray
    ids: np.ndarray

    @property
    def pairs(self):
        return list(zip(self.A, self.B, strict=True))

    @property
    def scalings(self):
        return [SCALING] * len(self.A)


def drawn(rows, num_adapters, width, rank=RANK, seed=0):
    """Return a Case: rows spread evenly over the adapters, in random order.

    Every sum of its products stays below 2**24, float32's whole numbers.
    """
    rng = np.random.default_rng(seed)

    def whole(*shape):
        return rng.integers(-1, 2, shape).astype(np.float32)

    ids = rng.permutation(np.arange(rows) % num_adapters)
    A, B = whole(num_adapters, rank, width), whole(num_adapters, width, rank)
    return Case(whole(rows, width), whole(width, width), A, B, ids)


class Stopwatch:
    """Adds up the CPU seconds spent in what it is wrapped around."""

    def __init__(self):
        self.seconds = 0.0

    def around(self, function):
        def timed(*args, **kwargs):
            start = time.process_time()
            result = function(*args, **kwargs)
            self.seconds += time.process_time() - start
            return result

        return timed


class TimedMatrix(np.ndarray):
    """A view of W that lets a Stopwatch run during its matrix product."""

    stopwatch = None

    def __array_finalize__(self, parent):
        self.stopwatch = getattr(parent, "stopwatch", None)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        plain = [np.asarray(item) for item in inputs]
        run = self.stopwatch.around(getattr(ufunc, method))
        return run(*plain, **kwargs)


def by_us(case, stopwatch):
    """Our two public ways, with B laid out for the expand."""
    W = case.W.view(TimedMatrix)
    W.stopwatch = stopwatch
    pairs, scalings = [fast_layout(*p) for p in case.pairs], case.scalings
    segments = segments_of(case.ids)
    x, ordered = case.x, segments.sort(case.x)
    return {
        "unsorted": lambda: apply_batched(x, W, pairs, case.ids, scalings),
        "presorted": lambda: apply_segments(
            ordered, W, pairs, segments, scalings
        ),
    }


def by_peft(case, stopwatch):
    """PEFT's own layer on a mixed batch, called without its model."""
    import torch
    from peft import LoraConfig, get_peft_model

    width, rank = case.W.shape[1], case.A.shape[1]
    config = LoraConfig(
        r=rank, lora_alpha=SCALING * rank, target_modules=["0"]
    )
    linear = torch.nn.Linear(width, width, bias=False)
    model = get_peft_model(torch.nn.Sequential(linear), config, "0")
    for name in range(1, len(case.A)):
        model.add_adapter(str(name), config)
    layer = model.eval().base_model.model[0]
    layer.base_layer.weight.data = torch.from_numpy(case.W)
    for name, (A, B) in enumerate(case.pairs):
        layer.lora_A[str(name)].weight.data = torch.from_numpy(A)
        layer.lora_B[str(name)].weight.data = torch.from_numpy(B)
    layer.base_layer.forward = stopwatch.around(layer.base_layer.forward)
    x, names = torch.from_numpy(case.x), [str(name) for name in case.ids]
    return {"PEFT": lambda: layer(x, adapter_names=names)}


def by_vllm(case, stopwatch):
    """vLLM's CPU wrapper over its torch ops: decode's bgmv, prefill's sgmv.

    sgmv gets sorted rows. The rows' metadata is set once, as once a step.
    """
    import torch

    segments = segments_of(case.ids)
    x, W = torch.from_numpy(case.x), torch.from_numpy(case.W)
    ordered = torch.from_numpy(segments.sort(case.x))
    # A slot's stack as the engine holds it: (slots, 1, rank, in).
    stacks = [(torch.from_numpy(m[:, None]),) for m in (case.A, case.B)]
    bgmv = _punica(case.ids, len(case.A), is_prefill=False)
    sgmv = _punica(segments.sort(case.ids), len(case.A), is_prefill=True)

    linear = stopwatch.around(torch.nn.functional.linear)

    def run(punica, x):
        y = linear(x, W)
        punica.add_lora_linear(y, x, *stacks, SCALING, (len(W),))
        return y

    return {
        "vLLM bgmv": lambda: run(bgmv, x),
        "vLLM sgmv": lambda: run(sgmv, ordered),
    }


def _punica(ids, num_adapters, is_prefill):
    import torch
    from vllm.lora.layers import LoRAMapping
    from vllm.lora.punica_wrapper.punica_cpu import PunicaWrapperCPU

    punica = PunicaWrapperCPU(len(ids), len(ids), torch.device("cpu"))
    named = tuple((ids + 1).tolist())  # vLLM's id 0 is the base
    mapping = LoRAMapping(named, named, is_prefill=is_prefill)
    slots = list(range(1, num_adapters + 1))
    punica.update_metadata(mapping, slots, num_adapters, vocab_size=0)
    return punica


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


def require_equal(case, functions):
    """Raise AssertionError unless each gives the row loop's numbers."""
    wanted = apply_row_by_row(
        case.x, case.W, case.pairs, case.ids, case.scalings
    )
    ordered = segments_of(case.ids).sort(wanted)
    for name, function in functions.items():
        is_sorted = name.startswith(("presorted", "vLLM sgmv"))
        got = np.asarray(function())
        assert np.array_equal(got, ordered if is_sorted else wanted), name


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


@contextmanager
def kept_memory():
    """Have glibc keep what is freed: no page faults, for anyone.

    By default a process pays them or not by the history of its heap, which
    doubles PEFT's delta by chance and vLLM's at 256 rows four times over.
    """
    keep, default = ((-4, 0), (-1, 2**31 - 1)), ((-4, 65536), (-1, 2**17))
    mallopt = getattr(ctypes.CDLL(None), "mallopt", lambda *_: 0)
    for setting in keep:  # M_MMAP_MAX, M_TRIM_THRESHOLD
        mallopt(*setting)
    try:
        yield
    finally:
        for setting in default:
            mallopt(*setting)


def _grouped_row(rows, num_adapters, num_rounds):
    case, watch = drawn(rows, num_adapters, width=4096), Stopwatch()
    ours, peft = by_us(case, watch), by_peft(case, watch)
    peers = peft | by_vllm(case, watch)
    require_equal(case, ours | peers)
    bases = {"base alone": watch.around(lambda: case.x @ case.W.T)}
    total, inside = seconds(ours | peers | bases, watch, num_rounds)
    base = {name: np.median(inside[name]) for name in inside}
    delta = {n: np.median(total[n] - inside[n]) for n in ours | peers}
    row = {name: delta[name] / base[name] for name in delta}
    for our in ours:
        row |= {f"{our} / {peer}": delta[our] / delta[peer] for peer in peers}
        row[f"{our} total"] = np.median(total[our] / inside[our])
    row["base alone"] = base["base alone"] / base["unsorted"]
    row["torch base"] = base["PEFT"] / base["unsorted"]
    head = {"rows": rows, "num_adapters": num_adapters, "width": 4096}
    head |= {"rank": RANK, "num_rounds": num_rounds, "blas": blas()}
    return head | {name: round(float(row[name]), 4) for name in row}


def seconds(functions, stopwatch, num_rounds):
    """Return ({name: CPU seconds a round}, {name: those in the base})."""
    total = {name: np.empty(num_rounds) for name in functions}
    inside = {name: np.empty(num_rounds) for name in functions}
    rng = np.random.default_rng(0)
    for turn in range(num_rounds):
        for name in rng.permutation(list(functions)).tolist():
            stopwatch.seconds, start = 0.0, time.process_time()
            functions[name]()
            total[name][turn] = time.process_time() - start
            inside[name][turn] = stopwatch.seconds
    return total, inside


def blas():
    """Return the kernels numpy's BLAS chose: they set the base's speed."""
    found = [item for item in threadpool_info() if item["user_api"] == "blas"]
    return " ".join(
        f"{item['internal_api']} {item['version']} "
        f"{item.get('architecture', '')}".strip()
        for item in found
    )


def verdicts(rows):
    """Return one dict a target and point: measured, limit, is_met."""
    return [
        {
            "target": name,
            "rows": row["rows"],
            "measured": row[name],
            "limit": limit,
            "is_met": row[name] <= limit,
        }
        for name, limit, points in TARGETS
        for row in rows
        if row["rows"] in points
    ]


def crossover_rows(num_rounds=9):
    """Return one dict a point: each design's time over the base matmul's.

    "base again" is the noise. Short calls are repeated within a round.
    """
    return [
        _crossover_row(rows, num_adapters, width, num_rounds)
        for width in WIDTHS
        for rows in ROWS
        for num_adapters in ADAPTERS
        if num_adapters <= rows
    ]


def _crossover_row(rows, num_adapters, width, num_rounds):
    case = drawn(rows, num_adapters, width)
    designs = by_design(case)
    require_equal(case, designs)
    base = {n: lambda: case.x @ case.W.T for n in ("base", "base again")}
    designs |= base
    repeats = max(1, 2**26 // (rows * width**2))
    functions = {
        name: _repeated(function, repeats)
        for name, function in designs.items()
    }
    ratios = paired_ratios(functions, "base", num_rounds)
    row = {"width": width, "rows": rows, "num_adapters": num_adapters}
    row |= {"rank": RANK} | {n: round(r, 4) for n, r in ratios.items()}
    return row


def _repeated(function, times):
    def run():
        for _ in range(times):
            function()

    return run
