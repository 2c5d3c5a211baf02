"""A line into a model and settings, and what is said of the rest."""

import pytest

from multilora.line.read import serve_line

YAML = """
model: of-the-file
enable-lora: true
max_loras: 8
enable-prefix-caching: true
enforce-eager: false
lora-target-modules: [q_proj, v_proj]
gpu-memory-utilization: 0.5
"""


def test_a_line_is_the_ledgers_arguments_and_nothing_it_does_not_say():
    line = serve_line(
        "vllm serve M --enable-lora --max-loras 8 --max-lora-rank 64 -tp 2 "
        "-pp 2 --max-model-len 32K --gpu-memory-utilization 0.8 -q fp8 "
        "--lora-target-modules q_proj v_proj --enforce-eager "
        "--kv-cache-dtype fp8 --max-num-seqs 64 --max-num-batched-tokens 4k "
        "--dtype bfloat16 --lora-dtype float16 --fully-sharded-loras "
        "--port 8000 --disable-log-stats"
    )
    assert (line.model, line.max_loras, line.max_lora_rank) == ("M", 8, 64)
    assert line.options == {
        "vllm_version": "0.32.0",
        "tensor_parallel_size": 2,
        "pipeline_parallel_size": 2,
        "max_model_len": 32768,
        "gpu_memory_utilization": 0.8,
        "quantization": "fp8",
        "target_modules": ["q_proj", "v_proj"],
        "enforce_eager": True,
        "kv_cache_dtype": "fp8",
        "max_num_seqs": 64,
        "max_num_batched_tokens": 4000,
        "dtype": "bfloat16",
        "lora_dtype": "float16",
        "fully_sharded_loras": True,
    }
    assert line.notes == ()


def test_without_enable_lora_there_are_no_slots():
    assert serve_line("vllm serve M").max_loras is None
    line = serve_line("vllm serve M --max-loras 4")
    assert line.max_loras is None
    assert "--max-loras without --enable-lora" in line.notes[0]
    assert serve_line("vllm serve M --enable-lora").max_loras == 1


def test_adapters_on_the_line_are_read_in_both_forms():
    line = serve_line(
        "vllm serve M --enable-lora --lora-modules a=/x/a b=/x=b "
        '\'{"name": "c", "path": "/x/c", "base_model_name": "M"}\' --port 1'
    )
    assert line.lora_modules == (("a", "/x/a"), ("b", "/x=b"), ("c", "/x/c"))


@pytest.mark.parametrize(
    ("line", "model"),
    [
        ("vllm serve M --max-loras 2", "M"),
        ("vllm serve --max-loras 2 M", "M"),
        ("vllm serve --model M", "M"),
        ("python -m vllm.entrypoints.openai.api_server --model=M", "M"),
        ("docker run -p 1:1 vllm/vllm-openai --model M", "M"),
    ],
)
def test_the_model_stands_where_people_put_it(line, model):
    assert serve_line(line).model == model


def test_a_config_file_is_read_and_the_line_goes_before_it(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(YAML, "utf-8")
    line = serve_line(f"vllm serve --config {path}")
    assert (line.model, line.max_loras) == ("of-the-file", 8)
    assert line.options == {
        "vllm_version": "0.32.0",
        "gpu_memory_utilization": 0.5,
        "enforce_eager": False,
        "target_modules": ["q_proj", "v_proj"],
    }
    line = serve_line(f"vllm serve M --max-loras 2 --config {path}")
    assert (line.model, line.max_loras) == ("M", 2)
    line = serve_line("vllm serve M --config not-there.yaml")
    assert "not-there.yaml' is not here" in line.notes[0]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[1, 2]", "must hold keys and values"),
        ("", "must hold keys and values"),
        ("a: [", "is no YAML"),
        ("\0", "is no YAML"),
        ("a: &x [1]\nb: *x", "refers to itself"),
        ("[" * 100_000, "nested more than 50 deep"),
        ("-\n " * 900, "is no YAML|must hold"),
        ("max-loraz: 3", "'--max-loraz', which is no argument"),
        ("max-loras: many", "--max-loras is 'many'"),
        ("x: " + "y" * 2**20, "larger than 128 KiB"),
    ],
)
def test_a_wrong_config_file_is_one_sentence(tmp_path, content, sentence):
    path = tmp_path / "c.yaml"
    path.write_text(content, "utf-8")
    with pytest.raises(ValueError, match=sentence):
        serve_line(f"vllm serve M --config {path}")


@pytest.mark.parametrize(
    "argument",
    [
        "--cpu-offload-gb 10", "--kv-cache-memory-bytes 10G", "-dp 2",
        "--speculative-config '{}'", "--num-gpu-blocks-override 9", "-O0",
        "--no-enable-prefix-caching", "--language-model-only",
        "--limit-mm-per-prompt.image 0", "--hf-overrides '{\"a\": 1}'",
        "--max-cudagraph-capture-size 8", "--compilation-config '{}'",
        "--enable-tower-connector-lora", "-dcp 2", "--block-size 32",
    ],
)  # fmt: skip
def test_what_changes_memory_and_is_not_counted_is_said(argument):
    (note,) = serve_line(f"vllm serve M {argument}").notes
    assert "not counted here" in note or "one replica" in note


@pytest.mark.parametrize(
    "argument",
    [
        "--enable-prefix-caching", "--cpu-offload-gb 0", "-dp 1", "-dcp 1",
        "--block-size 16", "--no-enable-eplb", "--load-format auto", "-O2",
        "--runner generate", "--port 1 --host 0.0.0.0 --api-key x",
    ],
)  # fmt: skip
def test_what_is_as_by_default_is_not_said(argument):
    assert serve_line(f"vllm serve M {argument}").notes == ()


def test_an_argument_of_another_version_is_a_note_there_and_wrong_here():
    line = "vllm serve M --swap-space 4 --enable-lora"
    with pytest.raises(ValueError, match=r"is no argument of vLLM 0\.32\.0"):
        serve_line(line)
    read = serve_line(line, "0.9.2")
    assert (read.model, read.max_loras) == ("M", 1)
    assert "those of 0.9.2 are not known here" in read.notes[0]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("vllm serve", "names no model"),
        ("vllm serve A B", "'A' and 'B', but must name one model"),
        ("vllm serve A --model B", "'A' and 'B'"),
        ("vllm serve A --enable-lora True", "'A' and 'True'"),
        ("vllm serve A --max-loraz 3", "the nearest name is --max-loras"),
        ("vllm serve A --max-loras abc", "--max-loras is 'abc'"),
        ("vllm serve A --lora-modules x", "--lora-modules is 'x'"),
        ("vllm serve A --lora-modules '{\"name\": 1}'", "--lora-modules is"),
        ("vllm serve A --lora-modules '" + "[" * 9000 + "'",
         "--lora-modules is"),
    ],
)  # fmt: skip
def test_a_wrong_line_is_one_sentence(line, sentence):
    with pytest.raises(ValueError, match=sentence):
        serve_line(line)


def test_a_version_that_is_none_is_refused():
    with pytest.raises(ValueError, match="vllm_version is '1'"):
        serve_line("vllm serve M", "1")
