"""Steps one by one: who runs, who waits, and who is cold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora.cache.slots import AdapterSlotCache
from multilora.serving.steps import (
    Job,
    first_token_ms,
    hot_and_cold,
    simulate,
    steps_waited,
)

ids = st.integers(-1, 7)


@given(
    st.lists(
        st.tuples(ids, st.integers(0, 9), st.integers(1, 5)),
        min_size=1,
        max_size=25,
    ),
    st.integers(1, 4),
)
def test_whatever_is_admitted_fits_the_slots(jobs, max_loras):
    jobs = [Job(str(n), *job) for n, job in enumerate(jobs)]
    adapter_of = {job.request_id: job.adapter_id for job in jobs}
    steps = simulate(jobs, max_loras)
    for step in steps:
        active = {adapter_of[name] for name in step.running} - {-1}
        assert len(active) <= max_loras
        assert step.num_loads <= len(active)
    ran = [name for step in steps for name in step.admitted]
    assert sorted(ran) == sorted(adapter_of)


def test_a_cold_request_waits_as_long_as_a_hot_one_keeps_coming():
    for num_steps in (20, 50, 200):
        jobs = hot_and_cold(num_steps)
        waited = steps_waited(jobs, simulate(jobs, max_loras=1))
        assert waited.pop("cold") >= num_steps
        assert set(waited.values()) == {0}
    jobs = hot_and_cold(50, hot_every=3)  # a gap lets it in
    assert steps_waited(jobs, simulate(jobs, max_loras=1))["cold"] == 3
    jobs = hot_and_cold(50)  # so does a second slot
    assert steps_waited(jobs, simulate(jobs, max_loras=2))["cold"] == 0


@pytest.mark.parametrize(
    ("jobs", "named"),
    [
        ([], "jobs is empty"),
        ([("a", 1, 0, 1)], "jobs holds"),
        ([Job("a", 1, -1, 1)], "arrival of 'a' is -1"),
        ([Job("a", 1, 0, 0)], "num_steps of 'a' is 0"),
        ([Job("a", 1, 0, 1)] * 2, "must be unique"),
    ],
)
def test_bad_jobs_are_named(jobs, named):
    with pytest.raises((ValueError, TypeError), match=named):
        simulate(jobs, 1)


def test_a_miss_costs_its_load():
    ttft = first_token_ms([1, 1, 2, -1, 1], 1, warm_ms=40, load_ms=110)
    assert ttft.tolist() == [150, 40, 150, 150]


@given(st.lists(st.integers(0, 7), min_size=1, max_size=80), st.integers(1, 9))
def test_a_request_is_cold_where_the_cache_misses(trace, max_loras):
    cache, expected = AdapterSlotCache(max_loras), []
    for adapter_id in trace:
        misses = cache.misses
        cache.activate(adapter_id)
        expected.append(40.0 + 110.0 * (cache.misses - misses))
    assert first_token_ms(trace, max_loras, 40, 110).tolist() == expected


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="warm_ms is -1"):
        first_token_ms([1], 1, -1, 0)
