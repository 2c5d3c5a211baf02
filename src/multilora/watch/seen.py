"""Some scrapes of one server: gauges side by side, what was added between."""

import time
from collections.abc import Iterable
from typing import NamedTuple

from multilora.arguments import finite_number, items
from multilora.watch.histogram import Histogram
from multilora.watch.scrapes import (
    BY_REASON,
    KV_USAGE,
    RUNNING,
    STARTED,
    WAITING,
    Scrape,
    since_restart,
)


class Seen(NamedTuple):
    """What the scrapes of one run of a server show, newest last.

    Gauges are a value a scrape; ttft, gaps and step_tokens are what was
    added from the first to the last. age_s is since the server's start,
    None where it does not say.
    """

    deferred: tuple[int, ...]
    capacity: tuple[int, ...]
    running: tuple[int, ...]
    waiting: tuple[int, ...]
    kv: tuple[float, ...]
    names: tuple[int, ...]
    max_loras: int | None
    ttft: Histogram
    gaps: Histogram
    step_tokens: Histogram
    num_preemptions: int
    num_corrupted: int
    num_prompt_tokens: int
    age_s: float | None
    is_restarted: bool


def look(scrapes: Iterable[Scrape], now_s: float | None = None) -> Seen:
    """Return what the scrapes show since the server's last start.

    now_s is the moment of the newest one, None for now. Raises ValueError
    for no scrape.
    """
    found = items("scrapes", scrapes, Scrape)
    if not found:
        raise ValueError("scrapes is empty, but must hold at least one")
    begins, is_restarted = since_restart(found)
    found = found[begins:]
    first, last = found[0], found[-1]
    now = time.time() if now_s is None else finite_number("now_s", now_s)
    started = last.largest(STARTED)
    active = [scrape.active() for scrape in found]
    newest = active[-1]
    return Seen(
        deferred=_gauge(found, BY_REASON, reason="deferred"),
        capacity=_gauge(found, BY_REASON, reason="capacity"),
        running=_gauge(found, RUNNING),
        waiting=_gauge(found, WAITING),
        kv=tuple(one.largest(KV_USAGE) for one in found),
        names=tuple(len(one.names) if one else 0 for one in active),
        max_loras=newest.max_loras if newest else None,
        ttft=_added(first, last, "vllm:time_to_first_token_seconds"),
        gaps=_added(first, last, "vllm:inter_token_latency_seconds"),
        step_tokens=_added(first, last, "vllm:iteration_tokens_total"),
        num_preemptions=_grown(first, last, "vllm:num_preemptions_total"),
        num_corrupted=_grown(first, last, "vllm:corrupted_requests_total"),
        num_prompt_tokens=_grown(first, last, "vllm:prompt_tokens_total"),
        age_s=now - started if started else None,
        is_restarted=is_restarted,
    )


def _gauge(found: list[Scrape], name: str, **labels: str) -> tuple[int, ...]:
    return tuple(int(one.total(name, **labels)) for one in found)


def _added(first: Scrape, last: Scrape, name: str) -> Histogram:
    return last.histogram(name).since(first.histogram(name))


def _grown(first: Scrape, last: Scrape, name: str) -> int:
    return int(last.total(name) - first.total(name))
