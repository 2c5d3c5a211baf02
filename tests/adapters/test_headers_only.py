"""A file of which only the header was fetched: all but its weights."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import made_adapters
from multilora import tenants
from multilora.adapters.check import AdapterError, check_adapter
from multilora.adapters.checkpoints import (
    CheckpointError,
    is_header_alone,
    tensors,
)
from multilora.adapters.foreign import WEIGHTS
from multilora.adapters.misfits import MISFITS, make_misfit
from multilora.models.shapes import ModelShape
from multilora.models.shipped import model_shape

BASE = ModelShape.from_config(tenants.folder_of("base"))
SQL = tenants.folder_of("sql")
# What only the weights tell.
OF_WEIGHTS = {"NaN weights", "cut in half"}


def header_of(folder, more=0):
    """Leave of a folder's weights the header, and a few bytes more."""
    file = folder / WEIGHTS
    content = file.read_bytes()
    length = 8 + int.from_bytes(content[:8], "little")
    file.write_bytes(content[: length + more])
    return folder


def said(folder, shape=BASE, **options):
    """The facts of a folder without what is said of its weights, or why."""
    try:
        facts = check_adapter(folder, shape, 16, **options)
    except AdapterError as error:
        return str(error)
    return [value for name, value in vars(facts).items() if name != "notes"]


@pytest.mark.parametrize("name", tenants.tenant_names())
def test_a_header_says_of_a_real_adapter_what_the_file_does(name, tmp_path):
    folder = shutil.copytree(tenants.folder_of(name), tmp_path / name)
    whole = said(folder)
    header_of(folder)
    assert is_header_alone(folder / WEIGHTS)
    assert said(folder, headers_only=True) == whole
    with pytest.raises(AdapterError, match="is cut short"):
        check_adapter(folder, BASE, 16)
    notes = check_adapter(folder, BASE, 16, headers_only=True).notes
    assert "only the header of its file was read" in notes[-1]


@pytest.mark.parametrize("kind", MISFITS)
def test_each_misfit_is_refused_by_its_header_but_for_its_weights(
    kind, tmp_path
):
    folder = make_misfit(kind, SQL, tmp_path / "it")
    whole = said(folder)
    by_header = said(folder, headers_only=True)
    if kind in OF_WEIGHTS:
        assert isinstance(whole, str) and not isinstance(by_header, str)
    else:
        assert by_header == whole


@given(st.integers(0, 4096))
@settings(max_examples=25, deadline=None)
def test_the_file_may_end_anywhere_behind_its_header(more):
    path = SQL / WEIGHTS
    content = path.read_bytes()
    length = 8 + int.from_bytes(content[:8], "little")
    whole = tensors(path)
    with tempfile.TemporaryDirectory() as folder:
        cut = Path(folder) / WEIGHTS
        cut.write_bytes(content[: length + more])
        found = tensors(cut, headers_only=True)
        assert is_header_alone(cut) == (more == 0)
        assert found.keys() == whole.keys()
        for name, tensor in found.items():
            assert tensor.shape == whole[name].shape
            assert tensor.num_bytes == whole[name].num_bytes
        cut.write_bytes(content[: max(0, length - 1 - more % length)])
        with pytest.raises(CheckpointError, match="is cut short"):
            tensors(cut, headers_only=True)


def test_a_header_tells_what_a_wrapper_would_not_apply(tmp_path):
    """The text-only class's names on Gemma-3-12B's wrapper, 0.32 and 0.33."""
    shape = model_shape("Gemma-3-12B")
    sizes = {}
    for layer in range(2):
        place = f"base_model.model.model.layers.{layer}.self_attn.q_proj"
        sizes[f"{place}.lora_A.weight"] = (4, 3840)
        sizes[f"{place}.lora_B.weight"] = (4096, 4)
    folder = header_of(made_adapters.write(tmp_path / "a", sizes))
    with pytest.raises(AdapterError, match="apply nothing"):
        check_adapter(folder, shape, 16, headers_only=True)
    facts = check_adapter(
        folder, shape, 16, headers_only=True, vllm_version="0.33.0"
    )
    assert facts.share_applied == 1


def test_what_is_no_header_alone():
    assert not is_header_alone(SQL / WEIGHTS)
    assert not is_header_alone(SQL / "adapter_config.json")
    assert not is_header_alone(SQL / "none")
    assert not is_header_alone(SQL)


def test_a_wrong_headers_only_is_named():
    with pytest.raises(ValueError, match="headers_only is 'x'"):
        check_adapter(SQL, BASE, 16, headers_only="x")
