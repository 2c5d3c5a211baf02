"""Reading safetensors: held against the format's own library."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from multilora import tenants
from multilora.adapters import checkpoints
from multilora.adapters.checkpoints import CheckpointError, base_fingerprint

shapes = st.lists(st.integers(0, 4), max_size=3).map(tuple)
floats = st.sampled_from([np.float16, np.float32, np.float64])


@given(st.dictionaries(st.text("abc.", min_size=1), st.tuples(shapes, floats)))
def test_headers_and_values_are_those_of_the_library(tmp_path_factory, wanted):
    rng = np.random.default_rng(0)
    arrays = {
        name: rng.standard_normal(shape).astype(dtype)
        for name, (shape, dtype) in wanted.items()
    }
    path = tmp_path_factory.mktemp("st") / "model.safetensors"
    save_file(arrays, path)
    found = checkpoints.tensors(path)
    theirs = load_file(path)
    assert set(found) == set(theirs)
    for name, array in theirs.items():
        assert found[name].shape == array.shape
        assert found[name].num_bytes == array.nbytes
        np.testing.assert_array_equal(found[name].values(), array)


def test_bfloat16_is_the_upper_half_of_float32(tmp_path):
    values = np.array([1.0, -2.5, np.inf, 3.140625], np.float32)
    raw = (values.view(np.uint32) >> 16).astype("<u2").tobytes()
    header = json.dumps(
        {"w": {"dtype": "BF16", "shape": [4], "data_offsets": [0, 8]}}
    ).encode()
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + raw)
    np.testing.assert_array_equal(
        checkpoints.tensors(path)["w"].values(), values
    )


def test_the_shipped_base_reads_as_the_library_says():
    (path,) = checkpoints.weight_files(tenants.folder_of("base"))
    found = checkpoints.tensors(path)
    with safe_open(path, framework="numpy") as file:
        assert set(found) == set(file.keys())
        for name, tensor in found.items():
            assert list(tensor.shape) == file.get_slice(name).get_shape()
            assert tensor.dtype == file.get_slice(name).get_dtype() == "BF16"


def header_file(path, header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("header", "data", "sentence"),
    [
        (b"{", b"", "is not safetensors"),
        (b"[]", b"", "is not safetensors"),
        (b"\xff\xfe", b"", "is not safetensors"),
        ({"w": ENTRY}, b"1234", "cut short"),
        ({"w": ENTRY | {"shape": [3]}}, b"0" * 12, "takes 8 bytes"),
        ({"w": ENTRY | {"data_offsets": [0]}}, b"", "entry of w is broken"),
        ({"w": ENTRY | {"dtype": "X"}}, b"0" * 8, "entry of w is broken"),
        ({"w": ENTRY | {"dtype": 3}}, b"0" * 8, "entry of w is broken"),
        ({"w": [1]}, b"", "entry of w is broken"),
        ({"w": ENTRY | {"shape": [2.0]}}, b"0" * 8, "entry of w is broken"),
        ({"w": ENTRY | {"shape": [-1, -2]}}, b"0" * 8, "entry of w is"),
        ({"w": ENTRY | {"shape": [True, 2]}}, b"0" * 8, "entry of w is"),
        ({"w": ENTRY | {"shape": [2] + [1] * 70}}, b"0" * 8, "entry of w is"),
        ({"w": ENTRY, "v": ENTRY}, b"0" * 8, "w begins|v begins"),
        ({"w": ENTRY | {"data_offsets": [8, 16]}}, b"0" * 16, "but must at"),
        ({"w": ENTRY}, b"0" * 12, "4 bytes after its last tensor"),
        (b'{"w": {}, "w": {}}', b"", "is not safetensors"),
        (b"[" * 200_000, b"", "is not safetensors"),
        ({"w": ENTRY | {"data_offsets": [-8, 0]}}, b"", "entry of w|takes"),
    ],
)
def test_a_broken_file_is_named(tmp_path, header, data, sentence):
    path = header_file(tmp_path / "bad.safetensors", header, data)
    with pytest.raises(CheckpointError, match=sentence):
        checkpoints.tensors(path)


def test_one_name_in_two_files_is_refused(tmp_path):
    for name in ("m1", "m2"):
        save_file({"a": np.ones(2)}, tmp_path / f"{name}.safetensors")
    with pytest.raises(CheckpointError, match=r"m2.* holds a, which another"):
        base_fingerprint(tmp_path)


def test_a_file_that_shrinks_while_it_is_read_is_named(tmp_path):
    save_file({"a": np.ones(9)}, tmp_path / "m.safetensors")
    tensor = checkpoints.tensors(tmp_path / "m.safetensors")["a"]
    tensor.path.write_bytes(tensor.path.read_bytes()[:-20])
    with pytest.raises(CheckpointError, match="cut short while it was read"):
        tensor.values()


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="which is no file"):
        checkpoints.tensors(tmp_path / "absent.safetensors")
    with pytest.raises(CheckpointError, match=r"no \*\.safetensors in it"):
        base_fingerprint(tmp_path)
    for wrong in (None, 3, b"a", []):
        with pytest.raises(TypeError, match="folder is"):
            base_fingerprint(wrong)
    (tmp_path / "short.safetensors").write_bytes(b"123")
    with pytest.raises(CheckpointError, match="cut short"):
        base_fingerprint(tmp_path)
    whole = header_file(
        tmp_path / "ints.safetensors",
        {"w": {"dtype": "I64", "shape": [1], "data_offsets": [0, 8]}},
        b"0" * 8,
    )
    with pytest.raises(CheckpointError, match="has dtype I64"):
        checkpoints.tensors(whole)["w"].values()
