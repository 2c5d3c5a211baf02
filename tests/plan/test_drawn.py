"""Traffic that is drawn: its rate, its shape, its lengths."""

import numpy as np
import pytest

from multilora.plan.drawn import SHAPES, drawn_workload


@pytest.mark.parametrize("shape", SHAPES)
def test_rate_and_lengths_are_those_that_were_asked_for(shape):
    load = drawn_workload(shape, 40, 5, 60, 300, 100)
    assert load.num_requests == pytest.approx(18_000, rel=0.1)
    assert load.prompt_tokens.mean() == pytest.approx(300, rel=0.05)
    assert load.output_tokens.mean() == pytest.approx(100, rel=0.05)
    assert load.num_adapters == 40


def test_shapes_differ_in_who_asks():
    shares = {}
    for shape in ("uniform", "zipf", "80/20"):
        ids = drawn_workload(shape, 40, 10).adapter_ids
        counts = np.sort(np.bincount(ids, minlength=40))[::-1]
        shares[shape] = counts[:8].sum() / counts.sum()
    assert shares["uniform"] == pytest.approx(0.2, abs=0.02)
    assert shares["80/20"] == pytest.approx(0.8, abs=0.02)
    assert shares["uniform"] < shares["zipf"] < shares["80/20"]


def test_bursts_clump():
    def cv(shape):
        load = drawn_workload(shape, 1, 5)
        gaps = np.diff(load.arrival_ns)
        return gaps.std() / gaps.mean()

    assert cv("zipf") == pytest.approx(1, abs=0.1)
    assert cv("bursty") > 2 * cv("zipf")


@pytest.mark.parametrize("shape", SHAPES)
def test_one_tenant_is_traffic_too(shape):
    assert drawn_workload(shape, 1, 1, 10).num_adapters == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"shape": "round"}, "shape is 'round'"),
        ({"num_tenants": 0}, "num_tenants is 0"),
        ({"rate": 0}, "rate is 0"),
        ({"rate": 1e5, "minutes": 600}, "must make at most"),
        ({"rate": 1e-6, "minutes": 1}, "no request was drawn"),
        ({"prompt_tokens": 0}, "prompt_tokens is 0"),
    ],
)
def test_what_cannot_be_drawn_is_named(change, said):
    asked = {"shape": "zipf", "num_tenants": 4, "rate": 1.0} | change
    with pytest.raises(ValueError, match=said):
        drawn_workload(**asked)
