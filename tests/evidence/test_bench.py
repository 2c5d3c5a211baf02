"""`make bench` in short: everything it runs, small, equality and no times."""

import numpy as np
import pytest

from multilora import traffic

pytestmark = pytest.mark.peers
NEEDS = "needs numba, libcachesim and SimPy: make test-peers"
curves, growth, peer_caches, simulations = (
    pytest.importorskip(name, reason=NEEDS)
    for name in ("curves", "growth", "peer_caches", "simulations")
)


@pytest.mark.parametrize("num_adapters", [1, 7, 300])
def test_libcachesim_and_both_engines_count_the_same_hits(
    tmp_path, num_adapters
):
    trace = traffic.zipf(20_000, num_adapters)
    path = tmp_path / "trace.bin"
    peer_caches.write_trace(path, trace)
    slots = curves.slot_counts(num_adapters)
    curves.require_equal(
        trace, num_adapters, peer_caches.open_trace(path), slots
    )


def test_a_wrong_count_stops_the_benchmark_of_curves(tmp_path):
    trace = traffic.zipf(5_000, 20)
    path = tmp_path / "trace.bin"
    peer_caches.write_trace(path, traffic.cyclic(5_000, 20))
    with pytest.raises(AssertionError):
        curves.require_equal(trace, 20, peer_caches.open_trace(path), [1, 5])


@pytest.mark.parametrize("kind", simulations.KINDS)
def test_simpy_and_both_engines_serve_alike(kind):
    simulations.require_equal(*simulations.drawn(kind, 1_500))


def test_a_wrong_first_token_stops_the_benchmark_of_simulators(monkeypatch):
    workload, limits = simulations.drawn("light", 200)
    admitted, first, finished = simulations.in_simpy(workload, limits)
    monkeypatch.setattr(
        simulations, "in_simpy", lambda *_: (admitted, first + 1, finished)
    )
    with pytest.raises(AssertionError, match="first_token"):
        simulations.require_equal(workload, limits)


def test_the_slot_counts_are_fifteen_from_one_to_all():
    counts = curves.slot_counts()
    assert len(counts) == 15 and counts[0] == 1 and counts[-1] == 1000
    assert counts == sorted(counts)


def test_an_exponent_is_the_slope_of_a_power_law():
    points = np.array([1, 2, 5, 30])
    assert growth.exponent(points, 3 * points**1.5) == pytest.approx(1.5)
    assert growth.exponent(points, np.ones(4)) == pytest.approx(0)


def test_every_series_of_growth_runs_and_starts_at_one():
    rows = growth.growth_rows(num_rounds=1, scale=0.002)
    assert {row["over"] for row in rows} == {"requests", "adapters", "slots"}
    for row in rows:
        assert len(row["ratios"]) == len(row["points"])
        assert row["ratios"][0] == 1
