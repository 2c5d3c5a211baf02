"""Files of mixtures and wrappers, and of resized vocabularies.

That PEFT writes the same bytes is tested in test_peft_files.py.
"""

import math

import pytest

from multilora.adapters.file import (
    Layout,
    adapter_file_bytes,
    adapter_params,
    adapter_tensors,
    explain_file_bytes,
)
from multilora.models.shapes import ModelShape
from multilora.models.shipped import model_shape
from small_bases import BASES

MISTRAL = model_shape("Mistral-7B")
QV = ["q_proj", "v_proj"]
FUSED = Layout(fused_experts=True)


def shape_of(base):
    return ModelShape.from_config(BASES[base])


@pytest.mark.parametrize("base", BASES)
def test_params_are_the_tensors_elements(base):
    shape = shape_of(base)
    for targets in ("all-linear", [shape.linears[0].name]):
        tensors = adapter_tensors(shape, 4, targets)
        elements = sum(math.prod(size) for _, size in tensors.values())
        assert adapter_params(shape, 4, targets) == elements


def test_fused_experts_share_an_a_for_gate_and_up():
    """4 experts of width 32 on 64: one pair each, not three an expert."""
    shape = shape_of("qwen3_moe")
    made = adapter_tensors(
        shape, 2, ["gate_proj", "up_proj", "down_proj"], layout=FUSED
    )
    path = "base_model.model.model.layers.0.mlp.experts"
    sizes = {key: size for key, (_, size) in made.items() if path in key}
    assert sizes == {
        f"{path}.base_layer.lora_A.weight": (8, 64),
        f"{path}.base_layer.lora_B.weight": (64, 8),
        f"{path}.lora_A.weight": (8, 32),
        f"{path}.lora_B.weight": (64, 8),
    }


@pytest.mark.parametrize(
    ("base", "layout", "reason"),
    [
        ("qwen3_moe", FUSED, "all experts of a layer in one pair"),
        ("qwen3_moe", Layout(fused_experts=False), "each expert on its own"),
        (
            "qwen3_moe",
            Layout(fused_experts=True, rank_pattern={"gate_up_proj": 8}),
            "gate and up at twice the rank",
        ),
        ("gemma3", Layout(with_towers=True), "with layers of the towers"),
        ("gemma3", Layout(text_names=True), "the text-only class's names"),
    ],
)
def test_a_layout_explains_its_file(base, layout, reason):
    shape = shape_of(base)
    size = adapter_file_bytes(shape, 4, "all-linear", layout=layout)
    assert reason in explain_file_bytes(size, shape, 4, "all-linear")


@pytest.mark.parametrize("rows", [32_001, 32_003, 32_064, 31_999])
def test_a_resized_vocabulary_is_solved_for_its_rows(rows):
    size = adapter_file_bytes(
        MISTRAL, 8, QV, saved_in_full=["embed_tokens", "lm_head"],
        layout=Layout(vocab_size=rows),
    )  # fmt: skip
    why = explain_file_bytes(size, MISTRAL, 8, QV)
    assert f"with a vocabulary of {rows:,} rows" in why


def test_one_added_token_explains_a_public_file():
    """537,953,040 bytes on a Mistral-7B with one token more, as published."""
    why = explain_file_bytes(537_953_040, MISTRAL, 8, QV)
    assert why.endswith("with a vocabulary of 32,001 rows, 1 added")


def test_an_adapted_head_of_more_rows_is_solved_too():
    targets = ["q_proj", "lm_head"]
    size = adapter_file_bytes(
        MISTRAL, 8, targets, saved_in_full=["lm_head"],
        layout=Layout(vocab_size=32_002),
    )  # fmt: skip
    why = explain_file_bytes(size, MISTRAL, 8, targets)
    assert "lm_head saved in full in BF16, with a vocabulary of 32,002" in why


def test_a_layout_that_is_none_is_named():
    with pytest.raises(TypeError, match="layout is 3, but must be a Layout"):
        adapter_file_bytes(MISTRAL, 8, QV, layout=3)
    with pytest.raises(ValueError, match=r"layout\.vocab_size is 0"):
        adapter_file_bytes(MISTRAL, 8, QV, layout=Layout(vocab_size=0))
