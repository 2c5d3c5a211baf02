"""A prediction is serve's percentile, between a quicker and a slower one."""

import numpy as np
import pytest

from made_calibration import CALIBRATION
from multilora.serving.limits import engine_limits
from multilora.serving.prediction import predict
from multilora.serving.run import serve
from multilora.serving.workload import make_workload


def workload(rate, num=300):
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.exponential(1 / rate, num))
    return make_workload(times, rng.integers(0, 4, num), 64, 16)


def test_the_middle_is_serve_s_and_the_ends_are_the_drift_s():
    load = workload(4)
    found = predict(CALIBRATION, load)
    run = serve(load, CALIBRATION.limits, CALIBRATION.cost)
    assert found.p50_ms.middle == np.percentile(run.ttft_ns, 50) / 1e6
    assert found.busy == run.utilisation["busy"]
    assert found.num_slot_loads == run.trace.totals.num_slot_loads
    for interval in (found.p50_ms, found.p99_ms):
        assert interval.low < interval.middle < interval.high
    quick = predict(CALIBRATION._replace(drift=1 / 1.08), load)
    assert quick == found  # the same distance, whichever way
    still = predict(CALIBRATION._replace(drift=1.0), load)
    assert still.p99_ms.low == still.p99_ms.high == found.p99_ms.middle


def test_a_busy_engine_gets_no_number():
    found = predict(CALIBRATION, workload(100))
    assert found.is_saturated and found.p50_ms is found.p99_ms is None
    assert str(found).startswith("saturated: ")
    assert "saturated" not in str(predict(CALIBRATION, workload(4)))


def test_a_machine_that_changed_is_called_so():
    assert "not steady" not in str(predict(CALIBRATION, workload(4)))
    for drift in (1.2, 0.8):
        found = predict(CALIBRATION._replace(drift=drift), workload(4))
        assert not found.is_steady
        assert "not steady" in str(found) and "p99" in str(found)


def test_limits_and_what_was_used_before_are_the_caller_s():
    load = workload(4)
    cold = predict(CALIBRATION, load)
    warm = predict(CALIBRATION, load, used_before=range(4))
    assert warm.num_disk_loads == 0 < cold.num_disk_loads
    roomy = predict(CALIBRATION, load, engine_limits(4, 8, 1024))
    assert roomy.num_slot_loads == 4
    with pytest.raises(ValueError, match="used_before"):
        predict(CALIBRATION, load, used_before=[9])


def test_a_scaled_cost_is_every_time_longer():
    cost = CALIBRATION.cost
    double = cost.scaled(2)
    assert double.compute_ns(100, 3, 2) == 2 * cost.compute_ns(100, 3, 2)
    assert double.load_ns(1, 1) == 2 * cost.load_ns(1, 1)
    assert double.seq_knee == cost.seq_knee
    with pytest.raises(ValueError, match="factor"):
        cost.scaled(0)
    with pytest.raises(ValueError, match="of cost"):
        cost.scaled(1e5)
