"""Wrong arguments of caches, walks and curves work or are named."""

from bad_input import each_wrong_value
from multilora.cache import (
    cascade,
    events,
    hitrate,
    load_cost,
    load_range,
    reuse,
    slots,
    tiers,
    walks,
)
from multilora.models.shipped import model_shape

LLAMA = model_shape("Llama-2-7B")
ARRIVALS = ([0.1, 0.2], [1, 0])
GOOD = {
    slots.AdapterSlotCache: (2,),
    slots.AdapterSlotCache(2).activate: (1,),
    slots.schedule_step: ([("a", 1)], [], 2, 3),
    tiers.AdapterTiers: (2, 3),
    tiers.AdapterTiers(2).activate: (1,),
    tiers.AdapterTiers(2).activate_step: ([1, -1], "one by one"),
    walks.SetOrder: (5, 0),
    events.adapters_by_event: (ARRIVALS, 2, 2, 5.0, 3, 1.0),
    cascade.count_loads: ([events.Event(0, [1], 0)], 2, 2, "ideal", 2, 0),
    cascade.simulate_loads: (ARRIVALS, 2, 2, 5.0, 3, 1.0, "ideal", 2, 0),
    load_cost.slot_launches: (LLAMA, ["q_proj"], "0.32.0"),
    load_cost.seconds_loading: (1, 1, 1.0, 1.0),
    load_range.load_range: ("network disk",),
    hitrate.lru_hit_curve: ([1, 2], 3),
    hitrate.HitCounter("plain").add: ([1, 2],),
    hitrate.hit_rate_curve: ([1, 2], 3),
    hitrate.che_hit_curve: ([1, 2],),
    reuse.reuse_depths: ([1, 2],),
}

test_each_wrong_value_works_or_is_named = each_wrong_value(GOOD)
