"""A merged model: base plus adapter, and what cannot be merged."""

import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from multilora.adapters.check import AdapterError
from multilora.adapters.checkpoints import base_fingerprint, tensors
from multilora.adapters.merged import write_merged
from multilora.adapters.misfits import make_misfit
from multilora.models.shapes import ModelShape
from multilora.tenants import folder_of


def test_the_merged_model_differs_only_in_the_adapted_layers(tmp_path):
    base = folder_of("base")
    folder = write_merged(base, folder_of("sql"), tmp_path / "merged")
    merged = load_file(folder / "model.safetensors")
    before = tensors(base / "model.safetensors")
    adapted = {
        key.removeprefix("base_model.model.").split(".lora_")[0] + ".weight"
        for key in tensors(folder_of("sql") / "adapter_model.safetensors")
    }
    changed = {
        name
        for name, tensor in before.items()
        if not np.array_equal(tensor.values(), merged[name])
    }
    assert changed == adapted and len(adapted) == 14
    assert ModelShape.from_config(folder).num_params == 352_896
    assert (folder / "tokenizer.json").is_file()


def test_an_adapter_that_does_not_fit_is_not_merged(tmp_path):
    bad = make_misfit("NaN weights", folder_of("sql"), tmp_path / "bad")
    with pytest.raises(AdapterError, match="NaN"):
        write_merged(folder_of("base"), bad, tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def test_what_cannot_be_merged_is_refused_and_nothing_overwritten(
    tmp_path, sql_copy
):
    base = shutil.copytree(folder_of("base"), tmp_path / "base")
    before = base_fingerprint(base)
    for folder in (base, tmp_path / "base/../base"):
        with pytest.raises(ValueError, match="would be overwritten"):
            write_merged(base, folder_of("sql"), folder)
    assert base_fingerprint(base) == before
    file = sql_copy / "adapter_model.safetensors"
    weights = load_file(file) | {
        "base_model.model.lm_head.lora_A.weight": np.ones((8, 128), "f4"),
        "base_model.model.lm_head.lora_B.weight": np.ones((192, 8), "f4"),
    }
    save_file(weights, file)
    with pytest.raises(AdapterError, match="sql adapts lm_head"):
        write_merged(base, sql_copy, tmp_path / "merged")


def test_what_is_no_adapter_is_named():
    with pytest.raises(TypeError, match="adapter is None"):
        write_merged(folder_of("base"), None, "somewhere")
