"""The forms that good adapters come in, and what is said of each.

What vLLM does with the same forms is asked in test_check_on_vllm.py.
"""

import math

import pytest

from made_adapters import EACH, FUSED, PREFIX, kinds, sizes, write
from multilora.adapters.check import AdapterError, check_adapter
from multilora.adapters.layout import Layout
from multilora.models.shapes import ModelShape
from small_bases import BASES


def shape_of(base):
    return ModelShape.from_config(BASES[base])


LLAMA = shape_of("llama")
BOTH = sizes(LLAMA, ["q_proj", "v_proj"])


def checked(folder, made, shape=LLAMA, version="0.32.0", **config):
    write(folder / "it", made, **config)
    return check_adapter(folder / "it", shape, 64, vllm_version=version)


def test_rslora_scales_by_the_root_of_the_rank(tmp_path):
    facts = checked(tmp_path, BOTH, use_rslora=True)
    assert facts.scaling == 8 / math.sqrt(4)


def test_patterns_give_single_modules_their_rank_and_scale(tmp_path):
    made = BOTH | sizes(LLAMA, ["q_proj"], Layout(rank_pattern={"q_proj": 2}))
    facts = checked(
        tmp_path, made, rank_pattern={"q_proj": 2},
        alpha_pattern={"layers.1.self_attn.v_proj": 3},
    )  # fmt: skip
    query = "model.layers.0.self_attn.q_proj"
    value = "model.layers.1.self_attn.v_proj"
    assert facts.ranks[query] == 2
    assert facts.scaling_of(query) == 8 / 2
    assert facts.scaling_of(value) == 3 / 4
    assert facts.scaling_of(value.replace("1", "0")) == facts.scaling == 2


def test_the_largest_rank_of_a_pattern_counts(tmp_path):
    with pytest.raises(AdapterError, match="has rank 128, above max_lora"):
        checked(tmp_path, BOTH, rank_pattern={"k_proj": 128})


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"rank_pattern": {"(": 4}}, r"says rank_pattern\['\('\]"),
        ({"rank_pattern": {"(a+)+": 4}}, "safe to match"),
        ({"rank_pattern": {".*.*.*.*": 4}}, "safe to match"),
        ({"rank_pattern": {"q_proj": 0}}, "not a rank"),
        ({"alpha_pattern": {"q_proj": "x"}}, "not a scale above 0"),
        ({"alpha_pattern": [1]}, "not an object"),
        ({"target_modules": ...}, "lacks target_modules, which vLLM"),
        ({"r": ..., "lora_alpha": ...}, "lacks r, lora_alpha"),
        ({"lora_bias": True}, "uses lora_bias, which vLLM refuses"),
        ({"use_qalora": True}, "uses use_qalora, which vLLM refuses"),
    ],
)
def test_a_config_that_vllm_refuses_is_named(tmp_path, fields, sentence):
    with pytest.raises(AdapterError, match=sentence):
        checked(tmp_path, BOTH, **fields)


def test_layers_and_regular_expressions_pass(tmp_path):
    made = {key: size for key, size in BOTH.items() if ".layers.1." in key}
    options = {"layers_to_transform": [1], "exclude_modules": ["o_proj"]}
    facts = checked(tmp_path, made, target_modules=".*(q|v)_proj", **options)
    assert (facts.share_applied, facts.notes) == (1, ())


def test_a_misspelt_target_is_named_with_its_neighbour(tmp_path):
    facts = checked(tmp_path, BOTH, target_modules=["q_proj", "v_porj"])
    assert facts.misspelt == ("v_porj",)
    assert "'v_porj'" in facts.notes[0]
    assert "v_proj is the nearest name" in facts.notes[0]


def test_a_target_without_tensors_is_named(tmp_path):
    facts = checked(tmp_path, BOTH, target_modules=["q_proj", "up_proj"])
    assert facts.misspelt == ()
    assert "no tensors of 'up_proj'" in facts.notes[0]


def test_a_saved_table_beside_its_adapter_is_skipped_and_said(tmp_path):
    made = sizes(LLAMA, ["q_proj", "lm_head"], saved_in_full=["lm_head"])
    facts = checked(tmp_path, made, target_modules=["q_proj", "lm_head"])
    assert facts.share_applied == 1
    assert facts.notes[0].startswith("vLLM skips lm_head.base_layer, 65,536")
    head = f"{PREFIX}lm_head.base_layer.weight"
    facts = checked(tmp_path / "more", made | {head: (260, 64)})
    assert "of 256 rows where this has 260" in facts.notes[0]


@pytest.mark.parametrize("base", ["qwen2", "mistral", "gemma2", "idefics3"])
@pytest.mark.parametrize("table", ["embed_tokens", "lm_head"])
def test_a_class_that_adapts_no_tables_refuses_them(tmp_path, base, table):
    shape = shape_of(base)
    with pytest.raises(AdapterError, match=f"is of {table}, which takes no"):
        checked(tmp_path, sizes(shape, ["q_proj", table]), shape)


@pytest.mark.parametrize("base", ["llama tied", "qwen3 tied", "llava"])
def test_a_class_that_adapts_tables_takes_them(tmp_path, base):
    shape = shape_of(base)
    made = sizes(shape, ["q_proj", "embed_tokens", "lm_head"])
    assert checked(tmp_path, made, shape).share_applied == 1


FRONTS = {"gemma3": 0, "llava": 0, "qwen3_vl": 0, "internvl": 0,
          "mistral3": 1, "qwen2_vl": 1, "qwen2_5_vl": 1}  # fmt: skip


@pytest.mark.parametrize(("base", "share"), FRONTS.items())
def test_text_only_names_reach_some_wrappers_until_0_33(tmp_path, base, share):
    shape = shape_of(base)
    made = sizes(shape, layout=Layout(text_names=True))
    write(tmp_path / "it", made)
    if share:
        facts = check_adapter(tmp_path / "it", shape, 64)
        assert facts.share_applied == 1
    else:
        with pytest.raises(AdapterError, match="apply nothing, and answer"):
            check_adapter(tmp_path / "it", shape, 64)
    facts = check_adapter(tmp_path / "it", shape, 64, vllm_version="0.33.0")
    assert facts.share_applied == 1


def test_a_part_under_text_only_names_is_said_with_the_way_out(tmp_path):
    shape = shape_of("gemma3")
    made = sizes(shape, ["q_proj"]) | sizes(
        shape, ["v_proj"], Layout(text_names=True)
    )
    facts = checked(tmp_path, made, shape)
    assert facts.share_applied == 0.5
    assert facts.not_applied[0] == "model.layers.0.self_attn.v_proj"
    assert (
        "rename base_model.model.model. to base_model.model.model."
        in (facts.notes[0])
    )


def test_a_towers_layers_are_not_applied_and_said(tmp_path):
    shape = shape_of("gemma3")
    made = sizes(shape, ["q_proj"], Layout(with_towers=True))
    facts = checked(tmp_path, made, shape)
    assert 0 < facts.share_applied < 1
    assert "--enable-tower-connector-lora" in facts.notes[0]
    assert "notes=" in repr(facts)


@pytest.mark.parametrize(
    ("base", "kind", "sentence"),
    [
        ("qwen3_moe", "fused experts", "--enable-mixed-moe-lora-format"),
        ("qwen3_moe", "an expert missing", "gate, up and down of every"),
        ("gpt_oss", "all", "wants all experts of a layer in one pair"),
        ("gpt_oss", "down_proj alone", "down_proj without gate_up_proj"),
    ],
)
def test_experts_that_vllm_cannot_put_together(tmp_path, base, kind, sentence):
    shape = shape_of(base)
    made, _ = kinds(shape)[kind]
    with pytest.raises(AdapterError, match=sentence):
        checked(tmp_path, made, shape)


def test_experts_of_one_rank_each_projection_only(tmp_path):
    shape = shape_of("qwen3_moe")
    made = sizes(shape) | {
        f"{PREFIX}model.layers.0.mlp.experts.3.up_proj.lora_{half}.weight":
        size for half, size in (("A", (2, 64)), ("B", (32, 2)))
    }  # fmt: skip
    pattern = {"layers.0.mlp.experts.3.up_proj": 2}
    with pytest.raises(AdapterError, match="differ in rank at up_proj"):
        checked(tmp_path, made, shape, rank_pattern=pattern)


@pytest.mark.parametrize(
    ("base", "layout"), [("qwen3_moe", EACH), ("gpt_oss", FUSED)]
)
def test_whole_experts_pass(tmp_path, base, layout):
    shape = shape_of(base)
    facts = checked(tmp_path, sizes(shape, layout=layout), shape)
    assert facts.share_applied == 1
    assert "down_proj" in facts.target_modules


def test_a_class_that_left_vllm_is_refused_from_then_on(tmp_path):
    shape = ModelShape.from_config(
        BASES["llama"] | {"model_type": "internlm", "architectures": []}
    )
    write(tmp_path / "it", BOTH)
    check_adapter(tmp_path / "it", shape, 64, vllm_version="0.22.1")
    with pytest.raises(
        AdapterError, match=r"from 0\.7\.0 to 0\.23\.0 vLLM does"
    ):
        check_adapter(tmp_path / "it", shape, 64)


@pytest.mark.parametrize("version", ["", "new", "0", "32", "0.x", 32])
def test_a_version_that_is_none_is_named(tmp_path, version):
    with pytest.raises((ValueError, TypeError), match="vllm_version is"):
        checked(tmp_path, BOTH, version=version)
