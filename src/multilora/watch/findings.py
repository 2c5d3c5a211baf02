"""Which rows of the operator's table fit what /metrics says."""

import math
from collections.abc import Iterable
from typing import NamedTuple

from multilora.arguments import finite_number, integer
from multilora.watch.scrapes import Scrape
from multilora.watch.seen import Seen, look
from multilora.watch.symptoms import Symptom, symptom

FULL = 0.95  # of the KV cache
YOUNG_S = 600  # since the server's start
JUMP = 4  # a gap so many times the median one is a stall
LONG_STEP_TOKENS = 1024  # a step of so many holds a long prompt
MANY = 10  # below it a percentile is a single request


class Finding(NamedTuple):
    """A row of the table, and the sentence of what speaks for it."""

    symptom: Symptom
    evidence: str


def fitting(
    scrapes: Iterable[Scrape],
    slo_ms: float = 500,
    max_num_seqs: int | None = None,
    now_s: float | None = None,
) -> list[Finding]:
    """Return a Finding for each row that fits, the likeliest first.

    A TTFT above slo_ms is late. max_num_seqs is the server's, where it is
    known. Raises ValueError for no scrape or a slo_ms that is not above 0.
    """
    slo_s = finite_number("slo_ms", slo_ms, above=0) / 1000
    if max_num_seqs is not None:
        max_num_seqs = integer("max_num_seqs", max_num_seqs, 1)
    seen = look(scrapes, now_s)
    rules = {
        "kv": _kv(seen),
        "deferral": _deferral(seen),
        "seats": _seats(seen, max_num_seqs),
        "prompts": _prompts(seen),
        "stall": _stall(seen),
        "start": _start(seen, slo_s),
        "gap": _gap(seen, slo_s),
        "nan": _nan(seen),
    }
    return [
        Finding(symptom(key), evidence)
        for key, evidence in rules.items()
        if evidence
    ]


def _deferral(seen: Seen) -> str | None:
    if seen.max_loras is None:
        return None
    # An adapter is named from its first token on, so never one that waits.
    is_full = [
        names >= seen.max_loras and deferred > 0
        for names, deferred in zip(seen.names, seen.deferred, strict=True)
    ]
    if not any(is_full):
        return None
    return (
        f"deferred: {_each(seen.deferred)}, while {_each(seen.names)} "
        f"adapters run and max_lora is {seen.max_loras}"
    )


def _kv(seen: Seen) -> str | None:
    num_full = sum(share >= FULL for share in seen.kv)
    if not seen.num_preemptions and not (num_full and any(seen.capacity)):
        return None
    return (
        f"KV in use: {_each(f'{share:.0%}' for share in seen.kv)}; waiting "
        f"for capacity: {_each(seen.capacity)}; preempted meanwhile: "
        f"{seen.num_preemptions}"
    )


def _seats(seen: Seen, most: int | None) -> str | None:
    held = [
        waits and share < FULL and (most is None or running >= most)
        for waits, share, running in zip(
            seen.capacity, seen.kv, seen.running, strict=True
        )
    ]
    # A request that has just come waits for the next step: one may do so.
    if sum(map(bool, held)) * 2 <= len(held) or max(seen.capacity) < 2:
        return None
    whose = "" if most else " (near your max_num_seqs?)"
    return (
        f"waiting for capacity: {_each(seen.capacity)}, while "
        f"{_each(seen.running)} run{whose}, and KV is at most "
        f"{max(seen.kv):.0%} full"
    )


def _prompts(seen: Seen) -> str | None:
    if not _jumps(seen) or not _has_long_steps(seen):
        return None
    num = seen.step_tokens.num_above(LONG_STEP_TOKENS)
    return (
        f"{_jump(seen)}; {num} of {seen.step_tokens.num} steps had more "
        f"than {LONG_STEP_TOKENS:,} tokens"
    )


def _stall(seen: Seen) -> str | None:
    if not _jumps(seen) or not seen.step_tokens.num or _has_long_steps(seen):
        return None
    return (
        f"{_jump(seen)}; no step had more than "
        f"{seen.step_tokens.quantile(1):,.0f} tokens, so that a load is "
        "likelier than a prompt"
    )


def _start(seen: Seen, slo_s: float) -> str | None:
    is_young = seen.age_s is not None and 0 <= seen.age_s < YOUNG_S
    if not is_young or not _is_late_alone(seen, slo_s):
        return None
    return f"the server is {seen.age_s:.0f} s old; {_late(seen, slo_s)}"


def _gap(seen: Seen, slo_s: float) -> str | None:
    is_young = seen.age_s is not None and 0 <= seen.age_s < YOUNG_S
    if is_young or not _is_late_alone(seen, slo_s):
        return None
    return _late(seen, slo_s)


def _nan(seen: Seen) -> str | None:
    if seen.num_corrupted <= 0:
        return None
    return f"corrupted meanwhile: {seen.num_corrupted} requests"


def _is_late_alone(seen: Seen, slo_s: float) -> bool:
    """True if first tokens were late though next to nobody waited."""
    return seen.ttft.num_above(slo_s) > 0 and max(seen.waiting) <= 1


def _late(seen: Seen, slo_s: float) -> str:
    return (
        f"{seen.ttft.num_above(slo_s)} of {seen.ttft.num} first tokens took "
        f"over {slo_s:g} s, and at most {max(seen.waiting)} waited when we "
        "looked"
    )


def _jumps(seen: Seen) -> bool:
    usual = seen.gaps.quantile(0.5)
    if seen.gaps.num < MANY or not math.isfinite(usual):
        return False
    return seen.gaps.quantile(0.99) >= JUMP * usual


def _jump(seen: Seen) -> str:
    usual, slow = (1000 * seen.gaps.quantile(q) for q in (0.5, 0.99))
    slow_text = f"{slow:,.0f} ms" if math.isfinite(slow) else "a last bucket"
    return (
        f"half of {seen.gaps.num} gaps between tokens are below "
        f"{usual:,.0f} ms, 1 in 100 reaches up to {slow_text}"
    )


def _has_long_steps(seen: Seen) -> bool:
    return seen.step_tokens.num_above(LONG_STEP_TOKENS) > 0


def _each(values: Iterable[object]) -> str:
    return ", ".join(str(value) for value in values)
