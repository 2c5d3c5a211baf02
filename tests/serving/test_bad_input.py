"""Wrong arguments of the simulated engine work or are named."""

from bad_input import each_wrong_value
from made_calibration import CALIBRATION
from multilora.logs.read import example_log_path, read_log
from multilora.serving import (
    address,
    budget,
    calibration,
    client,
    cost,
    cost_words,
    diagnosis,
    fitting,
    limits,
    logged,
    nnls,
    parts,
    prediction,
    probes,
    run,
    served,
    steps,
    term_words,
    terms,
    timed,
    workload,
    worst,
)

LOG = read_log(example_log_path())
JOB = steps.Job("a", 1, 0, 1)
STEP = steps.Step(0, ["a"], [], ["a"], 1)
SERVED = run.serve(
    workload.make_workload([0.0], [0]), limits.engine_limits(2), engine="plain"
)
STEP_OF_10_MS = timed.TimedStep("alone", 10.0, 0, 1, 0)
GOOD = {
    budget.plan_step: ([budget.Sequence("a", 1, 1)], [], 2, 3, 4),
    workload.make_workload: ([0.0, 1.0], [0, -1], 5, 6, 3),
    workload.geometric_tokens: (5, 3.0, 9, 0),
    limits.engine_limits: (2, 3, 4, 5, "one by one", 6, 16, 0.1),
    cost.step_cost: (1.0, 1.0, 1.0, 0.1, 1.0, 1.0),
    terms.step_terms: ("Qwen2.5-7B",),
    terms.fitted_cost: (2, 16, "Qwen2.5-7B"),
    cost_words.cost_rows: (SERVED[2],),
    term_words.term_lines: ("Qwen2.5-7B",),
    run.serve: (SERVED[0], SERVED[1], None, "plain", 0, [0]),
    diagnosis.late_by_cause: (SERVED, 5.0),
    diagnosis.causes_ns: (SERVED,),
    diagnosis.tenant_table: (SERVED,),
    steps.simulate: ([JOB], 2, 3),
    steps.steps_waited: ([JOB], [STEP]),
    steps.hot_and_cold: (5, 2, 3),
    steps.first_token_ms: ([1, 2], 2, 1.0, 1.0),
    address.checked_address: ("http://localhost:8000/v1",),
    address.checked_key: ("sesame",),
    calibration.check_calibration: (CALIBRATION,),
    client.Client: ("http://localhost:8000", 5, 1.0, 1.0),
    fitting.fit_cost: ([STEP_OF_10_MS],),
    nnls.nonnegative_least_squares: ([[1.0]], [1.0]),
    prediction.predict: (CALIBRATION, SERVED[0], SERVED[1], [0], "plain", 0),
    probes.lengths: ((1, 9), (8, 9), 99),
    logged.log_workload: (LOG,),
    parts.percentile_of_parts: ([1.0, 2.0], [0, 1], 50),
    worst.worst_tenants: (SERVED, 5.0, 3),
    worst.worst_minute: (SERVED, 5.0),
    served.checked_adapters: (["a", "b"],),
}

test_each_wrong_value_works_or_is_named = each_wrong_value(GOOD)
