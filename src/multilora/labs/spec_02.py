"""The spec of lab 02. Each test takes the functions it tests by name."""

import hashlib
import json
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from multilora.labs.switch import require


class Said(NamedTuple):
    """A reply as the spec makes it."""

    token_ids: tuple
    logprobs: tuple


def test_merged_layer_answers_as_base_plus_adapter(merge_weights):
    W, A, B, x = _numbers((6, 5), (2, 5), (6, 2), (4, 5))
    kept = W.copy()
    got = merge_weights(W, A, B, 3.0)
    require((kept == W).all(), "W was changed in place: it is everybody's")
    delta = B @ A
    for slip, wrong in {
        "the scaling is forgotten": W + delta,
        "the base is missing": 3.0 * delta,
        "the base is scaled too": 3.0 * (W + delta),
    }.items():
        require(not _is(got, wrong), f"merge_weights: {slip}")
    require(_is(got, W + 3.0 * delta), "merge_weights differs from W + s B A")
    require(_is(x @ got.T, x @ W.T + 3.0 * x @ A.T @ B.T), "not base + delta")


def test_equal_runs_have_no_difference(eval_diff):
    run = [Said((5, 6, 2), (-0.5, -0.25, -0.125)), Said((2,), (-1.0,))]
    got = eval_diff(run, list(run))
    _require_diff(got, 2, 2, {}, 0.0)


def test_the_first_other_token_is_found(eval_diff):
    left = [_said(5, 6, 2), _said(7, 8, 9, 2), _said(2)]
    right = [_said(5, 6, 2), _said(7, 9, 8, 2), _said(2)]
    _require_diff(eval_diff(left, right), 3, 2, {1: 1}, 0.0)


def test_a_reply_that_stops_early_differs_where_it_stops(eval_diff):
    short, long = [_said(5, 6)], [_said(5, 6, 2)]
    for left, right in ((short, long), (long, short)):
        got = eval_diff(left, right)
        require(
            _field(got, "num_equal") == 0,
            "a reply that stops early was counted as equal: does zip stop "
            "at the shorter one?",
        )
        _require_diff(got, 1, 0, {0: 2}, 0.0)


def test_logprobs_are_compared_up_to_the_first_other_token(eval_diff):
    left = [Said((5, 6, 7), (-0.5, -1.0, -8.0)), Said((2,), (-1.0,))]
    right = [Said((5, 6, 9), (-0.5, -0.75, -1.0)), Said((2,), (-1.5,))]
    got = eval_diff(left, right)
    require(
        _field(got, "max_logprob_difference") != 7.0,
        "logprobs of different tokens were compared: stop at the first "
        "other token",
    )
    require(
        _field(got, "max_logprob_difference") != -0.25,
        "a difference has no sign here: take its absolute value",
    )
    _require_diff(got, 2, 1, {0: 2}, 0.5)


def test_fingerprint_is_a_sha256_of_names_and_values(base_fingerprint):
    with tempfile.TemporaryDirectory() as folder:
        _write(folder, "model", {"b": [2.0, 3.0], "a": [1.0]})
        got = base_fingerprint(folder)
        _require_hex(got)
        wanted = hashlib.sha256()
        for name, values in (("a", [1.0]), ("b", [2.0, 3.0])):
            wanted.update(f"{name} F32 [{len(values)}]\n".encode())
            wanted.update(np.array(values, "<f4").tobytes())
        file = Path(folder, "model.safetensors").read_bytes()
        require(
            got != hashlib.sha256(file).hexdigest(),
            "this is the sha256 of the file: a new header or other shards "
            "would change it, with the weights the same",
        )
        require(got == wanted.hexdigest(), "not the sha256 that is described")


def test_sharding_does_not_change_the_fingerprint(base_fingerprint):
    with tempfile.TemporaryDirectory() as folder:
        whole, shards = Path(folder, "whole"), Path(folder, "shards")
        _write(whole, "model", {"a": [1.0], "b": [2.0, 3.0], "c": [4.0]})
        _write(shards, "model-2", {"a": [1.0]})
        _write(shards, "model-1", {"c": [4.0], "b": [2.0, 3.0]})
        _require_hex(base_fingerprint(str(whole)))
        require(
            base_fingerprint(str(whole)) == base_fingerprint(str(shards)),
            "the same weights in two files give another fingerprint: sort "
            "the tensors of all files by name, then hash",
        )


def test_one_changed_bit_changes_the_fingerprint(base_fingerprint):
    with tempfile.TemporaryDirectory() as folder:
        seen = set()
        one_bit_more = np.nextafter(np.float32(2.0), np.float32(3.0))
        for number, (name, second) in enumerate(
            (("a", 2.0), ("a", one_bit_more), ("b", 2.0))
        ):
            place = Path(folder, str(number))
            _write(place, "model", {name: [1.0, second]})
            seen.add(base_fingerprint(str(place)))
        require(
            len(seen) == 3,
            "another value or another name gives the same fingerprint",
        )


def _numbers(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.integers(-4, 5, shape).astype(float) for shape in shapes]


def _is(got, wanted):
    got = np.asarray(got)
    return got.shape == wanted.shape and np.allclose(got, wanted)


def _said(*tokens):
    return Said(tokens, tuple(-0.125 for _ in tokens))


def _field(got, name):
    kind = type(got).__name__
    require(hasattr(got, name), f"a {kind} came back: return an EvalDiff")
    return getattr(got, name)


def _require_diff(got, num_prompts, num_equal, first, largest):
    for field, wanted in (
        ("num_prompts", num_prompts),
        ("num_equal", num_equal),
        ("first_differences", first),
        ("max_logprob_difference", largest),
    ):
        value = _field(got, field)
        require(value == wanted, f"{field} is {value}, but must be {wanted}")


def _require_hex(got):
    is_hex = isinstance(got, str) and len(got) == 64
    require(is_hex, f"{got!r} is no sha256 in hex, 64 characters")


def _write(folder, name, weights):
    """A safetensors file of float32 vectors, header in the order given."""
    header, data = {}, b""
    for key, values in weights.items():
        raw = np.array(values, "<f4").tobytes()
        offsets = [len(data), len(data) + len(raw)]
        header[key] = {
            "dtype": "F32", "shape": [len(values)], "data_offsets": offsets,
        }  # fmt: skip
        data += raw
    text = json.dumps(header).encode()
    Path(folder).mkdir(parents=True, exist_ok=True)
    Path(folder, f"{name}.safetensors").write_bytes(
        len(text).to_bytes(8, "little") + text + data
    )
