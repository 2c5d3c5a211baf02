"""What no run is given: it would break an engine, or is named."""

import numpy as np
import pytest

from multilora.cache.fast import has_numba
from multilora.serving.cost import step_cost
from multilora.serving.diagnosis import late_by_cause
from multilora.serving.limits import engine_limits
from multilora.serving.run import serve
from multilora.serving.workload import geometric_tokens, make_workload


def changed(run_part, **columns):
    return run_part._replace(**columns)


LIMITS = engine_limits(2)
WORK = make_workload([0.0], [0])
PAIR = make_workload([0.0, 1.0], [0, 1])
SLOW = step_cost(10, 0.05, 10, 0.01, 3, 100)
SLOWEST = step_cost(60_000, 0, 0, 0, 60_000, 60_000)


@pytest.mark.parametrize(
    "engine", ["plain", pytest.param("numba", marks=pytest.mark.peers)]
)
@pytest.mark.parametrize(
    ("workload", "limits", "cost", "named"),
    [
        (changed(PAIR, adapter_ids=np.array([0, 5])), LIMITS, None,
         "adapter_ids of workload holds 0 to 5"),
        (changed(PAIR, arrival_ns=PAIR.arrival_ns[::-1]), LIMITS, None,
         "arrival_ns of workload goes down"),
        (changed(PAIR, output_tokens=np.array([0, 1])), LIMITS, None,
         "output_tokens of workload holds 0"),
        (changed(PAIR, output_tokens=np.array([1])), LIMITS, None,
         "output_tokens of workload has shape"),
        (PAIR, changed(LIMITS, max_loras=0), None, "max_loras is 0"),
        (PAIR, changed(LIMITS, walk="ideal"), None, "walk is 'ideal'"),
        (PAIR, LIMITS, changed(SLOW, step_ns=0), "step_ns of cost is 0"),
        (make_workload([0.0], [0], 10**6, 2),
         engine_limits(1, max_num_batched_tokens=10**6), SLOW,
         "cost makes a step of up to"),
        (make_workload([0.0] * 600, np.arange(600) % 2, 1, 10**6),
         engine_limits(1, 300), SLOWEST, "cost makes a step of up to"),
        (make_workload([0.0] * 200, np.arange(200), 1, 10**6),
         engine_limits(1, 1), SLOWEST, "workload takes longer than 2"),
    ],
)  # fmt: skip
def test_no_engine_is_given_what_would_break_it(
    workload, limits, cost, named, engine
):
    """A segmentation fault, an endless loop, a negative time: all were."""
    if engine == "numba" and not has_numba():
        pytest.skip("needs numba: make test-peers")
    with pytest.raises(ValueError, match=named):
        serve(workload, limits, cost, engine)


@pytest.mark.parametrize(
    ("function", "arguments", "named"),
    [
        (make_workload, ([], []), "times_s is"),
        (make_workload, (["a"], [0]), "times_s is"),
        (make_workload, ([-1.0], [0]), "times_s holds"),
        (make_workload, ([np.nan], [0]), "times_s holds"),
        (make_workload, ([0.0], [-2]), "adapter_ids holds"),
        (make_workload, ([0.0], [0.5]), "adapter_ids is"),
        (make_workload, ([0.0], [0, 1]), "adapter_ids has shape"),
        (make_workload, ([0.0], [0], 0), "prompt_tokens holds"),
        (make_workload, ([0.0], [0], 1, 0), "output_tokens holds"),
        (make_workload, ([0.0], [3], 1, 1, 3), "num_adapters is 3"),
        (engine_limits, (0,), "max_loras is 0"),
        (engine_limits, (2, 256, 100), "max_num_batched_tokens is 100"),
        (engine_limits, (2, 256, 8192, 1), "max_cpu_loras is 1"),
        (engine_limits, (2, 256, 8192, 2, "ideal"), "walk is 'ideal'"),
        (step_cost, (0, 0, 0, 0, 0, 0), "step_ms"),
        (step_cost, (1, -1, 0, 0, 0, 0), "seq_ms is -1"),
        (make_workload, (np.ma.array([0.0]), [0]), "times_s is a Masked"),
        (make_workload, ([0.0], np.array([2**64 - 1], "u8")),
         "adapter_ids holds 18446744073709551615"),
        (serve, (WORK, 8), "limits is 8"),
        (serve, ([1], LIMITS), "workload is"),
        (serve, (WORK, LIMITS, 3), "cost is 3"),
        (serve, (WORK, LIMITS, None, "gpu"), "engine is 'gpu'"),
        (late_by_cause, (serve(WORK, LIMITS), 0), "slo_ms is 0"),
        (geometric_tokens, (5, 0.5), "mean is 0.5"),
    ],
)  # fmt: skip
def test_bad_input_is_named(function, arguments, named):
    with pytest.raises((ValueError, TypeError), match=named):
        function(*arguments)
