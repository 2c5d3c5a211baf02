"""With a spare the promise is kept whichever engine is lost."""

import numpy as np
import pytest

from cases import a_case
from multilora.plan.load import engine_load
from multilora.plan.make import make_plan
from multilora.plan.played import Dials, ledger_of, play
from multilora.plan.search import Search, fewest_engines
from multilora.plan.spare import fewest_with_spare
from multilora.plan.tenants import all_verdicts

CASE = a_case(12, rate=12, seconds=40, slo_ms=300)


@pytest.fixture(scope="module")
def plan():
    return make_plan(CASE, spare=1)


def numbers(engine):
    """The tenants of an engine and those that it takes over, by number."""
    return [
        [int(one.name.removeprefix("tenant-")) for one in row]
        for row in (engine.tenants, engine.backups)
    ]


def test_each_tenant_has_a_backup_on_another_engine(plan):
    homes = [numbers(engine)[0] for engine in plan.engines]
    backups = [numbers(engine)[1] for engine in plan.engines]
    assert len(plan.engines) >= 2
    for tenant in range(12):
        on = [k for k, group in enumerate(homes) if tenant in group]
        takers = [k for k, group in enumerate(backups) if tenant in group]
        assert len(on) > 1 or (len(takers) == 1 and takers != on)


def test_an_engine_can_serve_all_whom_it_takes_over(plan):
    for engine in plan.engines:
        setting = engine.setting
        assert setting.max_cpu_loras >= len(engine.known)
        assert setting.max_lora_rank >= max(one.rank for one in engine.known)
        ledger = ledger_of(CASE, setting)
        assert ledger.kv_tokens_low == engine.memory.kv_tokens_low


def test_a_loss_is_all_of_the_traffic_on_the_engines_that_are_left(plan):
    """Each loss once more, put together by hand."""
    assert [loss.engine for loss in plan.losses] == list(
        range(1, len(plan.engines) + 1)
    )
    first = plan.engines[0].setting
    slots = max(engine.setting.max_loras for engine in plan.engines)
    dials = Dials(slots, first.max_num_batched_tokens, first.max_num_seqs)
    both = [numbers(engine) for engine in plan.engines]
    for loss in plan.losses:
        lost = loss.engine - 1
        left = [row for k, row in enumerate(both) if k != lost]
        groups = [
            sorted({*mine, *(t for t in more if t in both[lost][0])})
            for mine, more in left
        ]
        known = [sorted({*mine, *more}) for mine, more in left]
        loads = [engine_load(CASE.workload, groups, k)
                 for k in range(len(groups))]  # fmt: skip
        assert sum(one.num_requests for one in loads) == plan.num_requests
        engines = play(CASE, groups, dials, None, known)
        ttft = np.concatenate([one.run.ttft_ns for one in engines]) / 1e6
        assert loss.outcome.p99_ms == float(np.percentile(ttft, 99))
        met = all_verdicts(engines, CASE.slo)
        assert loss.num_late == (~met).sum()


def test_the_verdict_holds_for_every_loss(plan):
    wanted = CASE.slo.share
    outcomes = [plan.outcome, *(loss.outcome for loss in plan.losses)]
    assert plan.is_met == all(one.share >= wanted for one in outcomes)
    assert plan.is_met
    (note,) = (note for note in plan.notes if "each loss" in note)
    assert "no tenant misses the SLO" in note


def test_no_fewer_engines_would_do():
    """A plain loop over numbers finds no smaller plan that survives."""
    case = a_case(6, rate=150, seconds=10, slo_ms=300)
    search = Search(case, spare=1)
    least = fewest_engines(search, 8).num_engines
    found = fewest_with_spare(search, least, 8)
    num = found.tried.num_engines
    assert least >= 2 and num > least
    assert found.worst_share >= search.wanted
    for fewer in range(least, num):
        one = fewest_with_spare(search, fewer, fewer)
        assert one.worst_share < search.wanted


def test_a_promise_that_a_loss_breaks_is_not_kept():
    """Two engines are enough for this load, but one is not."""
    hot = a_case(6, rate=150, seconds=10, slo_ms=300)
    alone = make_plan(hot, num_engines=2)
    assert alone.is_met and not alone.losses and not alone.spare
    plan = make_plan(hot, num_engines=2, spare=1)
    assert not plan.is_met
    assert max(loss.num_late for loss in plan.losses) > 0
    (note,) = (note for note in plan.notes if "each loss" in note)
    assert "miss" in note and "no tenant misses" not in note


def test_one_tenant_with_a_spare_is_on_two_engines():
    plan = make_plan(a_case(1, rate=2, seconds=30), spare=1)
    assert plan.is_met and len(plan.engines) == 2
    assert [numbers(engine) for engine in plan.engines] == [[[0], []]] * 2
    assert any("must fit on another" in note for note in plan.notes)


def test_wide_ranks_are_taken_over_by_engines_that_can():
    case = a_case(
        12, rate=3, seconds=60, card_gib=23.63, ranks=[16] * 10 + [64] * 2
    )
    plan = make_plan(case, num_engines=3, spare=1)
    for engine in plan.engines:
        wide = [one for one in engine.known if one.rank == 64]
        assert engine.setting.max_lora_rank == (64 if wide else 16)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"spare": 2}, "spare is 2"),
        ({"spare": 1, "num_engines": 1}, "num_engines is 1: with the only"),
        ({"spare": 1, "max_engines": 1}, "max_engines is 1: with the only"),
        ({"num_engines": 0}, "num_engines is 0"),
    ],
)
def test_what_cannot_be_is_a_sentence(more, said):
    with pytest.raises(ValueError, match=said):
        make_plan(CASE, **more)
