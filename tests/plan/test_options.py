"""Rows of slots and ranks against the ledger and a readable cache."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora import tenants
from multilora.adapters.check import check_adapter
from multilora.cache.policies import lru_hits
from multilora.memory.ledger import memory_ledger
from multilora.models.shapes import ModelShape
from multilora.models.shipped import model_shape
from multilora.plan import options as plan

LLAMA = model_shape("Llama-3.1-8B")
TRACES = st.lists(st.integers(-1, 6), min_size=1, max_size=60).filter(
    lambda trace: max(trace) >= 0
)


@given(TRACES, st.sampled_from([17, 24, 80]), st.sampled_from([8, 64]))
def test_a_row_is_the_ledger_and_the_readable_cache(trace, card, rank):
    """Each count's bytes and hits, one at a time, by other functions."""
    ids = [a for a in trace if a >= 0]
    rows = plan.slot_options(LLAMA, card, trace, rank)
    assert [row.max_loras for row in rows] == list(range(1, len(set(ids)) + 1))
    for row in rows:
        ledger = memory_ledger(LLAMA, card, row.max_loras, rank)
        assert row.slot_bytes == ledger.slot_bytes
        assert row.kv_tokens == ledger.kv_tokens
        assert row.can_start == ledger.can_start
        hits = lru_hits(ids, row.max_loras)
        assert math.isclose(row.hit_rate, hits / len(ids), abs_tol=1e-12)
        assert math.isclose(row.loads_per_request, 1 - hits / len(ids),
                            abs_tol=1e-12)  # fmt: skip
        assert row.uniform_rate == row.max_loras / len(set(ids))


@given(TRACES)
def test_more_slots_never_hit_less_and_never_leave_more_room(trace):
    rows = plan.slot_options(LLAMA, 24, trace, 64, range(1, 30))
    for few, many in pairwise(rows):
        assert few.hit_rate <= many.hit_rate
        assert few.kv_tokens >= many.kv_tokens
        assert few.slot_bytes < many.slot_bytes
        assert few.uniform_rate <= many.uniform_rate <= 1


def test_counts_are_sorted_and_arguments_reach_the_ledger():
    rows = plan.slot_options(
        LLAMA, 24, [0, 1, 0], 16, [8, 2, 2],
        target_modules=["q_proj"], gpu_memory_utilization=0.8,
    )  # fmt: skip
    assert [row.max_loras for row in rows] == [2, 8]
    ledger = memory_ledger(LLAMA, 24, 8, 16, 0.8, target_modules=["q_proj"])
    assert rows[1].kv_tokens == ledger.kv_tokens
    assert rows[1].slot_bytes == ledger.slot_bytes
    assert len(plan.slot_options(LLAMA, 24, range(1100))) == plan.MAX_SLOTS


@given(st.lists(st.integers(1, 512), min_size=1, max_size=30))
def test_ranks_are_rounded_up_to_sizes_of_slots(ranks):
    rows = plan.rank_options(LLAMA, 80, ranks, 4)
    sizes = (1, 8, 16, 32, 64, 128, 256, 320, 512)
    assert rows[-1].num_served == len(ranks)
    assert rows[-1].max_lora_rank >= max(ranks)
    for row in rows:
        assert row.max_lora_rank in sizes
        below = sizes[: sizes.index(row.max_lora_rank)]
        assert any(max(below, default=0) < r <= row.max_lora_rank
                   for r in ranks)  # fmt: skip
        assert row.num_served == sum(r <= row.max_lora_rank for r in ranks)
        ledger = memory_ledger(LLAMA, 80, 4, row.max_lora_rank)
        assert row.slot_bytes == ledger.slot_bytes
        assert (row.kv_tokens, row.can_start) == (
            ledger.kv_tokens, ledger.can_start,
        )  # fmt: skip


def test_one_tenant_of_rank_64_makes_every_slot_four_times_as_large():
    small, large = plan.rank_options(LLAMA, 24, [16] * 39 + [64], 8)
    assert (small.num_served, large.num_served) == (39, 40)
    assert large.slot_bytes == 4 * small.slot_bytes
    (one,) = plan.rank_options(LLAMA, 24, [16], 8, target_modules=["q_proj"])
    ledger = memory_ledger(LLAMA, 24, 8, 16, target_modules=["q_proj"])
    assert one.slot_bytes == ledger.slot_bytes


def test_a_start_takes_a_longest_request_in_blocks_and_one_block_more():
    assert plan.kv_tokens_to_start(1) == 32
    assert plan.kv_tokens_to_start(16) == 32
    assert plan.kv_tokens_to_start(8192) == 8208
    assert plan.kv_tokens_to_start(8193) == 8224


def test_a_copy_in_the_cpu_tier_is_an_adapter_and_no_slot():
    """Its own rank, its own modules, the engine's dtype."""
    assert plan.cpu_tier_bytes(LLAMA, 1, 16) == 80 * 2**20
    assert plan.cpu_tier_bytes(LLAMA, 40, 8) == 40 * 40 * 2**20
    some = plan.cpu_tier_bytes(LLAMA, 1, 16, ["q_proj", "v_proj"], "float32")
    assert some == 4 * 16 * 32 * (2 * 4096 + 4096 + 1024)


def test_a_files_tensors_are_what_the_cpu_tier_holds_of_it():
    """Our tenant's file is float32, and so is the engine here."""
    shape = ModelShape.from_config(tenants.folder_of("base"))
    facts = check_adapter(tenants.folder_of("sql"), shape, 16)
    ours = plan.cpu_tier_bytes(
        shape, 1, facts.rank, facts.target_modules, "float32"
    )
    assert ours == facts.num_bytes


BAD = [
    (lambda: plan.slot_options(LLAMA, math.nan, [0]), "card_gib is nan"),
    (lambda: plan.slot_options(LLAMA, 24, []), "trace"),
    (lambda: plan.slot_options(LLAMA, 24, [-1]), "trace"),
    (lambda: plan.slot_options(LLAMA, 24, [0], 24),
     "max_lora_rank in vLLM 0.32.0 is 24"),
    (lambda: plan.slot_options(LLAMA, 24, [0], 16, []), "slot_counts is"),
    (lambda: plan.slot_options(LLAMA, 24, [0], 16, [0]), "slot_counts is 0"),
    (lambda: plan.rank_options(LLAMA, 24, [], 8), "ranks is empty"),
    (lambda: plan.rank_options(LLAMA, 24, [513], 8), "ranks is 513"),
    (lambda: plan.rank_options(LLAMA, 24, [8], 0), "max_loras is 0"),
    (lambda: plan.kv_tokens_to_start(0), "max_model_len is 0"),
    (lambda: plan.rank_options(LLAMA, 24, [8], 1, vllm_version="1"),
     "vllm_version is '1'"),
    (lambda: plan.cpu_tier_bytes(LLAMA, 0, 16), "num_adapters is 0"),
    (lambda: plan.cpu_tier_bytes(LLAMA, 1, 0), "rank is 0"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "said"), BAD)
def test_bad_input_is_named(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_what_is_no_count_is_a_type_error():
    with pytest.raises(TypeError, match="slot_counts is 'all'"):
        plan.slot_options(LLAMA, 24, [0], 16, "all")
    # None is an engine without LoRA to the ledger, and has no ranks.
    with pytest.raises(TypeError, match="max_loras is None"):
        plan.rank_options(LLAMA, 24, [8], None)
