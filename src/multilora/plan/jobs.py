"""A job of the search: one setting to play, wherever that is."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from multilora.plan.answer import Outcome
from multilora.plan.case import Case
from multilora.plan.load import Groups
from multilora.plan.played import Dials, World, play
from multilora.plan.tenants import outcome_of

MAX_PROCESSES = 1024  # that play jobs on one machine


class Job(NamedTuple):
    """A setting of all engines, and the World that it is played in.

    known are the tenants of each engine who may come to it, if more than
    are in its group.
    """

    groups: Groups
    dials: Dials
    world: World | None = None
    known: Groups | None = None


# Plays jobs: an Outcome each, in their order, None where an engine does not
# start. It is lazy where it can be, so that an interrupt loses one job only.
Players = Callable[[Sequence[Job]], Iterator[Outcome | None]]


def outcome(case: Case, job: Job) -> Outcome | None:
    """Return what comes of a job, or None where an engine does not start."""
    engines = play(case, *job)
    return outcome_of(engines, case.slo) if engines else None


def in_turn(case: Case) -> Players:
    """Return Players of this Case: one job after the other, right here."""
    return lambda jobs: (outcome(case, job) for job in jobs)
