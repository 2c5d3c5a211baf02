"""Does a line start: against public start-ups, the ledger and vLLM's rules."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multilora import tenants
from multilora.line.fit import NOT, SURE, UNSURE, fit
from multilora.line.read import serve_line
from multilora.memory.kv import kv_bytes_per_request
from multilora.memory.ledger import memory_ledger
from multilora.models.shapes import ModelShape
from multilora.models.shipped import model_names, model_shape
from multilora.published import published

LLAMA = model_shape("Llama-3.1-8B")
STARTS = {row["id"]: row for row in published("public_starts")["rows"]}


def fitted(arguments, shape=LLAMA, card=79.1, version="0.32.0", lengths=()):
    line = serve_line(f"vllm serve M {arguments}", version)
    return fit(line, shape, card, lengths)


def as_line(row):
    """The line of a public start-up, as far as its log tells it."""
    said = (
        f"--gpu-memory-utilization {row['gpu_memory_utilization']} "
        f"--max-model-len {row['max_model_len']} "
        f"--max-num-batched-tokens {max(2048, row['max_model_len'])}"
    )
    if row["max_loras"] is None:
        return said
    return (
        f"{said} --enable-lora --max-loras {row['max_loras']} "
        f"--max-lora-rank {row['max_lora_rank']}"
    )


@pytest.mark.parametrize("name", STARTS)
def test_every_public_start_up_may_start_with_the_tokens_it_logged(name):
    row = STARTS[name]
    shape = ModelShape.from_config(row["config"], name=row["model"])
    found = fitted(as_line(row), shape, row["card_gib"], row["vllm_version"])
    assert found.verdict in (SURE, UNSURE)
    memory = found.memory
    assert memory.kv_tokens_low <= row["kv_tokens"] <= memory.kv_tokens_high


def test_all_public_start_ups_but_one_are_sure_to_start():
    verdicts = {}
    for name, row in STARTS.items():
        shape = ModelShape.from_config(row["config"], name=row["model"])
        found = fitted(
            as_line(row), shape, row["card_gib"], row["vllm_version"]
        )
        verdicts[name] = found.verdict
    assert [n for n, said in verdicts.items() if said != SURE] == ["S17"]


def test_a_line_is_the_ledger():
    found = fitted("--enable-lora --max-loras 8 --max-lora-rank 64")
    ledger = memory_ledger(LLAMA, 79.1, 8, 64)
    memory = found.memory
    assert (found.verdict, found.reasons) == (SURE, ())
    assert memory.slot_bytes == ledger.slot_bytes
    assert memory.kv_tokens_low == ledger.kv_tokens_low
    assert memory.kv_tokens_high == ledger.kv_tokens_high
    assert memory.weight_bytes + memory.slot_bytes == ledger.loading_bytes
    assert (found.max_num_batched_tokens, found.max_num_seqs) == (8192, 1024)
    assert found.max_model_len == 131072


@given(
    st.sampled_from(model_names()),
    st.sampled_from([23.63, 47.5, 79.1, 139.8]),
    st.integers(64, 8192),
    st.sampled_from([1, 2]),
)
@settings(max_examples=25, deadline=None)
def test_requests_at_once_are_blocks_by_blocks_of_each(name, card, n, gpus):
    """Beside a plain division of the pool by what one request holds."""
    shape = model_shape(name)
    longest = min(8192, shape.max_position_embeddings)
    n = min(n, longest)
    found = fitted(
        f"-tp {gpus} --max-num-batched-tokens 4096 --max-model-len {longest}",
        shape, card, lengths=[n],
    )  # fmt: skip
    ledger = memory_ledger(
        shape, card, max_num_batched_tokens=4096, max_model_len=longest,
        tensor_parallel_size=gpus,
    )  # fmt: skip
    (row,) = (row for row in found.requests if row.tokens == n)
    each = kv_bytes_per_request(
        shape, n, "auto", gpus, max_num_batched_tokens=4096
    )
    for pool, said in (
        (ledger.pool_low, row.low),
        (ledger.pool_high, row.high),
    ):
        free = max(0, pool.num_blocks - 1) * pool.block_bytes
        assert said == free // each


@given(
    st.sampled_from(["Llama-3.1-8B", "Qwen3-30B-A3B", "Llama-3.1-70B",
                     "Gemma-2-9B", "gpt-oss-20b"]),
    st.sampled_from([14.74, 23.63, 47.5, 79.1]),
    st.sampled_from([None, 1, 8, 40]),
    st.sampled_from([16, 64, 256]),
)  # fmt: skip
@settings(max_examples=12, deadline=None)
def test_each_change_makes_it_start_for_sure(name, card, slots, rank):
    shape = model_shape(name)
    lora = f" --enable-lora --max-loras {slots} --max-lora-rank {rank}"
    said = lora if slots else ""
    found = fitted(said, shape, card)
    assert (found.verdict == SURE) == (not found.reasons)
    if found.verdict == SURE:
        assert found.changes == ()
    for change in found.changes:
        again = fitted(f"{said} {change.argument}", shape, card)
        assert again.verdict == SURE, change
        assert again.memory.kv_tokens_low == change.kv_tokens_low


def test_the_changes_are_the_mildest_that_do():
    """One slot more, one rank more, a KiB more: and it does not start."""
    shape = model_shape("Qwen3-30B-A3B")
    found = fitted("--enable-lora --max-loras 4 --max-lora-rank 64", shape)
    said = dict(c.argument.split() for c in found.changes)
    assert said == {
        "--max-loras": "1", "--max-lora-rank": "16",
        "--tensor-parallel-size": "2", "--quantization": "fp8",
    }  # fmt: skip
    for more in ("--max-loras 2 --max-lora-rank 64",
                 "--max-loras 4 --max-lora-rank 32"):  # fmt: skip
        assert fitted(f"--enable-lora {more}", shape).verdict != SURE
    found = fitted("--enable-lora --max-loras 1000", card=79.1)
    (most,) = (
        int(c.argument.split()[1]) for c in found.changes
        if c.argument.startswith("--max-loras")
    )  # fmt: skip
    for slots, verdict in ((most, SURE), (most + 1, UNSURE)):
        again = fitted(f"--enable-lora --max-loras {slots}")
        assert again.verdict == verdict
    found = fitted("", card=23.63)
    (length,) = (
        int(c.argument.split()[1]) for c in found.changes
        if c.argument.startswith("--max-model-len")
    )  # fmt: skip
    longer = fitted(f"--max-model-len {length + 1024}", card=23.63)
    assert longer.verdict != SURE


def test_where_no_change_alone_does_some_together_are_named():
    said = "-tp 2 --enable-lora --max-loras 60 --max-lora-rank 64"
    found = fitted(said, model_shape("Qwen2.5-7B"), 14.74)
    assert [change.argument for change in found.changes] == [
        "--max-loras 7 --max-model-len 31744",
        "--max-lora-rank 8 --max-model-len 28672",
    ]
    said = "--enable-lora --max-loras 8 --max-lora-rank 512"
    found = fitted(said, model_shape("Llama-3.1-8B"), 11)
    assert found.changes
    for change in found.changes:
        assert change.argument.count("--") in (2, 3)
        again = fitted(
            f"{said} {change.argument}", model_shape("Llama-3.1-8B"), 11
        )
        assert again.verdict == SURE


def test_where_nothing_helps_no_change_is_named():
    said = "-tp 8 --enable-lora --max-loras 400 --max-lora-rank 64"
    found = fitted(said, model_shape("Llama-3.1-70B"), 4)
    assert (found.verdict, found.changes) == (NOT, ())
    assert "no two of these" in " ".join(found.notes)


def test_auto_is_the_longest_that_surely_fits():
    found = fitted("--max-model-len auto", card=23.63)
    assert found.verdict == SURE
    length = found.max_model_len
    assert 16384 < length < 131072
    assert fitted(f"--max-model-len {length}", card=23.63).verdict == SURE
    assert fitted(f"--max-model-len {length + 16}", card=23.63).verdict != SURE
    assert fitted("--max-model-len auto").max_model_len == 131072
    small = fitted("--max-model-len auto", card=12)
    assert small.verdict == NOT
    assert "not even one token" in " ".join(small.notes)


def test_between_low_and_high_it_may_start():
    low = fitted("", card=23.63).memory
    middle = (low.kv_tokens_low + low.kv_tokens_high) // 2
    found = fitted(f"--max-model-len {middle}", card=23.63)
    assert found.verdict == UNSURE
    assert "must fit" in found.reasons[0]


def test_float32_takes_twice_the_weights_slots_and_kv():
    usual, wide = (
        fitted(f"--enable-lora --max-model-len 8k --dtype {dtype}").memory
        for dtype in ("bfloat16", "float32")
    )
    assert wide.slot_bytes == 2 * usual.slot_bytes
    assert wide.kv_token_bytes == 2 * usual.kv_token_bytes
    assert math.isclose(wide.weight_bytes, 2 * usual.weight_bytes,
                        rel_tol=1e-3)  # fmt: skip


REFUSED = [
    ("--max-model-len 200k", "--max-model-len is 200,000, but the config"),
    ("--enable-lora --max-loras 8 --max-cpu-loras 4",
     "--max-cpu-loras is 4, but must be at least --max-loras = 8"),
    ("--max-num-seqs 512 --max-num-batched-tokens 256",
     "--max-num-batched-tokens is 256, but must be at least"),
    ("--lora-modules a=b", "--enable-lora is not there"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "sentence"), REFUSED)
def test_what_vllm_refuses_does_not_start_however_much_memory(said, sentence):
    found = fitted(said, card=1000)
    assert found.verdict == NOT
    assert sentence in found.reasons[0]
    assert found.changes == ()


def test_a_longer_model_may_be_forced_and_rope_may_lengthen_it():
    line = serve_line(
        "VLLM_ALLOW_LONG_MAX_MODEL_LEN=1 vllm serve M --max-model-len 200k"
    )
    assert fit(line, LLAMA, 79.1).verdict == SURE
    config = dict(LLAMA.config) | {
        "rope_scaling": {"rope_type": "yarn", "factor": 4.0}
    }
    shape = ModelShape.from_config(config)
    assert fitted("--max-model-len 200k", shape).verdict == SURE


def test_an_adapter_on_the_line_that_no_slot_holds_is_refused():
    folder = tenants.folder_of("json")  # of rank 16
    base = ModelShape.from_config(tenants.folder_of("base"))
    said = f"--enable-lora --lora-modules a={folder} --max-lora-rank "
    assert fitted(said + "16", base).verdict == SURE
    found = fitted(said + "8", base)
    assert (
        "adapter a has rank 16, above --max-lora-rank = 8"
        in (found.reasons[0])
    )


def test_an_a100s_other_defaults_are_said_until_they_are_given():
    assert any("A100" in note for note in fitted("").notes)
    said = "--max-num-seqs 256 --max-num-batched-tokens 2048"
    assert not any("A100" in note for note in fitted(said).notes)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("-tp 3", "tensor_parallel_size is 3, but must divide"),
        ("-tp 0", "tensor_parallel_size is 0"),
        ("-pp 99", "pipeline_parallel_size is 99"),
        ("--max-loras 0 --enable-lora", "max_loras is 0"),
        ("--max-loras 99999999999 --enable-lora", "max_loras is 99999999999"),
        ("--max-model-len 0", "max_model_len is 0"),
        ("--max-model-len -5", "max_model_len is -5"),
        ("--gpu-memory-utilization nan", "gpu_memory_utilization is nan"),
        ("--gpu-memory-utilization 1.5", "gpu_memory_utilization is 1.5"),
        ("--kv-cache-dtype nvfp4", "kv_cache_dtype is 'nvfp4'"),
        ("-q awq", "quantization is 'awq'"),
        ("--max-num-seqs -1", "max_num_seqs is -1"),
    ],
)
def test_settings_that_no_engine_has_are_the_ledgers_sentence(said, sentence):
    with pytest.raises(ValueError, match=sentence):
        fitted(said)
