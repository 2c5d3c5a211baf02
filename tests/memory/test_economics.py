"""The bill: hand-worked values, public files, published start-ups."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from multilora.adapters.file import adapter_tensors, explain_file_bytes
from multilora.evidence.predicted import startup_table
from multilora.fleet.sizing import (
    engines_under_load,
    load_by_hour,
    merged_bytes,
    shared_bytes,
)
from multilora.memory import economics
from multilora.memory.ledger import kv_tokens_lost, memory_ledger
from multilora.memory.reservation import SLOT_RULES, reserved_modules
from multilora.models.shapes import ALL_LINEAR, ModelShape
from multilora.models.shipped import model_shape
from multilora.published import published
from multilora.units import GIB, MIB, format_bytes, gib, mib

ADAPTERS = published("adapters")["rows"]
TINY = ModelShape.from_config({
    "model_type": "llama", "hidden_size": 32, "intermediate_size": 48,
    "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 2, "vocab_size": 70,
})  # fmt: skip


def test_the_five_numbers():
    assert economics.lora_params_per_layer(4096, 4096, 16) == 131_072
    assert 4096**2 / 131_072 == 128
    assert economics.adapter_bytes(4096, 32, 16) == 32 * MIB
    assert economics.adapters_per_gib(4096, 32, 16) == 32
    ratio = economics.shrink_ratio(7_000_000_000, 4096, 32, 16)
    assert round(ratio) == 417
    assert economics.gpus_saved(100, 8) == 87
    assert economics.engines_needed(10**17 + 1, 1) == 10**17 + 1


def test_real_shapes_at_rank_16():
    for model, size in (("Llama-2-7B", 76.25), ("Llama-3.1-8B", 80)):
        params = economics.adapter_params(model_shape(model), 16, "all-linear")
        assert mib(2 * params) == size
    # The square formula is right for Llama-2-7B's q, k, v, o.
    attention = ["q_proj", "k_proj", "v_proj", "o_proj"]
    params = economics.adapter_params(model_shape("Llama-2-7B"), 16, attention)
    assert 2 * params == economics.adapter_bytes(4096, 32, 16)


@pytest.mark.parametrize("row", ADAPTERS, ids=lambda row: row["repository"])
def test_public_adapter_files_are_explained_to_the_byte(row):
    shape = model_shape(row["model"], row.get("vocab_size"))
    why = explain_file_bytes(
        row["file_bytes"], shape, row["rank"], row["target_modules"]
    )
    odd = {"LLMTAI": "saved in full", "Navaneeth": "saved in full",
           "VjayRam": "doubled" if row["rank"] and row["file_bytes"] > 48
           else "too small"}  # fmt: skip
    for repository, reason in odd.items():
        if repository in row["repository"]:
            assert reason in why
            return
    assert why.endswith("on disk") or why.endswith("takes")


@given(
    st.integers(1, 9),
    st.lists(st.sampled_from([*ALL_LINEAR, "embed_tokens", "lm_head"]),
             min_size=1),
    st.sampled_from(["F32", "F16"]),
    st.sampled_from([(), ("embed_tokens",), ("lm_head",)]),
)  # fmt: skip
def test_file_bytes_equal_what_safetensors_writes(
    rank, modules, dtype, in_full
):
    options = {"dtype": dtype, "saved_in_full": in_full, "full_dtype": "F16"}
    kinds = {"F32": np.float32, "F16": np.float16}
    tensors = {
        key: np.zeros(size, kinds[kind])
        for key, (kind, size) in adapter_tensors(
            TINY, rank, modules, **options
        ).items()
    }
    written = save(tensors, metadata={"format": "pt"})
    size = economics.adapter_file_bytes(TINY, rank, modules, **options)
    assert size == len(written)


def test_dtypes_go_by_either_name():
    for short, long in (("F32", "float32"), ("BF16", "bfloat16")):
        sizes = {
            economics.adapter_file_bytes(TINY, 8, "all-linear", dtype)
            for dtype in (short, long)
        }
        assert len(sizes) == 1


def test_a_file_that_nothing_explains_gets_no_story():
    assert explain_file_bytes(10**8, TINY, 8, "all-linear") is None


def test_slots_of_the_tiny_engine():
    # Read from the running engine's tensors: h=256 and so on is not needed,
    # the sum is worked by hand for three layers of TINY.
    per_layer = 64 + 2 * 48 + 64 + 2 * 80 + 80
    per_rank = 3 * per_layer + 2 * (70 + 32)
    expected = 2 * 16 * per_rank * 2
    assert economics.slot_reservation_bytes(TINY, 2, 16) == expected


def test_the_exercise_that_does_not_start():
    shape = model_shape("Llama-2-7B")
    naive = 32 * economics.adapter_bytes(4096, 32, 64)
    linear = economics.slot_reservation_bytes(
        shape, 32, 64, target_modules=ALL_LINEAR
    )
    full = economics.slot_reservation_bytes(shape, 32, 64)
    assert gib(naive) == 4.0
    assert round(gib(linear), 2) == 9.53
    assert round(gib(full), 2) == 9.81
    ledger = memory_ledger(shape, 24, 32, 64)
    assert not ledger.can_start
    assert ledger.kv_tokens == 0
    assert memory_ledger(shape, 24, 32, 32).can_start


def test_published_startups_are_reproduced_with_nothing_fitted():
    table = startup_table()
    assert len(table["measured"]) == 78
    for model, measured, predicted in zip(
        table["model"], table["measured"], table["predicted"], strict=True
    ):
        error = abs(measured / predicted - 1)
        assert error <= (0.03 if model == "Qwen2.5-7B" else 0.075)


def test_published_kv_tokens_follow_from_the_slots():
    data = published("startups")
    errors = []
    for model in ("Llama-3.1-8B", "Qwen2.5-7B"):
        shape = model_shape(model)
        rows = [row for row in data["rows"]
                if row["model"] == model and row["kv_tokens"]]  # fmt: skip
        reserved = [
            economics.slot_reservation_bytes(
                shape, row["max_loras"], row["max_lora_rank"],
                vllm_version="0.8.5",
            )
            for row in rows
        ]  # fmt: skip
        for row, size in zip(rows[1:], reserved[1:], strict=True):
            lost = rows[0]["kv_tokens"] - row["kv_tokens"]
            predicted = kv_tokens_lost(shape, max(0, size - reserved[0]))
            if lost > 0 and predicted:
                errors.append(abs(predicted / lost - 1))
    assert len(errors) > 55
    assert np.median(errors) < 0.05
    assert np.quantile(errors, 0.9) < 0.1


def test_one_tenant_at_rank_64_quadruples_every_slot():
    shape = model_shape("Mistral-7B")
    sizes = [economics.slot_reservation_bytes(shape, 8, r) for r in (16, 64)]
    assert sizes[1] == 4 * sizes[0]


def test_the_rule_differs_between_versions():
    mistral = model_shape("Mistral-7B")
    assert "lm_head" not in reserved_modules(mistral)
    assert "lm_head" in reserved_modules(mistral, vllm_version="0.8.5")
    assert "lm_head" in reserved_modules(model_shape("Llama-2-7B"))
    sizes = {
        version: economics.slot_reservation_bytes(
            mistral, 4, 16, vllm_version=version
        )
        for version in SLOT_RULES
    }
    assert sizes["0.8.5"] > sizes["0.22.1"] == sizes["0.32.0"]


@pytest.mark.parametrize(
    ("filtered", "reserved"),
    [
        (["q_proj"], ("q_proj", "k_proj", "v_proj")),
        (["qkv_proj"], ("q_proj", "k_proj", "v_proj")),
        (["up_proj", "o_proj"], ("o_proj", "gate_proj", "up_proj")),
        (["lm_head"], ("lm_head",)),
    ],
)
def test_the_target_filter_works_by_packed_group(filtered, reserved):
    shape = model_shape("Llama-3.1-8B")
    assert reserved_modules(shape, filtered) == reserved
    total = sum(
        economics.slot_reservation_bytes(shape, 2, 8, target_modules=[name])
        for name in ("q_proj", "o_proj", "gate_proj", "down_proj",
                     "embed_tokens", "lm_head")
    )  # fmt: skip
    assert total == economics.slot_reservation_bytes(shape, 2, 8)


def test_kv_bytes_and_flops():
    shape = model_shape("Llama-3.1-8B")
    assert economics.kv_bytes_per_token(shape) == 128 * 1024
    base = economics.base_flops_per_token(shape)
    share = economics.delta_flops_per_token(shape, 16) / base
    assert 0.005 < share < 0.01
    square = economics.lora_params_per_layer(4096, 4096, 16) / 4096**2
    assert square == 2 * 16 / 4096


@given(st.integers(1, 500), st.integers(1, 64))
def test_engines_are_the_smallest_number_that_holds_all(tenants, max_loras):
    engines = economics.engines_needed(tenants, max_loras)
    assert engines * max_loras >= tenants > (engines - 1) * max_loras
    assert economics.gpus_saved(tenants, max_loras) == tenants - engines


def test_load_can_need_more_engines_than_slots():
    together = load_by_hour(100, 0.25, 1)
    spread = load_by_hour(100, 0.25, 8)
    assert together.max() == 25
    assert engines_under_load(100, 8, together) == 25
    assert engines_under_load(100, 8, spread) == 13
    assert math.isclose(together.sum(), spread.sum())


def test_merging_forks_the_base():
    base = 2 * model_shape("Llama-2-7B").num_params
    small = economics.adapter_bytes(4096, 32, 16)
    assert merged_bytes(base, 100) > 70 * shared_bytes(base, small, 100)


def test_units_are_binary():
    assert mib(2**20) == 1
    assert gib(2**30) == 1
    texts = [format_bytes(n) for n in (7, 2048, 33_554_432, 1.5 * GIB)]
    assert format_bytes(2**30 - 1) == "1.0 GiB"
    assert texts == ["7 B", "2.0 KiB", "32.0 MiB", "1.50 GiB"]


def test_published_data_cannot_be_spoilt():
    published("models").clear()
    assert published("models")
    for wrong in (-1, 0, "8", float("nan")):
        with pytest.raises((ValueError, TypeError), match="vocab_size"):
            model_shape("Llama-2-7B", vocab_size=wrong)


def test_data_files_hold_no_unread_constant():
    for name in ("adapters", "startups"):
        assert published(name)["source"]
    assert json.dumps(published("worked_examples"))


LLAMA = model_shape("Llama-2-7B")
BAD = [
    (economics.lora_params_per_layer, (0, 4, 4), ValueError, "in_features"),
    (economics.lora_params_per_layer, (4, 4, -1), ValueError, "rank is -1"),
    (economics.lora_params_per_layer, (4, 4, 1.5), TypeError, "rank is 1.5"),
    (economics.lora_params_per_layer, (4, 4, math.nan), TypeError, "rank"),
    (economics.adapter_bytes, (4096, 0, 16), ValueError, "layers is 0"),
    (economics.adapter_bytes, ("4096", 32, 16), TypeError, "hidden is '4096'"),
    (economics.adapters_per_gib, (4096, 32, 0), ValueError, "rank is 0"),
    (economics.shrink_ratio, (0, 4096, 32, 16), ValueError, "base_params"),
    (economics.gpus_saved, (0, 8), ValueError, "tenants is 0"),
    (economics.gpus_saved, (100, 0), ValueError, "max_loras is 0"),
    (economics.gpus_saved, (True, 8), TypeError, "tenants is True"),
    (economics.adapter_params, (LLAMA, 0, "all-linear"), ValueError, "rank"),
    (economics.adapter_params, (LLAMA, 8, ["wq"]), ValueError, "'wq'"),
    (economics.adapter_file_bytes, (LLAMA, 8, "all-linear", "F8"),
     ValueError, "dtype is 'F8'"),
    (economics.slot_reservation_bytes, (LLAMA, 0, 16), ValueError,
     "max_loras is 0"),
    (economics.slot_reservation_bytes, (LLAMA, 2, 24), ValueError,
     "max_lora_rank is 24, allowed: 1, 8, 16"),
    (economics.slot_reservation_bytes, (LLAMA, 2, 16, 0), ValueError,
     "bytes_per_param is 0"),
    (economics.slot_reservation_bytes, (LLAMA, 2, 16, 2, ["wq"]), ValueError,
     "target_modules is 'wq'"),
    (economics.slot_reservation_bytes, (LLAMA, 2, 16, 2, None, "0.1"),
     ValueError, "vllm_version is '0.1', allowed: '0.8.5'"),
    (economics.slot_reservation_bytes, (LLAMA, 2, 16, 2, ["q_proj"], "0.8.5"),
     ValueError, "has no --lora-target-modules"),
    (economics.slot_reservation_bytes, (model_shape("internlm-7b"), 2, 16),
     ValueError, "architecture in vLLM 0.32.0 is 'internlm'"),
    (economics.kv_bytes_per_token, (LLAMA, 0), ValueError, "bytes_per_param"),
    (memory_ledger, (LLAMA, 0), ValueError, "card_gib is 0"),
    (memory_ledger, (LLAMA, 24, 2, 16, 1.5), ValueError, "gpu_memory_util"),
    (load_by_hour, (0, 1, 1), ValueError, "tenants is 0"),
    (load_by_hour, (5, math.inf, 1), ValueError, "peak_load is inf"),
    (load_by_hour, (5, 1, 25), ValueError, "spread_hours is 25"),
    (engines_under_load, (5, 2, []), ValueError, "load is empty"),
    (engines_under_load, (5, 2, [math.nan]), ValueError, r"load\[0\] is nan"),
    (format_bytes, ("7",), TypeError, "num_bytes is '7'"),
    (gib, (math.nan,), ValueError, "num_bytes is nan"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "arguments", "error", "named"), BAD)
def test_bad_input_is_named(function, arguments, error, named):
    with pytest.raises(error, match=named):
        function(*arguments)
