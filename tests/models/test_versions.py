"""The table of vLLM's releases: whole, used by the nearest, and as known."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora.models.version_rule import parsed_version, version_table
from multilora.models.versions import (
    FEATURES,
    architectures,
    checked_versions,
    default_batch,
    embeddings_of,
    has_feature,
    has_lora,
    is_registered,
    listed_modules,
    nearest_rule,
    packed_modules,
    where_read,
)

CHECKED = list(checked_versions())
CLASSES = {
    "llama": "LlamaForCausalLM", "mistral": "MistralForCausalLM",
    "qwen2": "Qwen2ForCausalLM", "gemma2": "Gemma2ForCausalLM",
    "internlm": "InternLMForCausalLM", "mixtral": "MixtralForCausalLM",
}  # fmt: skip


def test_every_minor_from_0_7_to_0_33_was_checked_and_three_were_run():
    minors = {tuple(map(int, v.split(".")[:2])) for v in CHECKED}
    assert minors == {(0, minor) for minor in range(7, 34)}
    run = [v for v, how in checked_versions().items() if how == "run"]
    assert run == ["0.8.5", "0.22.1", "0.32.0"]


@pytest.mark.parametrize("version", CHECKED)
def test_a_checked_version_uses_its_own_rule(version):
    rule = nearest_rule(version)
    assert rule.is_exact and rule.used == version
    for built in (f"v{version}", f"{version}+cpu", f"{version}+cu128"):
        assert nearest_rule(built) == rule


SUFFIX = st.sampled_from(["", "rc1", ".dev468", ".post3", "rc2.dev1+g1a"])


@given(st.integers(7, 33), st.integers(0, 9), SUFFIX)
def test_any_version_uses_one_of_its_minor_and_says_so(minor, patch, suffix):
    asked = f"0.{minor}.{patch}{suffix}"
    name = asked.partition("+")[0]
    rule = nearest_rule(asked)
    assert rule.used.startswith(f"0.{minor}.")
    assert rule.is_exact == (name in CHECKED)
    if not rule.is_exact:
        assert rule.said.startswith(f"vLLM {name} was not read")
        assert f"the rule of {rule.used}, the nearest" in rule.said
        if f"0.{minor}.{patch}" in CHECKED:
            assert rule.used == f"0.{minor}.{patch}"
    own = nearest_rule(rule.used)
    assert rule.ranks == own.ranks and rule.batches == own.batches


@given(st.text(max_size=20))
def test_what_is_no_version_is_refused_by_name(asked):
    try:
        _, used = parsed_version(asked)
    except ValueError as error:
        assert "vllm_version" in str(error)
    else:
        assert used in CHECKED


@pytest.mark.parametrize(
    ("asked", "why"),
    [("0.6.6.post1", "older"), ("0.34.0", "not read yet"),
     ("1.0.0", "not read yet"), ("0.34.0.dev1", "not read yet"),
     ("0.32", "like"), ("latest", "like"), ("", "like"),
     ("0.٣٢.0", "like"), ("0.32.0\n", "like"), ("0." + "9" * 5000, "like")],
)  # fmt: skip
def test_a_version_outside_the_table_is_refused_with_the_reason(asked, why):
    with pytest.raises(ValueError, match=f"vllm_version.*{why}"):
        nearest_rule(asked)


# What engines of three versions were seen to wrap, by their own tensors.
RUN = {
    "0.8.5": (256, 256, False, ("llama", "mistral", "internlm")),
    "0.22.1": (0, 1, True, ("llama", "internlm")),
    "0.32.0": (0, 1, True, ("llama", "mixtral")),
}


@pytest.mark.parametrize("version", RUN)
def test_the_table_agrees_with_the_engines_that_were_run(version):
    extra_vocab, vocab_padding, has_filter, wrapping = RUN[version]
    rule = nearest_rule(version)
    assert rule.checked == "run"
    assert (1 in rule.ranks) == (version != "0.8.5")
    assert (rule.extra_vocab, rule.vocab_padding) == (
        extra_vocab, vocab_padding,
    )  # fmt: skip
    assert rule.has_target_filter == has_filter
    for family, name in CLASSES.items():
        if has_lora(name, version) and family != "mixtral":
            assert embeddings_of(name, version) == (
                ("embed_tokens", "lm_head") if family in wrapping else ()
            )
    assert has_feature("LlamaForCausalLM", version, "lengthened") == (
        version == "0.8.5"
    )


def test_before_0_8_slots_are_in_neither_loading_line_nor_kv_budget():
    for version in CHECKED:
        rule = nearest_rule(version)
        counted = not version.startswith("0.7.")
        assert rule.are_slots_in_loading_line == counted
        assert rule.are_slots_in_kv_budget == counted


@pytest.mark.parametrize(
    ("fact", "last", "first", "before", "after"),
    [
        ("gpu_memory_utilization", "0.19.1", "0.20.0", 0.9, 0.92),
        ("are_graphs_in_kv_budget", "0.19.1", "0.20.0", False, True),
        ("engine", "0.8.2", "0.8.3", "V0", "V1"),
        ("has_expert_slots", "0.11.0", "0.11.1", False, True),
        ("extra_vocab", "0.11.2", "0.12.0", 256, 0),
        ("max_vocab_size", "0.16.0", "0.17.0", 257_024, 258_048),
        ("has_target_filter", "0.18.1", "0.19.0", False, True),
        ("filter_completes_groups", "0.19.1", "0.20.0", False, True),
        ("maps_text_adapters", "0.32.0", "0.33.0", False, True),
    ],
)
def test_a_fact_changes_where_the_releases_change_it(
    fact, last, first, before, after
):
    assert getattr(nearest_rule(last), fact) == before
    assert getattr(nearest_rule(first), fact) == after
    assert where_read(fact, CHECKED[-1]).endswith(f" in {first}")
    assert re.fullmatch(
        r"\S+\.py:\d+(-\d+)? in 0\.7\.0", where_read(fact, last)
    )


def test_architectures_come_change_and_leave():
    assert not has_lora("Qwen3MoeForCausalLM", "0.9.2")
    assert is_registered("Qwen3MoeForCausalLM", "0.9.2")
    assert has_lora("Qwen3MoeForCausalLM", "0.10.0")
    assert embeddings_of("Qwen3ForCausalLM", "0.15.1") == ()
    assert embeddings_of("Qwen3ForCausalLM", "0.16.0")
    assert embeddings_of("MistralForCausalLM", "0.14.1")
    assert embeddings_of("MistralForCausalLM", "0.15.0") == ()
    assert has_lora("InternLMForCausalLM", "0.23.0")
    assert not is_registered("InternLMForCausalLM", "0.24.0")
    with pytest.raises(ValueError, match=r"InternLM.*0\.7\.0 to 0\.23\.0"):
        embeddings_of("InternLMForCausalLM", "0.24.0")
    with pytest.raises(ValueError, match=r"near it: LlamaForCausalLM"):
        has_lora("LlamaForCausal", "0.32.0")


def test_a_wrapper_adds_the_embeddings_of_its_language_model():
    wrapper = "Qwen3VLForConditionalGeneration"
    assert embeddings_of(wrapper, "0.15.1") == ()
    assert embeddings_of(wrapper, "0.16.0") == ("embed_tokens", "lm_head")
    with pytest.raises(ValueError, match="text_architecture is None"):
        embeddings_of("Mistral3ForConditionalGeneration", "0.32.0")
    mistral3 = "Mistral3ForConditionalGeneration"
    llama = "LlamaForCausalLM"
    for version, found in (("0.9.2", ()), ("0.32.0", embeds("0.32.0"))):
        assert embeddings_of(mistral3, version, llama) == found
    with pytest.raises(ValueError, match="leave it None"):
        embeddings_of("LlamaForCausalLM", "0.32.0", "LlamaForCausalLM")


def embeds(version):
    return embeddings_of("LlamaForCausalLM", version)


def test_only_0_7_lists_the_modules_that_get_slots():
    listed = listed_modules("Qwen2ForCausalLM", "0.7.3")
    assert listed == ("down_proj", "gate_up_proj", "o_proj", "qkv_proj")
    assert listed_modules("Qwen2ForCausalLM", "0.8.0") is None


def test_towers_get_slots_where_a_class_counts_its_tokens():
    name = "Gemma3ForConditionalGeneration"
    assert not has_feature(name, "0.15.1", "tower")
    assert has_feature(name, "0.16.0", "tower")
    assert not has_feature(
        "Qwen2VLForConditionalGeneration", "0.13.0", "tower"
    )
    assert has_feature("Qwen2VLForConditionalGeneration", "0.14.0", "tower")


def test_experts_are_one_tensor_where_the_class_says_so():
    assert not has_feature("GptOssForCausalLM", "0.11.2", "experts_3d")
    assert has_feature("GptOssForCausalLM", "0.12.0", "experts_3d")
    assert not has_feature("MixtralForCausalLM", "0.33.0", "experts_3d")


@pytest.mark.parametrize(
    ("version", "card", "gib", "limits"),
    [("0.8.2", "NVIDIA H100", 80, (None, None, 256)),
     ("0.8.3", "NVIDIA H100", 80, (16384, 8192, 1024)),
     ("0.8.3", "NVIDIA L4", 22, (8192, 2048, 1024)),
     ("0.8.5", "NVIDIA A100", 79, (16384, 8192, 1024)),
     ("0.9.0", "NVIDIA A100", 79, (8192, 2048, 256)),
     ("0.27.1", "NVIDIA B200", 180, (16384, 8192, 1024)),
     ("0.28.0", "NVIDIA B200", 180, (16384, 16384, 1024)),
     ("0.32.0", "NVIDIA GB10", 119, (16384, 8192, 1024)),
     ("0.33.0", "NVIDIA GB10", 119, (8192, 2048, 256))],
)  # fmt: skip
def test_default_batches_by_version_and_card(version, card, gib, limits):
    rule = default_batch(version, card, gib)
    assert (rule.offline, rule.server, rule.max_num_seqs) == limits


def test_every_row_of_the_table_is_in_order_and_answers():
    place = {version: i for i, version in enumerate(CHECKED)}
    table = version_table()
    for name, row in table["architectures"].items():
        for key in ("registered", "lora", "text_config", *FEATURES):
            ends = [place[v] for span in row.get(key, []) for v in span]
            assert ends == sorted(ends), (name, key)
        for key in ("class", "embeddings", "packed"):
            starts = [place[change[0]] for change in row.get(key, [])]
            assert starts == sorted(set(starts)), (name, key)
    for rows in table["facts"].values():
        assert rows[0][0] == CHECKED[0]
        starts = [place[first] for first, _, _ in rows]
        assert starts == sorted(set(starts))


@given(st.sampled_from(architectures()), st.sampled_from(CHECKED))
def test_an_architecture_with_lora_is_registered_and_has_a_packing(
    name, version
):
    if has_lora(name, version):
        assert is_registered(name, version)
        packed = packed_modules(name, version)
        assert packed is None or all(packed.values())
    else:
        with pytest.raises(ValueError, match="no LoRA"):
            packed_modules(name, version)
