"""Plan and advice against plain loops over what they are made of."""

import math
import re
import shutil
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from multilora import tenants
from multilora.adapters.check import check_adapter
from multilora.adapters.misfits import make_misfit
from multilora.cache.policies import lru_hits
from multilora.figures import plan as pictures
from multilora.memory.ledger import memory_ledger
from multilora.models.shapes import ModelShape
from multilora.models.shipped import model_shape
from multilora.plan import options as plan
from multilora.plan.advice import recommend

LLAMA = model_shape("Llama-3.1-8B")
TRACES = st.lists(st.integers(-1, 6), min_size=1, max_size=60).filter(
    lambda trace: max(trace) >= 0
)


def option(max_loras, hit_rate, kv_tokens=10_000):
    """A row of a table, made by hand; uniform traffic of ten tenants."""
    can_start = kv_tokens > 0
    return plan.SlotOption(
        max_loras, 1, kv_tokens, can_start, hit_rate, max_loras / 10
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


@given(
    st.lists(
        st.tuples(st.integers(0, 20), st.floats(0, 1)), min_size=1, max_size=9
    ),
    st.floats(0, 1),
    st.integers(1, 20),
)
def test_the_advice_is_the_first_row_that_does(cells, wanted, least):
    """Against a plain loop over the rows; the best is the first with most."""
    rows = [option(n, rate, kv) for n, (kv, rate) in enumerate(cells, 1)]
    advice = recommend(rows[::-1], wanted, least)
    first = best = None
    for row in rows:
        if row.kv_tokens >= least:
            if first is None and row.hit_rate >= wanted:
                first = row
            if best is None or row.hit_rate > best.hit_rate:
                best = row
    assert advice.option == first
    assert advice.best == best
    assert advice.reason


def test_it_says_which_of_card_and_traffic_is_in_the_way():
    """A full card under skewed and uniform traffic; no room; no hits."""
    skewed = [option(1, 0.5), option(2, 0.8), option(3, 0.95, 100)]
    rows = [*skewed, option(4, 0.99, 0)]
    said = recommend(rows, 0.9, 5000).reason
    assert said == (
        "the card is full: 90.0 % takes max_loras=3, which leaves 100 KV "
        "tokens where 5,000 are wanted; max_loras=2 fits and hits 80.0 %"
    )
    uniform = [option(1, 0.1), option(2, 0.2), option(9, 0.9, 0)]
    said = recommend(uniform, 0.9).reason
    assert said.endswith("asked alike: send fewer tenants to this engine")
    none = [option(1, 0.5, 7), option(2, 0.6, 0)]
    said = recommend(none, 0.1, 8).reason
    assert said == (
        "the card is full: max_loras=1 leaves 7 KV tokens and 8 are wanted"
    )
    said = recommend([*uniform, option(10, 0.92)], 0.95).reason
    assert said == (
        "the traffic does not give it: max_loras=10, the most in the table, "
        "hits 92.0 % and 95.0 % is wanted"
    )
    said = recommend(skewed, 0.8).reason
    assert said == (
        "max_loras=2 hits 80.0 % and leaves at most 10,000 KV tokens"
    )


def test_fewer_tenants_are_advised_where_all_ask_about_alike():
    """Up to five points above uniform traffic, whose rate is 20 % here."""
    for rate, is_said in ((0.24, True), (0.26, False)):
        rows = [option(2, rate), option(9, 0.9, 0)]
        assert ("asked alike" in recommend(rows, 0.9).reason) == is_said


def test_a_short_table_does_not_accuse_the_traffic():
    """Two rows of forty tenants hit little; more slots would hit all."""
    rows = plan.slot_options(LLAMA, 80, [*range(40)] * 50, 16, [1, 2])
    said = recommend(rows, 0.9).reason
    assert said.startswith("the table ends too early: max_loras=2, its last")
    rows = plan.slot_options(LLAMA, 80, [*range(40)] * 50, 16, [1, 2, 40])
    assert recommend(rows, 0.9).option.max_loras == 40
    said = recommend(rows, 1).reason
    assert said.startswith("the traffic does not give it: max_loras=40")


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_rate_too_low_never_looks_like_the_wanted_one(one, other):
    rate, wanted = sorted([one, other])
    assume(wanted - rate > 1e-12)
    said = recommend([option(10, rate)], wanted).reason
    shown = [float(word) for word in re.findall(r"([\d.]+) %", said)]
    assert len(shown) == 2
    assert shown[0] < shown[1]
    near = recommend([option(10, 0.89998)], 0.9).reason
    assert "hits 89.998 % and 90.000 % is wanted" in near


@given(st.sampled_from([16, 64]), st.floats(0.1, 0.95))
def test_what_it_recommends_starts_and_hits_that_often(rank, wanted):
    trace = pictures.shaped_trace("zipf")
    advice = recommend(plan.slot_options(LLAMA, 24, trace, rank), wanted)
    assume(advice.option is not None)
    count = advice.option.max_loras
    assert memory_ledger(LLAMA, 24, count, rank).can_start
    assert lru_hits(trace, count) / len(trace) >= wanted
    assert count == 1 or lru_hits(trace, count - 1) / len(trace) < wanted


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
    some = plan.cpu_tier_bytes(LLAMA, 1, 16, ["q_proj", "v_proj"], 4)
    assert some == 4 * 16 * 32 * (2 * 4096 + 4096 + 1024)


def test_a_files_tensors_are_what_the_cpu_tier_holds_of_it():
    """Our tenant's file is float32, and so is the engine here."""
    shape = ModelShape.from_config(tenants.folder_of("base"))
    facts = check_adapter(tenants.folder_of("sql"), shape, 16)
    ours = plan.cpu_tier_bytes(shape, 1, facts.rank, facts.target_modules, 4)
    assert ours == facts.num_bytes


BAD = [
    (lambda: plan.slot_options(LLAMA, math.nan, [0]), "card_gib is nan"),
    (lambda: plan.slot_options(LLAMA, 24, []), "trace"),
    (lambda: plan.slot_options(LLAMA, 24, [-1]), "trace"),
    (lambda: plan.slot_options(LLAMA, 24, [0], 24), "max_lora_rank is 24"),
    (lambda: plan.slot_options(LLAMA, 24, [0], 16, []), "slot_counts is"),
    (lambda: plan.slot_options(LLAMA, 24, [0], 16, [0]), "slot_counts is 0"),
    (lambda: recommend([], 0.9), "options is empty"),
    (lambda: recommend([option(1, 1)], 1.1), "wanted_hit_rate is 1.1"),
    (lambda: recommend([option(1, 1)], math.nan), "wanted_hit_rate is"),
    (lambda: recommend([option(1, 1)], 1, 0), "min_kv_tokens is 0"),
    (lambda: plan.rank_options(LLAMA, 24, [], 8), "ranks is empty"),
    (lambda: plan.rank_options(LLAMA, 24, [513], 8), "ranks is 513"),
    (lambda: plan.rank_options(LLAMA, 24, [8], 0), "max_loras is 0"),
    (lambda: plan.kv_tokens_to_start(0), "max_model_len is 0"),
    (lambda: plan.rank_options(LLAMA, 24, [8], 1, vllm_version="1"),
     "vllm_version is '1'"),
    (lambda: plan.cpu_tier_bytes(LLAMA, 0, 16), "num_adapters is 0"),
    (lambda: plan.cpu_tier_bytes(LLAMA, 1, 0), "rank is 0"),
    (lambda: pictures.shaped_trace("weekly"), "shape is 'weekly'"),
    (lambda: pictures.late_table(pictures.restart_run(16, False), 0, 1),
     "no counted request"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "said"), BAD)
def test_bad_input_is_named(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_what_is_no_table_is_a_type_error():
    with pytest.raises(TypeError, match="options holds 3"):
        recommend([3], 0.5)
    with pytest.raises(TypeError, match="slot_counts is 'all'"):
        plan.slot_options(LLAMA, 24, [0], 16, "all")
    # None is an engine without LoRA to the ledger, and has no ranks.
    with pytest.raises(TypeError, match="max_loras is None"):
        plan.rank_options(LLAMA, 24, [8], None)


def test_a_quiet_night_and_a_job_elsewhere_are_the_same_traffic():
    """The job's requests aside, both runs serve the same arrivals."""
    (with_job, is_job), (without, none) = (
        pictures.night_run(is_job_here=here) for here in (True, False)
    )
    assert not none.any()
    kept = ~is_job
    for name in ("arrival_ns", "adapter_ids", "prompt_tokens"):
        ours, theirs = (
            getattr(run.workload, name) for run in (with_job, without)
        )
        assert (ours[kept] == theirs).all()
    at_s = with_job.workload.arrival_ns[is_job] / 1e9
    assert at_s.min() >= 120
    assert at_s.max() <= 180


def test_late_requests_are_those_above_the_limit():
    run, is_job = pictures.night_run()
    at_s = run.workload.arrival_ns / 1e9
    table = pictures.late_table(run, 120, 185, ~is_job)
    chosen = (at_s >= 120) & (at_s < 185) & ~is_job
    ttft_ms = run.ttft_ns[chosen] / 1e6
    assert sum(table["late"].values()) == (ttft_ms > pictures.SLO_MS).sum()
    p50, p99 = np.percentile(ttft_ms, [50, 99])
    assert math.isclose(table["p50_ms"], p50)
    assert math.isclose(table["p99_ms"], p99)


def test_a_warmed_engine_was_asked_once_for_each_tenant():
    cold, warm = (pictures.restart_run(40, it) for it in (False, True))
    extra = warm.workload.num_requests - cold.workload.num_requests
    assert extra == pictures.TENANTS
    assert sorted(warm.workload.adapter_ids[:extra]) == list(range(extra))
    # All are read before the first of the traffic comes.
    is_read = warm.trace.loaded_from == 2
    assert is_read[:extra].all()
    assert not is_read[extra:].any()


@pytest.mark.engine
@pytest.mark.parametrize(("dtype", "width"), [("float32", 4), ("bfloat16", 2)])
def test_vllms_cpu_tier_holds_the_bytes_that_we_say(dtype, width):
    """Own rank and modules in the engine's dtype, whatever max_lora_rank."""
    from multilora.engine.bare import BareLoRA

    bare = BareLoRA(
        tenants.folder_of("base"), 1, max_lora_rank=16, dtype=dtype,
        max_cpu_loras=4,
    )  # fmt: skip
    shape = ModelShape.from_config(tenants.folder_of("base"))
    for lora_id, name in enumerate(tenants.tenant_names(), 1):
        bare.add(tenants.folder_of(name), [lora_id])
        bare.step([lora_id])
        facts = check_adapter(tenants.folder_of(name), shape, 16)
        copy = bare.manager._registered_adapters.cache[lora_id]
        assert sum(map(_bytes, _tensors_of(copy))) == plan.cpu_tier_bytes(
            shape, 1, facts.rank, facts.target_modules, width
        )
    assert len(bare.cpu_tier) == 4


def _tensors_of(copy):
    for layer in copy.loras.values():
        for half in (layer.lora_a, layer.lora_b):
            yield from half if isinstance(half, list) else [half]


def _bytes(tensor):
    return tensor.numel() * tensor.element_size()


@pytest.mark.engine
def test_the_cpu_tier_holds_what_a_filter_keeps_out_of_the_slots():
    """An engine with slots for q_proj and o_proj keeps all seven's bytes."""
    from multilora.engine.bare import BareLoRA

    base, folder = (tenants.folder_of(name) for name in ("base", "sql"))
    bare = BareLoRA(base, 1, 16, target_modules=["q_proj", "o_proj"])
    bare.add(folder, [1])
    bare.step([1])
    copy = bare.manager._registered_adapters.cache[1]
    shape = ModelShape.from_config(base)
    facts = check_adapter(folder, shape, 16)
    assert len(facts.target_modules) == 7
    assert sum(map(_bytes, _tensors_of(copy))) == plan.cpu_tier_bytes(
        shape, 1, facts.rank, facts.target_modules, 4
    )


@pytest.mark.engine
@pytest.mark.parametrize("max_model_len", [1, 16, 17, 250, 256])
def test_vllm_starts_from_the_kv_tokens_that_we_say(max_model_len):
    """Its own check refuses one block less, so a card can be too full."""
    import torch
    from vllm.v1.core.kv_cache_utils import check_enough_kv_cache_memory
    from vllm.v1.kv_cache_interface import FullAttentionSpec

    from multilora.engine.bare import vllm_config

    config = vllm_config(
        tenants.folder_of("base"), max_loras=1, max_model_len=max_model_len
    )
    config.cache_config.kv_cache_layout = "LBNHC"  # a start's own choice
    layer = FullAttentionSpec(
        block_size=16, num_kv_heads=4, head_size=32, dtype=torch.float32
    )
    needed = plan.kv_tokens_to_start(max_model_len) // 16
    block = layer.page_size_bytes
    check_enough_kv_cache_memory(config, {"a": layer}, needed * block)
    with pytest.raises(ValueError, match=r"[Nn]o available|at least one requ"):
        check_enough_kv_cache_memory(
            config, {"a": layer}, (needed - 1) * block
        )


@pytest.mark.engine
def test_a_vanished_file_fails_in_the_step_and_not_at_the_load(tmp_path):
    """The page says why that ends a server: nobody is asked in between."""
    from vllm.exceptions import LoRAAdapterNotFoundError

    from multilora.engine.bare import BareLoRA

    folder = tmp_path / "gone"
    shutil.copytree(tenants.folder_of("sql"), folder)
    bare = BareLoRA(tenants.folder_of("base"), 1, max_lora_rank=16)
    bare.add(folder, [1])
    bare.add(tenants.folder_of("json"), [2])
    bare.step([1])
    bare.step([2])
    shutil.rmtree(folder)
    with pytest.raises(LoRAAdapterNotFoundError):
        bare.step([1])


@pytest.mark.engine
def test_nan_of_one_tenant_reaches_a_reply_of_the_base(tmp_path):
    """On the CPU build, through KV blocks that are used again."""
    from multilora import engine

    bad = make_misfit("NaN weights", tenants.folder_of("sql"), tmp_path / "x")
    with engine.start(tenants.folder_of("base"), max_loras=2) as running:

        def said(tag):
            (reply,) = running.generate(["List 3 fruits:"], [tag])
            return reply.text

        before = said(None)
        running.load("bad", bad, check=False)
        said("bad")
        assert said(None) != before
