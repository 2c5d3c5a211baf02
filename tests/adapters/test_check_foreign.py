"""Files of other formats, and hostile ones: a sentence each."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from made_adapters import PREFIX, sizes, write
from multilora.adapters.check import AdapterError, check_adapter
from multilora.models.shapes import ModelShape
from small_bases import BASES

LLAMA = ModelShape.from_config(BASES["llama"])
GOOD = sizes(LLAMA, ["q_proj"])
WEIGHTS = "adapter_model.safetensors"


def refused(folder, sentence, shape=LLAMA):
    with pytest.raises(AdapterError, match=sentence) as caught:
        check_adapter(folder, shape, 64)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_an_mlx_adapter_is_named_with_how_to_convert_it(tmp_path):
    folder = write(tmp_path / "it", GOOD)
    mlx = {"num_layers": 8, "lora_parameters": {"rank": 8, "scale": 10.0}}
    (folder / "adapter_config.json").write_text(json.dumps(mlx))
    refused(folder, "mlx-lm, which vLLM does not read: transpose each lora_a")
    (folder / WEIGHTS).rename(folder / "adapters.safetensors")
    (folder / "adapter_config.json").unlink()
    refused(folder, "mlx_lm.fuse")


def test_mlx_keys_under_a_peft_config_are_named(tmp_path):
    made = {"model.layers.0.self_attn.q_proj.lora_a": (64, 4)}
    refused(write(tmp_path / "it", made), "as mlx-lm writes it")


@pytest.mark.parametrize("file", ["adapter.msgpack", "params.npz",
                                  "_CHECKPOINT_METADATA"])  # fmt: skip
def test_a_jax_checkpoint_is_named(tmp_path, file):
    (tmp_path / file).write_bytes(b"x")
    refused(tmp_path, "a checkpoint of JAX, which vLLM does not read")


def test_jax_keys_are_named(tmp_path):
    made = {"params/layers_0/q_proj/lora_a/kernel": (64, 4)}
    refused(write(tmp_path / "it", made), "as JAX writes it")


@pytest.mark.parametrize("file", ["adapter_model.bin", "adapter_model.pt"])
def test_a_pickle_is_named_and_not_read(tmp_path, file):
    folder = write(tmp_path / "it", GOOD)
    (folder / WEIGHTS).rename(folder / file)
    refused(folder, "is a pickle, .* safetensors.torch.save_file")


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("model.embed_tokens.weight", "embed_tokens is saved in full"),
        ("lm_head.weight", "lm_head is saved in full, which vLLM refuses"),
        ("model.layers.0.self_attn.q_proj.lora_magnitude_vector", "DoRA's"),
        ("model.embed_tokens.token_adapter.trainable_tokens_delta",
         "trainable_token_indices"),
        ("score.weight", "a classifier's head"),
        ("model.layers.0.self_attn.q_proj.bias", "no lora_A or lora_B"),
        ("transformer.h.0.attn.c_attn.lora_A.weight", "fits no layer"),
    ],
)  # fmt: skip
def test_a_key_that_vllm_refuses_is_named(tmp_path, key, sentence):
    made = GOOD | {f"{PREFIX}{key}": (4, 64)}
    refused(write(tmp_path / "it", made), sentence)


def test_one_module_under_two_names_is_refused(tmp_path):
    twice = {key.removeprefix(PREFIX): size for key, size in GOOD.items()}
    refused(write(tmp_path / "it", GOOD | twice), "stands under two names")


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe{\x00}\x00",
        b"[" * 100_000,
        b'{"r": 8',
        b"",
        b"[1]",
        b" " * (2**24 + 1),
    ],
)
def test_a_config_that_is_not_json_is_named(tmp_path, content):
    folder = write(tmp_path / "it", GOOD)
    (folder / "adapter_config.json").write_bytes(content)
    refused(folder, "adapter_config.json is not JSON")


@pytest.mark.parametrize(
    "fields",
    [
        {"target_modules": 3},
        {"target_modules": [1, None]},
        {"target_parameters": "x"},
        {"modules_to_save": {"a": 1}},
        {"rank_pattern": 3},
        {"peft_type": ["LORA"] * 9999},
        {"r": 10**400},
        {"init_lora_weights": [1]},
    ],
)
def test_odd_fields_pass_or_are_named(tmp_path, fields):
    folder = write(tmp_path / "it", GOOD, **fields)
    try:
        check_adapter(folder, LLAMA, 64)
    except AdapterError as error:
        assert len(str(error)) < 500


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "cut short or not safetensors"),
        (b"\xff" * 64, "cut short or not safetensors"),
        ((2**62).to_bytes(8, "little") + b"{}", "its header should take"),
        ((8).to_bytes(8, "little") + b"\xff" * 8, "is not safetensors"),
    ],
)
def test_weights_that_are_not_safetensors_are_named(
    tmp_path, content, sentence
):
    folder = write(tmp_path / "it", GOOD)
    (folder / WEIGHTS).write_bytes(content)
    refused(folder, sentence)


def test_whole_numbers_are_no_weights(tmp_path):
    folder = write(tmp_path / "it", GOOD)
    tensors = {key: np.ones(size, np.int64) for key, size in GOOD.items()}
    save_file(tensors, folder / WEIGHTS)
    refused(folder, "has dtype I64, allowed")


def test_a_very_long_name_is_cut_in_the_sentence(tmp_path):
    made = GOOD | {f"{PREFIX}{'x' * 10_000}.lora_A.weight": (4, 64)}
    refused(write(tmp_path / "it", made), "xxx")
