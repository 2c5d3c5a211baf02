"""Adapter files: public ones explained, sizes as safetensors writes them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from multilora.adapters.file import (
    adapter_file_bytes,
    adapter_params,
    adapter_tensors,
    explain_file_bytes,
)
from multilora.models.shapes import ALL_LINEAR, ModelShape
from multilora.models.shipped import model_shape
from multilora.published import published

ADAPTERS = published("adapters")["rows"]
TINY = ModelShape.from_config({
    "model_type": "llama", "hidden_size": 32, "intermediate_size": 48,
    "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 2, "vocab_size": 70,
})  # fmt: skip


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
    size = adapter_file_bytes(TINY, rank, modules, **options)
    assert size == len(written)


def test_dtypes_go_by_either_name():
    for short, long in (("F32", "float32"), ("BF16", "bfloat16")):
        sizes = {
            adapter_file_bytes(TINY, 8, "all-linear", dtype)
            for dtype in (short, long)
        }
        assert len(sizes) == 1


def test_a_file_that_nothing_explains_gets_no_story():
    assert explain_file_bytes(10**8, TINY, 8, "all-linear") is None


LLAMA = model_shape("Llama-2-7B")
BAD = [
    (adapter_params, (LLAMA, 0, "all-linear"), ValueError, "rank"),
    (adapter_params, (LLAMA, 8, ["wq"]), ValueError, "'wq'"),
    (adapter_file_bytes, (LLAMA, 8, "all-linear", "F8"),
     ValueError, "dtype is 'F8'"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "arguments", "error", "named"), BAD)
def test_bad_input_is_named(function, arguments, error, named):
    with pytest.raises(error, match=named):
        function(*arguments)
