"""Which dial ends which wait: each is moved once, on a simulated engine."""

from functools import cache
from typing import NamedTuple

import numpy as np

from multilora.arguments import choice, integer
from multilora.memory.ledger import memory_ledger
from multilora.models.shipped import model_shape
from multilora.serving.cost import NS_PER_MS
from multilora.serving.limits import engine_limits
from multilora.serving.run import ServingRun, serve
from multilora.serving.terms import fitted_cost
from multilora.serving.workload import (
    Workload,
    geometric_tokens,
    make_workload,
)
from multilora.traffic import arrivals, zipf_popularity

TENANTS, SECONDS = 40, 300
MODEL, RANK, CARD_GIB = "Qwen2.5-7B", 16, 24
AS_IT_IS = "as it is"
LONG_TOKENS = 4000  # of the prompts that one tenant sends


class DialRow(NamedTuple):
    """What one dial does in one case; times in ms.

    p50_ms and p99_ms are of TTFT, rare_p99_ms of the half of the tenants
    that ask least, gap_ms the 99th percentile of a request's mean gap
    between tokens. The tenant with the long prompts is left out of all.
    """

    dial: str
    p50_ms: float
    p99_ms: float
    rare_p99_ms: float
    gap_ms: float


class _Engine(NamedTuple):
    """One try: requests a second, tenants, long prompts, and the dials."""

    rate: float
    max_loras: int = 8
    max_cpu_loras: int = TENANTS
    max_num_seqs: int = 256
    max_num_batched_tokens: int = 8192
    num_tenants: int = TENANTS
    long_rate: float = 0
    prompt_tokens: int = 256
    output_tokens: int = 64
    is_card_small: bool = False


_BUSY = _Engine(rate=8, max_num_seqs=8, max_loras=16)
_FULL = _Engine(
    rate=2, num_tenants=4, prompt_tokens=2048, output_tokens=512,
    is_card_small=True,
)  # fmt: skip
_LONG = _Engine(rate=3, long_rate=3)
_GAPS = _Engine(rate=0.5, max_cpu_loras=8)


def _rare(rate: float, tier: int) -> dict[str, _Engine]:
    start = _Engine(rate=rate, max_cpu_loras=tier)
    more_copies = {
        f"max_cpu_loras {TENANTS}": start._replace(max_cpu_loras=TENANTS)
    }
    return {
        AS_IT_IS: start,
        **(more_copies if tier < TENANTS else {}),
        "max_loras 16": start._replace(
            max_loras=16, max_cpu_loras=max(tier, 16)
        ),
        "half of the tenants, as many requests": start._replace(
            num_tenants=TENANTS // 2
        ),
    }


CASES: dict[str, dict[str, _Engine]] = {
    "rare late, 3 requests/s, 8 copies": _rare(3, 8),
    "rare late, 5 requests/s, 8 copies": _rare(5, 8),
    "rare late, 8 requests/s, 8 copies": _rare(8, 8),
    "rare late, 5 requests/s, 40 copies": _rare(5, TENANTS),
    "rare late, 8 requests/s, 40 copies": _rare(8, TENANTS),
    "first after a gap late": {
        AS_IT_IS: _GAPS,
        f"max_cpu_loras {TENANTS}": _GAPS._replace(max_cpu_loras=TENANTS),
        "max_loras 16": _GAPS._replace(max_loras=16, max_cpu_loras=16),
    },
    "tokens slower": {
        AS_IT_IS: _LONG,
        "long prompts elsewhere": _LONG._replace(long_rate=0),
        **{
            f"max_num_batched_tokens {num}": _LONG._replace(
                max_num_batched_tokens=num
            )
            for num in (2048, 1024, 512)
        },
        "max_loras 40": _LONG._replace(max_loras=TENANTS),
    },
    "seats full": {
        AS_IT_IS: _BUSY,
        "max_num_seqs 64": _BUSY._replace(max_num_seqs=64),
        "max_loras 40": _BUSY._replace(max_loras=TENANTS),
    },
    "KV full": {
        AS_IT_IS: _FULL,
        "half of the requests": _FULL._replace(rate=_FULL.rate / 2),
        "max_loras 4": _FULL._replace(max_loras=4),
        "max_loras 16": _FULL._replace(max_loras=16),
        "max_num_seqs 512": _FULL._replace(max_num_seqs=512),
    },
}


def dial_table(case: str, seed: int = 0) -> tuple[DialRow, ...]:
    """Return a DialRow for each dial of one of CASES, the first as it is.

    300 s of Zipf 1 traffic on the fitted cost of Qwen2.5-7B, rank 16. In
    "KV full" it has what the ledger leaves at worst on a card of 24 GiB.
    Raises ValueError for a case that is none, or a seed below 0.
    """
    case = choice("case", case, CASES)
    return _rows(case, integer("seed", seed, 0, 2**31))


def dial_lines(case: str, seed: int = 0) -> list[str]:
    """Return the dial_table of a case as lines of text."""
    rows = dial_table(case, seed)
    lines = [f"{case:38}  p50 ms  p99 ms  of rare  gap ms"]
    for row in rows:
        p50, p99, rare, gap = row[1:]
        lines.append(
            f"{row.dial:38} {p50:7,.0f} {p99:7,.0f} {rare:8,.0f} {gap:7,.0f}"
        )
    return lines


@cache
def _rows(case: str, seed: int) -> tuple[DialRow, ...]:
    return tuple(
        _row(name, engine, seed) for name, engine in CASES[case].items()
    )


def _row(name: str, engine: _Engine, seed: int) -> DialRow:
    workload, is_long = _workload(engine, seed)
    run = _served(engine, workload)
    is_rare = workload.adapter_ids >= engine.num_tenants // 2
    ttft = run.ttft_ns / NS_PER_MS
    gaps = run.tpot_ns[~is_long] / NS_PER_MS
    p50, p99 = np.percentile(ttft[~is_long], [50, 99])
    rare = np.percentile(ttft[~is_long & is_rare], 99)
    gap = np.nanpercentile(gaps, 99)
    return DialRow(name, float(p50), float(p99), float(rare), float(gap))


def _workload(engine: _Engine, seed: int) -> tuple[Workload, np.ndarray]:
    """Return requests in order of arrival, and which are the long ones."""
    rates = engine.rate * zipf_popularity(engine.num_tenants)
    times, ids = arrivals.poisson_arrivals(rates, SECONDS, seed=seed)
    long_times, _ = arrivals.poisson_arrivals(
        [engine.long_rate], SECONDS, seed=seed + 1
    )
    is_long = np.repeat([False, True], [len(times), len(long_times)])
    times = np.concatenate([times, long_times])
    order = np.argsort(times, kind="stable")
    is_long = is_long[order]
    ids = np.append(ids, np.full(len(long_times), engine.num_tenants - 1))
    workload = make_workload(
        times[order],
        ids[order],
        np.where(is_long, LONG_TOKENS, engine.prompt_tokens),
        geometric_tokens(len(times), engine.output_tokens, seed=seed),
        engine.num_tenants,
    )
    return workload, is_long


def _served(engine: _Engine, workload: Workload) -> ServingRun:
    limits = engine_limits(
        engine.max_loras,
        engine.max_num_seqs,
        engine.max_num_batched_tokens,
        engine.max_cpu_loras,
        num_gpu_blocks=_blocks(engine),
    )
    return serve(workload, limits, fitted_cost(engine.max_loras, RANK, MODEL))


def _blocks(engine: _Engine) -> int | None:
    if not engine.is_card_small:
        return None
    card = memory_ledger(model_shape(MODEL), CARD_GIB, engine.max_loras, RANK)
    return card.kv_tokens_low // 16
