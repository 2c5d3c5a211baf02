"""Arguments as vLLM's parser reads them, from its names as data."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora.line.flags import near_flag, read_flags
from multilora.published import published

ROWS = published("serve_flags")["flags"]
SAMPLES = {
    "text": ("x", "x"),
    "integer": ("3", 3),
    "number": ("0.5", 0.5),
    "readable integer": ("2k", 2000),
    "readable integer or auto": ("2K", 2048),
}


def values(line):
    return read_flags(line.split()).values


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["names"][0])
def test_each_argument_is_read_under_each_of_its_names(row):
    dest = row["names"][0].lstrip("-").replace("-", "_")
    for name in row["names"]:
        if row["takes"] == "none":
            is_off = name.startswith("--no-") and len(row["names"]) > 1
            assert values(name) == {dest: not is_off}
            continue
        said, value = SAMPLES[row["type"]]
        if choices := row.get("choices"):
            said, value = str(choices[-1]), choices[-1]
        value = [value] if row["takes"] == "many" else value
        assert values(f"{name} {said}") == {dest: value}
        if name.startswith("--"):
            assert values(f"{name}={said}") == {dest: value}
            under = "--" + name[2:].replace("-", "_")
            assert values(f"{under} {said}") == {dest: value}


@given(st.integers(0, 10**6), st.sampled_from("kKmM"))
def test_readable_integers_are_vllms(number, suffix):
    factor = {"k": 1000, "K": 1024, "m": 10**6, "M": 2**20}[suffix]
    found = values(f"--max-num-batched-tokens {number}{suffix}")
    assert found == {"max_num_batched_tokens": number * factor}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("--max-model-len auto", {"max_model_len": -1}),
        ("--max-model-len -1", {"max_model_len": -1}),
        ("--max-model-len 25.6k", {"max_model_len": 25600}),
        ("--gpu-mem 0.8", {"gpu_memory_utilization": 0.8}),
        ("-O3", {"optimization_level": "3"}),
        ("-O 1", {"optimization_level": "1"}),
        ("-tp=2", {"tensor_parallel_size": 2}),
        ("--enable-lora --no-enable-lora", {"enable_lora": False}),
        ("--compilation-config.mode 3", {"compilation_config": "3"}),
        ("--hf-overrides.a.b=3", {"hf_overrides": "3"}),
        ("--lora-modules a=b c=d -tp 1",
         {"lora_modules": ["a=b", "c=d"], "tensor_parallel_size": 1}),
    ],
)  # fmt: skip
def test_forms_that_vllm_reads(line, found):
    assert values(line) == found


def test_words_that_belong_to_no_argument_are_told_apart():
    read = read_flags("M --fooo 3 --bar=4 X --max-loras 2 Y".split())
    assert read.values == {"max_loras": 2}
    assert read.unknown == ("--fooo", "--bar=4")
    assert read.positional == ("M", "X", "Y")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("--max-loras abc", "--max-loras is 'abc', but must be an integer"),
        ("--max-loras", "--max-loras needs a value"),
        ("--max-loras --enable-lora", "--max-loras needs a value"),
        ("--max-lora 4", "--max-lora could be --max-loras, --max-lora-rank"),
        ("--max-lora-rank 24", "is '24', but must be one of 1, 8, 16"),
        ("--max-num-seqs 1k", "--max-num-seqs is '1k'"),
        ("--max-model-len 1.5K", "--max-model-len is '1.5K'"),
        ("--max-model-len=" + "9" * 5000, "--max-model-len is '999"),
        ("--gpu-memory-utilization 0,9", "must be a number"),
        ("--kv-cache-dtype fp9", "but must be one of auto, bfloat16"),
        ("--enable-lora=true", "--enable-lora is 'true', but takes no value"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(line, sentence):
    with pytest.raises(ValueError, match=sentence):
        values(line)


def test_the_nearest_name_is_found_or_none():
    assert near_flag("--max-loraz") == "--max-loras"
    assert near_flag("--tensor_paralel_size=2") == "--tensor-parallel-size"
    assert near_flag("--xyzzyxyzzy") is None
