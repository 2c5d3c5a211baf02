"""Families of dense models, against numbers of their own classes.

Parameters were counted by transformers 5.19's classes on the meta device,
slot bytes (max_loras 2, max_lora_rank 8) by vLLM 0.32.0's LoRAModelManager
on its own classes, at tensor_parallel_size 1, 2, and 2 fully sharded; for the
types that transformers lacks, vLLM's class counted the parameters.
"""

import json
from itertools import groupby
from pathlib import Path

import pytest

from multilora.memory.reservation import slot_reservation_bytes
from multilora.models.family import family, family_names
from multilora.models.shapes import ModelShape
from multilora.published import published

SMALL = {
    "hidden_size": 64,
    "intermediate_size": 176,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 320,
    "max_position_embeddings": 512,
}
# What each config.json has beside SMALL, and the numbers.
NUMBERS = json.loads(
    Path(__file__).with_name("dense_numbers.json").read_text("utf-8")
)


def small(model_type, **fields):
    """A small config of a type; a field of None is left out."""
    config = {"model_type": model_type, **SMALL, **fields}
    return ModelShape.from_config(
        {key: value for key, value in config.items() if value is not None}
    )


def windows(shape):
    """(window, number of layers) of each run of layers, in order."""
    by_layer = sorted(
        (number, layers.caches[0].window)
        for layers in shape.layers
        for number in layers.numbers
        if layers.caches
    )
    runs = groupby(window for _, window in by_layer)
    return [(window, len(list(run))) for window, run in runs]


@pytest.mark.parametrize("case", NUMBERS, ids=lambda case: case["name"])
def test_parameters_are_those_of_the_models_own_class(case):
    assert small(**case["config"]).num_params == case["params"]


@pytest.mark.parametrize("case", NUMBERS, ids=lambda case: case["name"])
def test_slots_are_those_that_vllm_allocates(case):
    shape = small(**case["config"])
    cuts = [(1, False), (2, False), (2, True)]
    assert [
        slot_reservation_bytes(
            shape,
            2,
            8,
            tensor_parallel_size=size,
            fully_sharded_loras=is_sharded,
        )
        for size, is_sharded in cuts
    ] == case["slots"]


def test_a_window_counts_only_where_vllm_gives_it():
    assert windows(small("mistral", sliding_window=128)) == [(128, 4)]
    # Null is Mistral's word for no window; its class would say 4096.
    config = {"model_type": "mistral", **SMALL, "sliding_window": None}
    assert windows(ModelShape.from_config(config)) == [(0, 4)]
    assert windows(small("llama", sliding_window=128)) == [(128, 4)]
    assert windows(small("qwen2", sliding_window=128)) == [(0, 4)]
    assert windows(small("olmo3", sliding_window=128)) == [(128, 3), (0, 1)]
    assert windows(small("cohere2", sliding_window=128)) == [(129, 3), (0, 1)]
    assert windows(small("cwm", sliding_window=128)) == [(0, 1), (128, 3)]


def test_a_window_in_some_layers_of_a_qwen_is_refused_as_vllm_does():
    with pytest.raises(ValueError, match="layer_types"):
        small(
            "qwen2",
            use_sliding_window=True,
            sliding_window=128,
            max_window_layers=2,
        )


def test_layers_that_a_search_chose_have_their_own_widths_and_caches():
    def block(group, mult, **ffn):
        return {
            "attention": {"no_op": group is None, "n_heads_in_group": group},
            "ffn": {"no_op": mult is None, "ffn_mult": mult, **ffn},
        }

    shape = small(
        "nemotron-nas",
        num_hidden_layers=3,
        num_key_value_heads=None,
        intermediate_size=None,
        block_configs=[block(2, 2.6), block(None, 12.0), block(4, None)],
    )
    widths = {
        (number, module.name): module.out_features
        for layers in shape.layers
        for number in layers.numbers
        for module in layers.modules
        if module.name in ("k_proj", "gate_proj")
    }
    assert widths == {
        (0, "k_proj"): 32,
        (0, "gate_proj"): 256,
        (1, "gate_proj"): 512,
        (2, "k_proj"): 16,
    }
    assert windows(shape) == [(0, 2)]


def test_blocks_that_are_not_one_a_layer_are_refused():
    with pytest.raises(ValueError, match="block_configs"):
        small("nemotron-nas", block_configs=[])


def test_a_field_under_another_name_is_read_under_it():
    shape = small("exaone", num_hidden_layers=None, num_layers=3)
    assert shape.num_layers == 3
    shape = ModelShape.from_config(
        {"model_type": "gpt_bigcode", "n_embd": 64, "n_layer": 3, "n_head": 4}
    )
    assert (shape.hidden_size, shape.num_kv_heads) == (64, 1)


def test_no_type_is_both_described_and_said_to_be_without_lora():
    without = published("without_lora")["types"]
    assert without == sorted(without)
    assert not set(without) & set(family_names())
    with pytest.raises(ValueError, match=r"0\.32\.0 does not serve"):
        small("stablelm")


def test_an_architecture_of_vllm_belongs_to_one_type():
    dense = {case["config"]["model_type"] for case in NUMBERS}
    classes = [
        name for kind in dense for name in family(kind).served["classes"]
    ]
    assert len(classes) == len(set(classes))
