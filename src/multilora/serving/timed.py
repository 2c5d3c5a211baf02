"""Steps that were timed, and groups of those that were alike."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from multilora.arguments import finite_number, integer
from multilora.serving.cost import MAX_MS

MAX_COUNT = 10**7
TRIMMED = 0.1  # of steps alike, cut off at either end; of few, one
FEW = 3


class TimedStep(NamedTuple):
    """A step of an engine as its client saw it: how long, and what was in it.

    kind names the probe. is_first is True for the time from a send to a
    first token on an idle engine, which has the API server in it.
    """

    kind: str
    ms: float
    num_prompt_tokens: int
    num_running: int
    num_active: int
    num_slot_loads: int = 0
    num_disk_loads: int = 0
    is_first: bool = False


class Group(NamedTuple):
    """Steps alike: their mean, how many, and what was in each.

    counts are those of a TimedStep from num_prompt_tokens on.
    """

    kind: str
    ms: float
    num: int
    counts: tuple[int, ...]


def checked(item: TimedStep) -> TimedStep:
    """Return a step whose values can be, or raise ValueError."""
    finite_number("ms in timed", item.ms, maximum=MAX_MS, above=0)
    for name, value in zip(item._fields[2:7], item[2:7], strict=True):
        integer(f"{name} in timed", value, 0, MAX_COUNT)
    return item


def groups_of(timed: Iterable[TimedStep]) -> list[Group]:
    """Return the Groups of steps alike, a kind of probe apart."""
    alike = defaultdict(list)
    for item in timed:
        alike[item.kind, item[2:]].append(item.ms)
    groups = []
    for (kind, counts), times in alike.items():
        cut = max(int(len(times) * TRIMMED), int(len(times) >= FEW))
        kept = sorted(times)[cut : len(times) - cut]
        groups.append(Group(kind, float(np.mean(kept)), len(times), counts))
    return groups
