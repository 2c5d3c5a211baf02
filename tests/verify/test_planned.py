"""The traffic that is sent is the plan's, as far as the plan holds it."""

import numpy as np
import pytest

from live_plans import one_engine, setting
from multilora.plan.answer import Outcome, Slo, Tenant
from multilora.verify.measured import verdict
from multilora.verify.planned import planned_limits, planned_traffic
from multilora.verify.sent import Sent

OUTCOME = Outcome(
    p50_ms=40, p99_ms=90, gap_ms=12, share=1, hit_rate=0.9, busy=0.5,
    num_slot_loads=1, num_disk_loads=0,
)  # fmt: skip
RATES = {"often": 5.0, "rare": 0.5, "never": 0.0, "(base)": 1.0}
MEANS = {"often": (40, 9), "rare": (300, 1), "never": (0, 0), "(base)": (9, 9)}


def plan(rates=RATES, max_model_len=1024):
    tenants = tuple(
        Tenant(
            name=name, rank=0 if name == "(base)" else 8, num_requests=6,
            requests_per_s=rate, mean_prompt_tokens=MEANS[name][0],
            mean_output_tokens=MEANS[name][1], p50_ms=40, p99_ms=90,
            gap_ms=12, meets_slo=True,
        )
        for name, rate in rates.items()
    )  # fmt: skip
    made = one_engine("base", tenants, setting(), OUTCOME, 500, 300, 6)
    return made.model_copy(update={"max_model_len": max_model_len})


def test_rates_and_lengths_are_each_tenant_s():
    traffic = planned_traffic(plan(), 1, 2000, 100_000)
    load = traffic.workload
    names = [one.name for one in traffic.tenants]
    assert names == ["often", "rare", "(base)"]
    for place, name in enumerate(names):
        is_theirs = traffic.places == place
        rate, (prompt, output) = RATES[name], MEANS[name]
        assert is_theirs.sum() / 2000 == pytest.approx(rate, rel=0.1)
        found = load.prompt_tokens[is_theirs].mean()
        assert found == pytest.approx(prompt, rel=0.1)
        found = load.output_tokens[is_theirs].mean()
        assert found == pytest.approx(output, rel=0.1)
    is_base = traffic.places == names.index("(base)")
    assert (load.adapter_ids[is_base] == -1).all()
    assert (load.adapter_ids[~is_base] == traffic.places[~is_base]).all()


def test_no_request_is_longer_than_the_model_takes():
    load = planned_traffic(plan(max_model_len=64), 1, 500).workload
    assert (load.prompt_tokens + load.output_tokens).max() <= 64
    assert load.prompt_tokens.min() == 1
    tiny = planned_traffic(plan(max_model_len=1), 1, 100).workload
    assert tiny.prompt_tokens.max() == tiny.output_tokens.max() == 1


def test_more_requests_than_allowed_make_it_shorter_not_thinner():
    traffic = planned_traffic(plan(), 1, 1000, 65)
    assert 40 < traffic.workload.num_requests <= 65
    assert traffic.seconds == pytest.approx(10, rel=0.3)
    huge = planned_traffic(plan({"often": 1e9}), 1, 1000, 50)
    assert huge.workload.num_requests <= 50


def test_an_engine_that_nobody_asks_is_an_error():
    with pytest.raises(ValueError, match="seconds is 60, in which engine 1"):
        planned_traffic(plan({"never": 0.0}))
    with pytest.raises(ValueError, match="number is 2"):
        planned_limits(plan(), 2)


def judged(ttft_ms, slo=None, failed=()):
    traffic = planned_traffic(plan(), 1, 20, seed=3)
    num = traffic.workload.num_requests
    times = np.array([ttft_ms.get(p, 50.0) for p in traffic.places])
    times[list(failed)] = np.nan
    gaps = np.where(traffic.workload.output_tokens > 1, 10.0, np.nan)
    sent = Sent(times, gaps, ("",) * num, 20)
    engine = plan().engines[0]
    return verdict(traffic, sent, engine, slo or Slo())


def test_a_tenant_s_p99_is_theirs_alone():
    found = judged({1: 900.0})
    assert found.rows[0].planned.name == "rare"
    assert found.rows[0].times.p99_ms == pytest.approx(900)
    assert [row.meets_slo for row in found.rows] == [False, True, True]
    assert found.share == 0.5 and not found.is_met and found.was_met
    assert judged({1: 900.0}, Slo(share=0.5)).is_met


def test_the_base_s_own_requests_are_no_tenant():
    assert judged({2: 900.0}).is_met


def test_gaps_and_failures_count():
    assert judged({}).is_met and judged({}).is_agreed
    assert judged({}, Slo(itl_ms=11)).is_met
    assert not judged({}, Slo(itl_ms=9)).is_met
    one = judged({}, failed=[0])
    assert one.num_failed == 1 and not one.is_met
