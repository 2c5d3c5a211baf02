"""Part 5: a fleet at nine, merged or shared, a new base, a pitch."""

from functools import cache

from multilora.adapters.file import adapter_params
from multilora.exercises.answers import Number
from multilora.exercises.task import Exercise
from multilora.fleet.sizing import (
    engines_under_load,
    load_by_hour,
    merged_bytes,
    shared_bytes,
)
from multilora.memory.economics import engines_needed
from multilora.models.shipped import model_shape

FLEET, PEAK, SPREAD, FLEET_SLOTS = 80, 0.25, 2, 16


def nine_oclock(spread: int = SPREAD, quiet: float = 0.1) -> int:
    """Return the engines of a fleet whose busy hours are 9 and 10 a.m."""
    load = load_by_hour(FLEET, PEAK, spread, quiet)
    return engines_under_load(FLEET, FLEET_SLOTS, load)


def _fleet_slips():
    load = load_by_hour(FLEET, PEAK, SPREAD)
    return {
        "that is the floor, a slot for everybody; the load asks for more":
            engines_needed(FLEET, FLEET_SLOTS),
        "those who are not in their busy hour still send a tenth":
            nine_oclock(quiet=0),
        "the busy hours are spread over two: half are busy at nine":
            nine_oclock(spread=1),
        "that is the mean of the day; a fleet is sized at its peak":
            -(-load.sum() // 24),
    }  # fmt: skip


@cache
def ten_times(factor: float = 10) -> int:
    """Return the tenants from which merging takes ten times the bytes."""
    base, adapter = _bytes()
    return next(
        n
        for n in range(1, 1000)
        if merged_bytes(base, n) >= factor * shared_bytes(base, adapter, n)
    )


def _bytes():
    shape = model_shape("Llama-3.1-8B")
    return 2 * shape.num_params, 2 * adapter_params(shape, 16, "all-linear")


def _merged_slips():
    base, adapter = _bytes()
    return {
        "ten copies are ten bases, but sharing has its adapters on top":
            10,
        "that is how many times an adapter goes into the base":
            base // adapter,
        "rounded up once too often": ten_times() + 1,
    }  # fmt: skip


EXERCISES = [
    Exercise("nine_oclock", "A fleet at nine", 1, 8, Number(
        nine_oclock, "{} engines at the peak", _fleet_slips)),
    Exercise("ten_times", "Merged or shared", 1, 8, Number(
        ten_times, "from {} tenants on, merged copies take ten times the "
        "bytes", _merged_slips)),
    Exercise("new_base", "A new release of the base", 2, 10),
    Exercise("one_per_cent", "Under one per cent", 1, 8),
]  # fmt: skip
