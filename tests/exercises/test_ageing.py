"""Ageing against the plain scheduler and a plain loop."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora.cache.slots import Request
from multilora.exercises import ageing
from multilora.matmul.operands import BASE
from multilora.serving.steps import Job, simulate, steps_waited

jobs_of = st.lists(
    st.tuples(st.integers(-1, 4), st.integers(0, 12), st.integers(1, 5)),
    min_size=1,
    max_size=25,
)


def as_jobs(rows):
    return [Job(str(n), *row) for n, row in enumerate(rows)]


@given(rows=jobs_of, max_loras=st.integers(1, 3))
def test_without_patience_to_lose_ageing_is_the_plain_scheduler(
    rows, max_loras
):
    jobs = as_jobs(rows)
    waited, loads = ageing.play(jobs, max_loras, patience=10**6)
    steps = simulate(jobs, max_loras)
    assert waited == steps_waited(jobs, steps)
    assert loads == sum(step.num_loads for step in steps)


def walled(waiting, running, max_loras, waited, patience):
    """The rule, request by request."""
    active = {item[1] for item in running} - {BASE}
    admitted, deferred, is_wall = [], [], False
    for item in waiting:
        fits = item[1] in active or len(active) < max_loras
        if item[1] == BASE or (fits and not is_wall):
            admitted.append(item)
            active |= {item[1]} - {BASE}
            continue
        if not deferred and waited[item[0]] >= patience:
            is_wall = True
        deferred.append(item)
    return admitted, deferred


@given(
    ids=st.lists(st.tuples(st.integers(-1, 4), st.integers(0, 9)), max_size=9),
    running=st.lists(st.integers(-1, 1), max_size=2),
    max_loras=st.integers(2, 3),
    patience=st.integers(0, 9),
)
def test_the_rule_is_a_plain_loop_with_a_wall(
    ids, running, max_loras, patience
):
    waiting = [Request(str(n), item) for n, (item, _) in enumerate(ids)]
    waited = {str(n): age for n, (_, age) in enumerate(ids)}
    running = [Request(f"r{n}", item) for n, item in enumerate(running)]
    case = (waiting, running, max_loras, waited, patience)
    assert ageing.aged_step(*case) == walled(*case)


def test_play_refuses_a_rule_that_never_admits():
    def nobody(waiting, running, max_loras, waited, patience):
        return [], waiting

    with pytest.raises(ValueError, match="1 jobs not done after"):
        ageing.play([Job("a", 1, 0, 1)], 1, 0, nobody)
