"""A calibration's file: whole or not at all, and read with suspicion."""

import json
import os

import pytest

from bad_input import WRONG as WRONG_VALUES
from made_calibration import CALIBRATION
from multilora.serving.calibration import (
    read_calibration,
    write_calibration,
)


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "engine.json"
    write_calibration(CALIBRATION, path)
    return path


def changed(path, **changes):
    data = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(data | changes))
    return path


def test_what_is_written_is_read(written):
    assert read_calibration(written) == CALIBRATION
    assert read_calibration(str(written)) == CALIBRATION
    assert json.loads(written.read_text("utf-8"))["version"] == 1


def test_a_file_is_there_whole_or_not_at_all(written, monkeypatch):
    before = written.read_bytes()

    def fails(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(ValueError, match="cannot be written"):
        write_calibration(CALIBRATION._replace(drift=1.05), written)
    assert written.read_bytes() == before
    assert list(written.parent.iterdir()) == [written]


def test_no_folder_to_write_to_is_a_sentence(tmp_path):
    with pytest.raises(ValueError, match="name a file in a folder"):
        write_calibration(CALIBRATION, tmp_path / "none" / "engine.json")
    with pytest.raises(ValueError, match="path is "):
        write_calibration(CALIBRATION, tmp_path)


WRONG = {
    "version": (2, "of format version 2; this library reads version 1: cal"),
    "format": ("another", "holds no calibration: calibrate again"),
    "drift": (0, "drift of calibration is 0.* calibrate again"),
    "cost": ({"step_ns": 1}, "holds no calibration .*missing"),
    "limits": ([1, 2], "holds no calibration"),
    "model": (None, "model of calibration"),
    "machine": ({"cpu": [1]}, "machine of calibration"),
    "residuals": ({"alone": "x"}, "residuals of calibration"),
    "notes": ([1], "notes of calibration"),
    "prompt_tokens": ([5, 2], "prompt_tokens of calibration"),
    "output_tokens": ([5], "holds no calibration"),
    "num_requests": (-1, "num_requests of calibration"),
    "seconds": (float("nan"), "seconds of calibration"),
    "unknown": (1, "unexpected"),
}


@pytest.mark.parametrize("field", WRONG)
def test_each_wrong_field_is_a_sentence(written, field):
    value, sentence = WRONG[field]
    with pytest.raises(ValueError, match=sentence):
        read_calibration(changed(written, **{field: value}))


def test_wrong_costs_are_refused(written):
    cost = json.loads(written.read_text("utf-8"))["cost"]
    for wrong in (-1, 1.5, "1", 10**30, None, True):
        path = changed(written, cost=cost | {"seq_ns": wrong})
        with pytest.raises(ValueError, match="seq_ns of cost"):
            read_calibration(path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "not whole, or not JSON"),
        (b"[" * 100_000, "not whole, or not JSON"),
        (b"\xff\xfe", "not whole, or not JSON"),
        (b"[1]", "holds no calibration"),
        (b"null", "holds no calibration"),
        (b" " * (2**20 + 1), "larger than a calibration ever is"),
    ],
)
def test_other_files_are_sentences(tmp_path, content, sentence):
    path = tmp_path / "it"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=sentence):
        read_calibration(path)


@pytest.mark.parametrize("wrong", WRONG_VALUES, ids=range(len(WRONG_VALUES)))
def test_a_path_that_is_none_is_named(tmp_path, monkeypatch, wrong):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((ValueError, TypeError), match="path is "):
        read_calibration(wrong)
    if not isinstance(wrong, str):
        with pytest.raises((ValueError, TypeError), match="path is "):
            write_calibration(CALIBRATION, wrong)
    assert list(tmp_path.iterdir()) == []


def test_a_cut_or_missing_file_is_a_sentence(written):
    written.write_bytes(written.read_bytes()[:-20])
    with pytest.raises(ValueError, match="not whole, or not JSON: calibrate"):
        read_calibration(written)
    with pytest.raises(ValueError, match="cannot be read"):
        read_calibration(written.parent / "none")
    with pytest.raises(ValueError, match="cannot be read"):
        read_calibration(written.parent)
