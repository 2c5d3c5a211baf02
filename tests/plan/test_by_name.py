"""A tenant has the rank and the folder of the adapter of their name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bad_input import each_wrong_value
from cases import a_case
from multilora.memory.ledger import memory_ledger
from multilora.plan import by_name, memory_parts, verdict
from multilora.plan.by_name import Adapter, with_adapters
from multilora.plan.make import make_plan
from multilora.plan.played import memory_of

NAMES = st.lists(st.sampled_from("abcdef"), unique=True)
FOUND = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 512))


@given(NAMES, FOUND)
def test_each_tenant_gets_their_own_adapter_or_the_given_rank(names, ranks):
    found = {n: Adapter(n, rank, f"at/{n}") for n, rank in ranks.items()}
    each, folders, notes = with_adapters(names, found, [7] * len(names))
    assert each == [ranks.get(name, 7) for name in names]
    assert folders == [f"at/{n}" if n in ranks else None for n in names]
    without = [name for name in names if name not in ranks]
    idle = set(ranks) - set(names)
    assert len(notes) == bool(ranks and without) + bool(idle)
    text = " ".join(notes)
    if ranks and without:
        assert f"{len(without)} of {len(names)} tenants" in text
        assert "rank 7 was taken" in text
    if idle:
        assert f"such as {min(idle)}: no slot is planned" in text


def test_another_number_of_ranks_is_named():
    with pytest.raises(ValueError, match=r"^ranks holds 1"):
        with_adapters(["a", "b"], {}, [8])


def test_parts_of_the_memory_are_the_card():
    case = a_case(num_tenants=3, rate=1, seconds=30)
    ledger = memory_ledger(case.shape, case.card_gib, 3, 16)
    parts = memory_parts.memory_parts(case, memory_of(ledger))
    assert sum(parts.values()) == int(case.card_gib * 2**30)


def test_a_verdict_and_its_doubts_are_those_of_the_plan():
    plan = make_plan(a_case(num_tenants=3, rate=1, seconds=30))
    first, second = verdict.verdict_of(plan)
    assert first == "1 engine: the promise is kept."
    assert f"p99 {plan.outcome.p99_ms:,.0f} ms" in second
    doubts = verdict.doubts_of(plan)
    assert len(doubts) == len(plan.assumptions)
    for doubt, one in zip(doubts, plan.assumptions, strict=True):
        assert doubt.startswith(one.instead)
        assert doubt.endswith("the verdict changes") == one.flips


PLAN = make_plan(a_case(num_tenants=2, rate=1, seconds=20))
test_each_wrong_value_works_or_is_named = each_wrong_value({
    by_name.with_adapters: (["a"], {}, [8]),
    verdict.verdict_of: (PLAN,),
    verdict.doubts_of: (PLAN,),
})  # fmt: skip
