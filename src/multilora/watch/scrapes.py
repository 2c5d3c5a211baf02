"""What a vLLM server's /metrics said at a moment.

Names as in vLLM 0.32.0, vllm/v1/metrics/loggers.py.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from prometheus_client.parser import text_string_to_metric_families

from multilora.arguments import shown, text
from multilora.watch.histogram import Histogram

RUNNING = "vllm:num_requests_running"
WAITING = "vllm:num_requests_waiting"
BY_REASON = "vllm:num_requests_waiting_by_reason"
KV_USAGE = "vllm:kv_cache_usage_perc"
LORA_INFO = "vllm:lora_requests_info"
STARTED = "process_start_time_seconds"
_NEEDED = (RUNNING, WAITING)
_PREFIXES = ("vllm:", STARTED)
MAX_LINES = 100_000  # beside those of LoRA, of which only one is read
_LORA_LABELS = ("running_lora_adapters", "waiting_lora_adapters")


class Active(NamedTuple):
    """The newest line of lora_requests_info: names, max_lora, its time.

    names are adapters with a request that has got its first token and is
    not finished: vLLM's events of a request come with its first output, so
    those that wait for a slot are in neither label.
    """

    names: frozenset[str]
    max_loras: int | None
    at_s: float


class Scrape(NamedTuple):
    """Samples of one /metrics: {name: [(labels, value), …]}."""

    samples: dict[str, list[tuple[dict[str, str], float]]]

    def has(self, name: str) -> bool:
        return name in self.samples

    def total(self, name: str, **labels: str) -> float:
        """Return a gauge or counter, summed over engines; 0 if not there."""
        return sum(self._values(name, labels))

    def largest(self, name: str) -> float:
        """Return the largest value over engines; 0 if not there."""
        return max(self._values(name, {}), default=0.0)

    def _values(self, name, labels):
        return [
            value
            for found, value in self.samples.get(name, ())
            if labels.items() <= found.items() and math.isfinite(value)
        ]

    def histogram(self, name: str) -> Histogram:
        """Return a histogram, summed over engines; empty if not there."""
        sums: dict[float, float] = {}
        for labels, value in self.samples.get(f"{name}_bucket", ()):
            bound = _number(labels.get("le", ""))
            if not math.isnan(bound) and math.isfinite(value):
                sums[bound] = sums.get(bound, 0.0) + value
        bounds = sorted(sums)
        return Histogram(
            np.array(bounds),
            np.array([sums[bound] for bound in bounds]),
            self.total(f"{name}_sum"),
        )

    def active(self) -> Active | None:
        """Return the newest line of lora_requests_info; None without LoRA."""
        lines = [
            (value, labels)
            for labels, value in self.samples.get(LORA_INFO, ())
            if math.isfinite(value)
        ]
        if not lines:
            return None
        value, labels = max(lines, key=lambda line: line[0])
        names = [
            name
            for label in _LORA_LABELS
            for name in labels.get(label, "").split(",")
        ]
        most = _number(labels.get("max_lora", ""))
        is_count = math.isfinite(most) and most >= 1
        return Active(
            frozenset(filter(None, names)),
            int(most) if is_count else None,
            value,
        )


def parse_scrape(body: str, whence: str = "body") -> Scrape:
    """Return the Scrape of a /metrics page; whence names it in errors.

    Raises ValueError for text that is not Prometheus', or not vLLM's.
    """
    text("body", body)
    text("whence", whence)
    samples: dict[str, list[tuple[dict[str, str], float]]] = {}
    try:
        for family in text_string_to_metric_families(_ours(body)):
            for sample in family.samples:
                of = samples.setdefault(sample.name, [])
                of.append((dict(sample.labels), float(sample.value)))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        samples = {}
    if not all(name in samples for name in _NEEDED):
        raise ValueError(
            f"{whence} is {shown(body)}, which is no page of vLLM's metrics: "
            "give what its server says at /metrics"
        )
    return Scrape(samples)


def _ours(body: str) -> str:
    """Keep the lines that are read, of lora_requests_info the newest one.

    A busy server has a line for each set of names that it ever saw: after
    weeks they are most of a page, and the parser takes its time.
    """
    lines, newest, at = [], "", -math.inf
    for line in body.split("\n"):
        if line.startswith(LORA_INFO):
            value = _number(line.rpartition(" ")[2])
            if value > at:
                newest, at = line, value
        elif line.startswith(_PREFIXES):
            lines.append(line)
    if len(lines) > MAX_LINES:
        raise ValueError("too many lines")
    return "\n".join([*lines, newest, ""])


def since_restart(scrapes: Sequence[Scrape]) -> tuple[int, bool]:
    """Return where the last run of one server begins, and if it is cut.

    A server that was started again counts from 0, so that a count of
    tokens, steps or replies goes down.
    """
    begins = 0
    for place, (before, after) in enumerate(pairwise(scrapes), 1):
        if _is_restarted(before, after):
            begins = place
    return begins, begins > 0


_COUNTS = (
    "vllm:prompt_tokens_total",
    "vllm:generation_tokens_total",
    "vllm:iteration_tokens_total_count",
    "vllm:time_to_first_token_seconds_count",
    "vllm:num_preemptions_total",
)


def _is_restarted(before: Scrape, after: Scrape) -> bool:
    if after.total(STARTED) != before.total(STARTED):
        return after.has(STARTED) and before.has(STARTED)
    return any(after.total(name) < before.total(name) for name in _COUNTS)


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return math.nan
