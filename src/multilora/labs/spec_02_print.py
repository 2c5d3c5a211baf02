"""The spec of lab 02, third part: the fingerprint of a base."""

import hashlib
import json
import tempfile
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import numpy as np

from multilora.adapters import checkpoints
from multilora.labs.slips import SlipError, require


class Part(NamedTuple):
    """A tensor as the spec writes it."""

    dtype: str
    shape: tuple[int, ...]
    raw: bytes


def test_fingerprint_is_a_sha256_of_names_and_values(base_fingerprint):
    weights = {
        "layer.2": _floats(2.0, 3.0, 0.5),
        "layer.10": _floats(1.0),
        "Norm": Part("BF16", (2, 2), bytes(range(64, 72))),
    }
    with tempfile.TemporaryDirectory() as folder:
        _write(folder, "model", weights)
        with mock.patch.object(checkpoints, "_CHUNK", 8):
            got = base_fingerprint(folder)
        _require_hex(got)
        file = Path(folder, "model.safetensors").read_bytes()
    require(
        got != hashlib.sha256(file).hexdigest(),
        "this is the sha256 of the file: a new header or other shards "
        "would change it, with the weights the same",
    )
    right = _digest(weights)
    if got == right:
        return
    require(got.lower() != right, "write the hex in small letters")
    for sentence, wrong in _slips(weights).items():
        require(got != wrong, f"not the sha256 that is described: {sentence}")
    raise SlipError("not the sha256 that is described")


def test_sharding_does_not_change_the_fingerprint(base_fingerprint):
    a, b, c = _floats(1.0), _floats(2.0, 3.0), _floats(4.0)
    with tempfile.TemporaryDirectory() as folder:
        whole, shards = Path(folder, "whole"), Path(folder, "shards")
        _write(whole, "model", {"a": a, "b": b, "c": c})
        _write(shards, "model-2", {"a": a})
        _write(shards, "model-1", {"c": c, "b": b})
        _require_hex(base_fingerprint(str(whole)))
        got = base_fingerprint(str(shards))
        for part in ({"a": a}, {"b": b, "c": c}):
            require(
                got != _digest(part),
                "only one of the two files is in the fingerprint: hash the "
                "tensors of all files",
            )
        require(
            base_fingerprint(str(whole)) == got,
            "the same weights in two files give another fingerprint: sort "
            "the tensors of all files by name, then hash",
        )


def test_one_changed_bit_changes_the_fingerprint(base_fingerprint):
    raw = bytes(range(56, 64))
    first = {"a": Part("F16", (2, 2), raw)}
    others = {
        "value": {"a": Part("F16", (2, 2), raw[:-1] + b"\x3e")},
        "name": {"b": first["a"]},
        "shape": {"a": Part("F16", (4,), raw)},
        "dtype": {"a": Part("BF16", (2, 2), raw)},
    }
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder, "first"), "model", first)
        kept = base_fingerprint(str(Path(folder, "first")))
        for what, weights in others.items():
            place = Path(folder, what)
            _write(place, "model", weights)
            require(
                base_fingerprint(str(place)) != kept,
                f"another {what} gives the same fingerprint",
            )


def _slips(weights):
    """Return {sentence: what this slip gives}."""
    halves = np.frombuffer(weights["Norm"].raw, "<u2").astype("<u4")
    raw = (halves << 16).tobytes()  # BF16 is the upper half of a float32
    wide = weights["Norm"]._replace(raw=raw)
    return {
        "sort the tensors by name": _digest(weights, order=list),
        "sort by name as text: layer.10 comes before layer.2": _digest(
            weights, order=lambda names: sorted(names, key=_by_number)
        ),
        "sort by name as it is: capitals come first": _digest(
            weights, order=lambda names: sorted(names, key=str.lower)
        ),
        "the names are left out": _digest(weights, "{1} {2}\n"),
        "the dtypes are left out": _digest(weights, "{0} {2}\n"),
        "the shapes are left out": _digest(weights, "{0} {1}\n"),
        "dtypes and shapes are left out": _digest(weights, "{0}\n"),
        "names, dtypes and shapes are left out": _digest(weights, ""),
        "the newline after the text is left out": _digest(
            weights, "{0} {1} {2}"
        ),
        "the shape is written as list(shape), in square brackets": _digest(
            weights, "{0} {1} {3}\n"
        ),
        "hash the bytes as they lie, from chunks(), not float32 values": (
            _digest(weights | {"Norm": wide})
        ),
        "the values are left out": _digest(weights, cut=slice(0)),
        "hash all of tensor.chunks(), not the first alone": _digest(
            weights, cut=slice(8)
        ),
    }


def _digest(weights, text="{0} {1} {2}\n", order=sorted, cut=slice(None)):
    digest = hashlib.sha256()
    for name in order(weights):
        dtype, shape, raw = weights[name]
        label = text.format(name, dtype, list(shape), tuple(shape))
        digest.update(label.encode())
        digest.update(raw[cut])
    return digest.hexdigest()


def _by_number(name):
    start, _, number = name.partition(".")
    return start, int(number or 0)


def _require_hex(got):
    is_hex = isinstance(got, str) and len(got) == 64
    require(is_hex, f"{got!r} is no sha256 in hex, 64 characters")


def _floats(*values):
    return Part("F32", (len(values),), np.array(values, "<f4").tobytes())


def _write(folder, name, weights):
    """A safetensors file of some tensors, header in the order given."""
    header, data = {}, b""
    for key, (dtype, shape, raw) in weights.items():
        offsets = [len(data), len(data) + len(raw)]
        header[key] = {
            "dtype": dtype, "shape": list(shape), "data_offsets": offsets,
        }  # fmt: skip
        data += raw
    text = json.dumps(header).encode()
    Path(folder).mkdir(parents=True, exist_ok=True)
    Path(folder, f"{name}.safetensors").write_bytes(
        len(text).to_bytes(8, "little") + text + data
    )
