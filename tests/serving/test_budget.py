"""A step with a token budget: against a plain loop, and its barriers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora.cache.slots import schedule_step
from multilora.serving.budget import Sequence, plan_step

sequences = st.lists(
    st.tuples(st.integers(-1, 4), st.integers(1, 9)), max_size=12
)


def plain_plan(waiting, running, max_loras, seats, budget):
    """The scheduler's two loops, spelled out."""
    tokens, active, num_running = {}, set(), len(running)
    for item in running:
        if budget == 0:
            break
        tokens[item.request_id] = min(item.num_tokens, budget)
        budget -= tokens[item.request_id]
        active.add(item.adapter_id)
    admitted = []
    for item in waiting:
        if budget == 0 or num_running == seats:
            break
        new = active | {item.adapter_id}
        if item.adapter_id != -1 and len(new - {-1}) > max_loras:
            continue
        tokens[item.request_id] = min(item.num_tokens, budget)
        budget -= tokens[item.request_id]
        active, num_running = new, num_running + 1
        admitted.append(item)
    return tokens, admitted


@given(sequences, sequences, st.integers(1, 4), st.integers(0, 8),
       st.integers(1, 40))  # fmt: skip
def test_a_plan_is_the_two_loops(waiting, running, max_loras, more, budget):
    waiting = [Sequence(f"w{n}", *item) for n, item in enumerate(waiting)]
    running = [Sequence(f"r{n}", *item) for n, item in enumerate(running)]
    held, fits = set(), []
    for item in running:
        if item.adapter_id == -1 or len(held | {item.adapter_id}) <= max_loras:
            held |= {item.adapter_id} - {-1}
            fits.append(item)
    seats = max(1, len(fits) + more)
    plan = plan_step(waiting, fits, max_loras, seats, budget)
    tokens, admitted = plain_plan(waiting, fits, max_loras, seats, budget)
    assert list(plan.num_scheduled_tokens.items()) == list(tokens.items())
    assert plan.admitted == admitted
    left = [item for item in waiting if item not in admitted]
    assert plan.deferred == left
    assert sum(tokens.values()) <= budget
    if budget == 40 and len(fits) + len(waiting) <= 4:
        assert (admitted, left) == schedule_step(
            waiting, fits, max_loras, seats
        )


def test_a_spent_budget_is_a_barrier_and_cuts_a_prompt():
    waiting = [Sequence("long", 1, 10), Sequence("base", -1, 1)]
    plan = plan_step(waiting, [Sequence("r", 2, 1)], 2, 9, token_budget=6)
    assert plan.num_scheduled_tokens == {"r": 1, "long": 5}
    assert plan.deferred == waiting[1:]
    plan = plan_step(waiting, [Sequence("r", 2, 6)], 2, 9, token_budget=6)
    assert plan.admitted == [] and plan.deferred == waiting


def test_wrong_steps_are_named():
    good = Sequence("a", 1, 1)
    for arguments, sentence in (
        (([good, good], [], 2, 2, 2), "request_id twice"),
        (([good], [good], 2, 2, 9), "waiting and running hold a request_id"),
        (([], [good], 0, 2, 1), "max_loras is 0"),
        (([Sequence("a", 1, 0)], [], 2, 2, 2), "num_tokens of 'a' in waiting"),
        (([], [], 2, 2, 0), "token_budget is 0"),
        (([], [], 0, 2, 1), "max_loras is 0"),
    ):
        with pytest.raises(ValueError, match=sentence):
            plan_step(*arguments)
    with pytest.raises(TypeError, match="waiting holds"):
        plan_step([("a", 1)], [], 2, 2, 2)
