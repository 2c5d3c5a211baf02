"""Wrong arguments of what was published and predicted work or are named."""

from bad_input import each_wrong_value
from cases import a_case
from multilora.evidence import (
    dials,
    fleet_claims,
    fleet_rates,
    fleet_routed,
    fleet_setups,
    formula,
    hours_file,
    hours_play,
    hours_score,
    ladder,
    predicted,
    price,
)
from multilora.plan.make import make_plan
from multilora.serving.terms import step_terms
from multilora.serving.workload import make_workload

HOUR = hours_file.Hour(
    "Qwen2.5-7B", 8, 16, (0.5,), (4,), 2.0, 4, 20.0, 10.0, 40.0, 90.0, 15.0,
    0.1, 1.0,
)  # fmt: skip
TERMS = step_terms(HOUR.model)
PLAYED = hours_play.play_hour(HOUR, TERMS, "plain")
SCORE = hours_score.score([HOUR], [PLAYED])
ASKED = make_workload([0, 1], [0, 1], 5, 5)
RULE = ["round_robin"]
CASE = a_case(2, seconds=20)
PLAN = make_plan(CASE)
GOOD = {
    fleet_claims.fleet_claim: ("dlora-11",),
    fleet_rates.queueing_s: (fleet_setups.play_rule(ASKED, 2, 1, "random"),),
    fleet_rates.dlora_rates: (1, 1024.0, 0.0, 10.0),
    fleet_setups.poisson_workload: ([2.0, 1.0], 2.0, 20.0),
    fleet_setups.play_rule: (ASKED, 2, 1, "round_robin"),
    fleet_routed.routed: (ASKED, 2, 1, RULE),
    fleet_routed.gie_table: (20.0, 2.0, RULE),
    fleet_routed.blis_table: (2, 10.0, 2.0, RULE),
    formula.repeated: (ASKED, 4),
    formula.example_case: (40, 79.1, 1000.0),
    formula.beside_the_formula: (CASE, PLAN, 8),
    formula.least_load: (CASE, PLAN),
    formula.reason: (CASE, PLAN, 8),
    dials.dial_table: ("seats full", 0),
    dials.dial_lines: ("seats full", 0),
    hours_score.part_of: ([HOUR], "fitted"),
    hours_score.play_hours: ([HOUR], "plain", 0),
    hours_score.score: ([HOUR], [PLAYED]),
    hours_play.hour_workload: (HOUR, 0),
    hours_play.hour_limits: (HOUR,),
    hours_play.play_hour: (HOUR, TERMS, "plain", 0),
    predicted.reported_run: (8, 16, 0.01),
    ladder.ladder_table: ("sql",),
    price.price_range: ("time added",),
}

test_each_wrong_value_works_or_is_named = each_wrong_value(GOOD)
