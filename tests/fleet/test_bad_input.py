"""Wrong arguments of a fleet's functions work or are named."""

from bad_input import each_wrong_value
from multilora.fleet import (
    backups,
    bound,
    events,
    first_fit,
    flow,
    homes,
    loads,
    moves,
    placement,
    play,
    ranks,
    replicas,
    residency,
    runs,
    scenes,
    sizing,
    tables,
    turns,
)
from multilora.serving.limits import engine_limits
from multilora.serving.workload import make_workload

TWO = [[0], [1]]
LIMITS = engine_limits(2, 8, 64)
WORKLOAD = make_workload([0, 1], [0, 1], 5, 5)


def one_engine(workload, limits, cost):
    return play.serve_fleet(workload, limits, cost, num_engines=1)


RATES = [2.0, 1.0]
RUN = runs.played(RATES, 2, "round_robin", duration_s=5.0)

GOOD = {
    sizing.load_by_hour: (5, 0.5, 2, 0.1),
    sizing.engines_under_load: (5, 2, [1.0]),
    sizing.merged_bytes: (5, 5),
    sizing.shared_bytes: (5, 5, 5),
    placement.balanced: ([1, 2], 2),
    placement.by_rank: ([1, 2], [8, 16], 2),
    homes.engine_lists: (TWO, 2),
    homes.homes_of: (TWO,),
    homes.num_moves: (TWO, TWO, 2),
    loads.engine_loads: (TWO, [1, 2], 2),
    ranks.may_serve: ([8, 16], [16, 16]),
    ranks.ranks_needed: (TWO, [8, 16], 2),
    ranks.rank_classes: ([8, 16],),
    first_fit.first_fit: ([1, 2], 2, 2.0),
    first_fit.first_fit_by_rank: ([1, 2], [8, 16], 2, 2.0),
    replicas.replicas_needed: (2.5, 0.2),
    replicas.replicas: ([1, 2], 4, 1.0, 1),
    turns.in_turn: ([1, 2], [1, 2], 2, 2),
    flow.split: ([1, 2], 4),
    flow.fewest_moves: (TWO, [1, 2], 2, 2),
    moves.moves_by_capacity: ([1, 2], TWO, 2, [2.0]),
    bound.least_loads_in_order: ([0, 1], 2),
    bound.least_loads: ([0, 1], [0, 1], 2, 1.0),
    bound.least_busiest: ([1, 2], 2),
    backups.backups: (TWO, [1, 2], 2),
    backups.load_after_loss: (TWO, [1, 0], [1, 2], 0, 2),
    backups.homes_after_loss: (TWO, [1, 0], 0, 2),
    events.check_events: ([events.Joins(1.0)], 1, 2),
    one_engine: (WORKLOAD, LIMITS, None),
    scenes.zipf_rates: (3, 2.0, 1.0),
    scenes.hot_rates: (2.5,),
    scenes.morning_rates: (3, 0.25),
    scenes.traffic_of: (RATES, 5.0, 0),
    scenes.replica_homes: (RATES, 2, 1.0, 2),
    scenes.spread_homes: (RATES, 2),
    scenes.check_rates: (RATES,),
    runs.played: (RATES, 2, "random", 2),
    runs.zipf_run: (3, 2, "random", 2.0, 1.0),
    runs.prefix_run: ("llm-d-default", 0.5),
    runs.hot_run: (3, 8, 0.2),
    runs.death_run: ("random", 2.0, 12.0, 24.0),
    runs.newcomer_run: ((0,), "random"),
    runs.alone_p99_ms: (2.0, 2),
    runs.fewest_played: (RATES, "random", [1], 1),
    tables.fleet_row: ("a", RUN),
    tables.fleet_lines: ({"a": RUN},),
    tables.tenant_p99_ms: (RUN,),
    tables.outcomes: (RUN, 1.0),
    tables.placement: (TWO, [1, 2], 2),
    tables.in_flight_by_second: (RUN, [1.0]),
    tables.requests_by_engine: (RUN, 1),
    tables.ttft_by_second: (RUN, [0.0, 1.0]),
    residency.one_request: ([1.0],),
    residency.blindness: (2.0, 4),
}

test_each_wrong_value_works_or_is_named = each_wrong_value(GOOD)
