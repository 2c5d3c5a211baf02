"""What vLLM's classes say on the meta device is what hands can count."""

import json

import pytest

from repository import ROOT
from vllm_models import ask

pytestmark = pytest.mark.engine

CONFIGS = json.loads((ROOT / "tests/support/small_configs.json").read_text())
LLAMA, QWEN3_MOE = CONFIGS["llama"], CONFIGS["qwen3_moe"]
HIDDEN, FFN, EXPERT, LAYERS = 96, 160, 48, 4
VOCAB = 1024  # the config's 1000, rounded up to a multiple of 64
Q, KV = 6 * 24, 2 * 24  # heads times their size
RANK, SLOTS = 8, 2


@pytest.fixture(scope="module")
def answers():
    """By name: vLLM's answers, of one process."""
    unknown = {"model_type": "llama", "architectures": ["NoSuchModel"]}
    cases = [
        {"name": "unknown", "config": unknown},
        {"name": "whole", "config": LLAMA, "available_bytes": [1 << 30]},
        {"name": "half", "config": LLAMA, "tensor_parallel_size": 2},
        {"name": "experts", "config": QWEN3_MOE},
        {"name": "stablelm", "config": CONFIGS["stablelm"]},
    ]
    return {found["name"]: found for found in ask(cases)}


def test_a_case_that_fails_keeps_its_error_and_spoils_no_other(answers):
    assert "NoSuchModel" in answers["unknown"]["error"]
    assert not any(answers[name]["error"] for name in ("whole", "half"))


def test_a_llamas_weights_are_its_matrices_and_norms(answers):
    layer = HIDDEN * (2 * Q + 2 * KV) + 3 * HIDDEN * FFN + 2 * HIDDEN
    everything = 2 * VOCAB * HIDDEN + LAYERS * layer + HIDDEN
    assert answers["whole"]["weights"]["num_parameters"] == everything
    assert answers["whole"]["weights"]["bytes"] == 2 * everything


def test_a_llamas_slots_are_an_a_and_a_b_for_each_matrix(answers):
    slots = answers["whole"]["slots"]
    rows = {
        "self_attn.qkv_proj": 3 * HIDDEN + Q + 2 * KV,
        "self_attn.o_proj": Q + HIDDEN,
        "mlp.gate_up_proj": 2 * HIDDEN + 2 * FFN,
        "mlp.down_proj": FFN + HIDDEN,
    }
    for name, entries in rows.items():
        _, size, _ = slots["modules"][f"model.layers.0.{name}"]
        assert size == 2 * SLOTS * RANK * entries
    assert slots["bytes"] == sum(one[1] for one in slots["modules"].values())


def test_an_expert_has_its_own_slot(answers):
    _, size, _ = answers["experts"]["slots"]["modules"][
        "model.layers.0.mlp.experts"
    ]
    assert size == 2 * SLOTS * RANK * 4 * 3 * (HIDDEN + EXPERT)


def test_a_rank_of_two_has_half_of_what_is_split(answers):
    layer = HIDDEN * (2 * Q + 2 * KV) + 3 * HIDDEN * FFN
    norms = (2 * LAYERS + 1) * HIDDEN
    half = VOCAB * HIDDEN + LAYERS * layer // 2 + norms
    assert answers["half"]["weights"]["num_parameters"] == half


def test_kv_tokens_are_the_bytes_over_a_tokens_bytes(answers):
    token = LAYERS * 2 * KV * 2
    (capacity,) = answers["whole"]["kv"]["capacity"]
    assert capacity["num_blocks"] == (1 << 30) // (16 * token)
    assert capacity["tokens"] == 16 * capacity["num_blocks"]


def test_a_class_without_adapters_says_so(answers):
    assert answers["stablelm"]["supports_lora"] is False
    assert "slots" not in answers["stablelm"]
