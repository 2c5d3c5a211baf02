"""Every public function, every argument, every kind of wrong value.

A call either works or raises a ValueError or TypeError that names the
argument; never another error, a numpy message, a warning or a hang.
"""

import inspect
import math

import numpy as np
import pytest

from multilora import published, tenants, traffic, units
from multilora.adapters import check as adapter_check
from multilora.adapters import checkpoints
from multilora.adapters import diff as evaluation
from multilora.adapters import file as adapter_file
from multilora.cache import (
    cascade,
    events,
    hitrate,
    load_cost,
    reuse,
    slots,
    tiers,
    walks,
)
from multilora.engine.views import Reply
from multilora.evidence import ladder
from multilora.evidence import predicted as reconciled
from multilora.fleet import sizing as fleet
from multilora.matmul import lora, rounding, segments
from multilora.memory import economics, ledger, reservation
from multilora.models import shipped
from multilora.models.shapes import ModelShape
from multilora.serving import budget, diagnosis, limits, run, steps, workload
from multilora.serving import cost as serving_cost
from multilora.tenants import corpus
from multilora.traffic import arrivals

LLAMA = shipped.model_shape("Llama-2-7B")
X, W = np.ones((2, 3)), np.ones((4, 3))
A, B = np.ones((1, 3)), np.ones((4, 1))
BATCH = (X, W, [(A, B)], [0, -1], [1.0])
TWO_ROWS = segments.segments_of([-1, 0])
JOB = steps.Job("a", 1, 0, 1)
SMALL = ModelShape.from_config(tenants.folder_of("base"))
REPLY = Reply("a", None, "b", (1,), (-1.0,))
STEP = steps.Step(0, ["a"], [], ["a"], 1)
SERVED = run.serve(
    workload.make_workload([0.0], [0]), limits.engine_limits(2), engine="plain"
)

GOOD = {
    lora.lora_delta: (X, A, B, 1.0),
    lora.apply_single: (X, W, A, B, 1.0),
    lora.apply_batched: BATCH,
    lora.apply_row_by_row: BATCH,
    lora.pad_adapter: (A, B, 8),
    lora.merge_weights: (W, A, B, 1.0),
    lora.group_rows: ([0, 1], 2),
    segments.segments_of: ([0, 1],),
    segments.Segments: ([1, 0], [(-1, 0, 1), (0, 1, 2)]),
    TWO_ROWS.sort: (X,),
    TWO_ROWS.unsort: (X,),
    segments.fast_layout: (A, B),
    segments.apply_segments: (X, W, [(A, B)], TWO_ROWS, [1.0]),
    segments.apply_layers: (X, [W], [[(A, B)]], [0, -1], [1.0]),
    economics.lora_params_per_layer: (4, 4, 2),
    economics.adapter_bytes: (4, 4, 2, 4, 2),
    economics.adapters_per_gib: (4, 4, 2, 4, 2),
    economics.shrink_ratio: (100, 4, 4, 2, 4),
    economics.gpus_saved: (10, 2),
    economics.engines_needed: (10, 2),
    economics.adapter_params: (LLAMA, 8, ["q_proj"]),
    economics.adapter_file_bytes: (
        LLAMA, 8, ["q_proj"], "F32", "p.", (), "BF16",
    ),
    economics.slot_reservation_bytes: (LLAMA, 2, 8, 2, None, "0.32.0"),
    economics.kv_bytes_per_token: (LLAMA, 2),
    economics.base_flops_per_token: (LLAMA,),
    economics.delta_flops_per_token: (LLAMA, 8, ["q_proj"]),
    adapter_file.explain_file_bytes: (100, LLAMA, 8, ["q_proj"]),
    reservation.reserved_modules: (LLAMA, None, "0.32.0"),
    slots.AdapterSlotCache: (2,),
    slots.AdapterSlotCache(2).activate: (1,),
    slots.schedule_step: ([("a", 1)], [], 2, 3),
    budget.plan_step: ([budget.Sequence("a", 1, 1)], [], 2, 3, 4),
    events.adapters_by_event: (
        ([0.1, 0.2], [1, 0]), 2, 2, 5.0, 3, 1.0,
    ),
    cascade.count_loads: (
        [events.Event(0, [1], 0)], 2, 2, "ideal", 2, 0,
    ),
    reconciled.reported_run: (8, 16, 0.01),
    tiers.AdapterTiers: (2, 3),
    tiers.AdapterTiers(2).activate: (1,),
    tiers.AdapterTiers(2).activate_step: ([1, -1], "one by one"),
    walks.SetOrder: (5, 0),
    cascade.simulate_loads: (
        ([0.1, 0.2], [1, 0]), 2, 2, 5.0, 3, 1.0, "ideal", 2, 0,
    ),
    load_cost.slot_launches: (LLAMA, ["q_proj"], "0.32.0"),
    load_cost.seconds_loading: (1, 1, 1.0, 1.0),
    rounding.delta_error_bound: (X, A, B, 1.0, "float32", "float32"),
    hitrate.lru_hit_curve: ([1, 2], 3),
    hitrate.HitCounter("plain").add: ([1, 2],),
    reuse.reuse_depths: ([1, 2],),
    hitrate.hit_rate_curve: ([1, 2], 3),
    hitrate.che_hit_curve: ([1, 2],),
    traffic.uniform: (5, 5, 0),
    traffic.zipf: (5, 5, 1.0, 0),
    traffic.eighty_twenty: (5, 5, 2, 0),
    traffic.cyclic: (5, 5),
    traffic.sticky: (5, 5, 0.5, 0),
    traffic.bursts: (5, 1.0, 2.0, 0),
    traffic.poisson: (5, 1.0, 2.0, 0),
    arrivals.poisson_arrivals: ([1.0], 2.0, 0),
    arrivals.bursty_arrivals: ([1.0], 2.0, 2.0, 0),
    arrivals.diurnal_arrivals: ([1.0], 2.0, 9.0, 0.5, 1.0, 5.0, 0),
    workload.make_workload: ([0.0, 1.0], [0, -1], 5, 6, 3),
    workload.geometric_tokens: (5, 3.0, 9, 0),
    limits.engine_limits: (2, 3, 4, 5, "one by one"),
    serving_cost.step_cost: (1.0, 1.0, 1.0, 0.1, 1.0, 1.0),
    run.serve: (SERVED[0], SERVED[1], None, "plain", 0),
    diagnosis.late_by_cause: (SERVED, 5.0),
    diagnosis.causes_ns: (SERVED,),
    diagnosis.tenant_table: (SERVED,),
    steps.simulate: ([JOB], 2, 3),
    steps.steps_waited: ([JOB], [STEP]),
    steps.hot_and_cold: (5, 2, 3),
    steps.first_token_ms: ([1, 2], 2, 1.0, 1.0),
    fleet.load_by_hour: (5, 0.5, 2, 0.1),
    fleet.engines_under_load: (5, 2, [1.0]),
    fleet.merged_bytes: (5, 5),
    fleet.shared_bytes: (5, 5, 5),
    ledger.memory_ledger: (LLAMA, 24, 2, 16, 0.9, 2, None, "0.32.0"),
    ledger.kv_tokens_lost: (LLAMA, 100, 2),
    checkpoints.base_fingerprint: (tenants.folder_of("base"),),
    checkpoints.weight_files: (tenants.folder_of("base"),),
    checkpoints.tensors: (
        tenants.folder_of("base") / "model.safetensors",
    ),
    adapter_check.check_adapter: (tenants.folder_of("sql"), SMALL, 8, None),
    evaluation.eval_diff: ([REPLY], [REPLY]),
    corpus.held_out: ("invented words", 2, 1),
    tenants.folder_of: ("sql",),
    ladder.ladder_table: ("sql",),
    units.gib: (5,),
    units.mib: (5,),
    units.format_bytes: (5,),
    shipped.model_shape: ("Llama-2-7B", None),
    published.published: ("models",),
    ModelShape.from_config: (published.published("models")[0]["config"],),
}  # fmt: skip
WRONG = [
    None, -1, 0, 1.5, math.nan, math.inf, "x", True, [], {}, (), {1}, b"a",
    1 + 2j, 10**30, object(), len, [1, 2], [[1, 2], [3]], [math.nan],
    np.array([1, 2]), np.array(3), np.array(["a"]), np.float32(2.5),
    np.int64(-3), np.zeros((0, 3)),
]  # fmt: skip
# What None means where it is allowed: no LoRA, no filter, no limit, default.
OPTIONAL = {"max_loras", "target_modules", "max_num_seqs", "num_adapters",
            "num_hot", "vocab_size", "base_sha256",
            "max_cpu_loras", "cost"}  # fmt: skip
NEVER_FINE = (None, math.nan, math.inf, b"a", True, 1 + 2j, len)


def named(function, position):
    return list(inspect.signature(function).parameters)[position]


CASES = [
    (function, position)
    for function, arguments in GOOD.items()
    for position in range(len(arguments))
]


@pytest.mark.parametrize(
    ("function", "position"),
    CASES,
    ids=[f"{f.__qualname__}-{named(f, p)}" for f, p in CASES],
)
def test_each_wrong_value_works_or_is_named(function, position):
    good = GOOD[function]
    function(*good)
    name = named(function, position)
    for wrong in WRONG:
        arguments = (*good[:position], wrong, *good[position + 1 :])
        try:
            function(*arguments)
        except (ValueError, TypeError) as error:
            also = ("adapter_id", "model_type")  # inside the argument
            assert any(word in str(error) for word in (name, *also)), (
                f"{name} = {wrong!r}: {error}"
            )
        else:
            is_bad = any(wrong is value for value in NEVER_FINE)
            is_default = wrong is None and name in OPTIONAL
            assert not is_bad or is_default, f"{name} = {wrong!r} was taken"
