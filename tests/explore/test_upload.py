"""A reader's log through the button: read, or told in one sentence."""

import gzip
from importlib.resources import files

import numpy as np
import pytest
from ipywidgets import FileUpload

from multilora.explore import upload as module
from multilora.explore.upload import log_of, log_upload

GOOD = b"time,adapter,prompt_tokens,output_tokens\n0,a,5,6\n1.5,b,7,8\n"


@pytest.fixture
def button(monkeypatch):
    monkeypatch.setattr(module, "display", lambda bundle, raw: None)
    return log_upload()


@pytest.fixture
def choose(button):
    """Put a file into the button by the message that a browser sends."""

    def choose(content, name="mine.csv"):
        file = {"name": name, "type": "", "size": len(content),
                "content": memoryview(content),
                "last_modified": 1_770_000_000_000}  # fmt: skip
        button.set_state({"value": [file]})
        return button

    return choose


def example_num():
    path = files("multilora").joinpath("data/example_log.csv.gz")
    return gzip.decompress(path.read_bytes()).count(b"\n") - 1


def test_a_stored_page_holds_a_sentence_and_no_button(monkeypatch):
    shown = []
    monkeypatch.setattr(
        module, "display", lambda bundle, raw: shown.append(bundle)
    )
    button = log_upload()
    assert isinstance(button, FileUpload) and not button.multiple
    (bundle,) = shown
    assert bundle["text/plain"] == module.WAITING
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_without_a_file_it_is_the_example(button, capsys):
    assert log_of(button).num_requests == example_num()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_log_that_was_chosen_is_read_like_any_file(choose, pack, capsys):
    log = log_of(choose(pack(GOOD)))
    assert log.tenants == ("a", "b")
    assert np.array_equal(log.times_s, [0, 1.5])
    assert log.prompt_tokens.tolist() == [5, 7]
    assert capsys.readouterr().out == ""


def test_options_are_those_of_read_log(choose):
    bare = b"time,model\n0,base\n1,a\n2,a\n"
    log = log_of(
        choose(bare), prompt_default=9, output_default=3, base_names=["base"]
    )
    assert log.tenants == ("a",) and log.prompt_tokens.tolist() == [9] * 3


def test_a_log_of_which_some_lines_are_broken_is_not_refused(choose):
    log = log_of(choose(GOOD + b"x,a,1,2\n\xff\xfe,b\n"))
    assert log.num_requests == 2 and log.num_skipped == 2


BAD = {
    "empty": b"",
    "binary": b"\x00\x01\x02\xff" * 999,
    "picture": b"\x89PNG\r\n\x1a\n\x00\x00" + bytes(500),
    "zip": b"PK\x03\x04" + bytes(100),
    "utf-16": GOOD.decode().encode("utf-16"),
    "only a header": GOOD.partition(b"\n")[0],
    "no time": b"adapter,prompt_tokens\na,5\n",
    "prose": b"Dear reader,\nthis is no log.\n",
    "gzip of nothing": gzip.compress(b""),
    "gzip cut off": gzip.compress(GOOD)[:12],
    "deep JSON": b"[" * 200_000,
    "of the base": b"time,adapter,prompt_tokens,output_tokens\n0,,5,6\n",
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_log_is_one_sentence_and_the_example(choose, capsys, kind):
    log = log_of(choose(BAD[kind], "mine.csv"))
    assert log.num_requests == example_num()
    said = capsys.readouterr().out
    assert said.startswith("upload is 'mine.csv'")
    assert said.endswith("The example log is used.\n")
    assert said.count("\n") == 1 and "/" not in said


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_what_is_too_large_is_refused_before_it_is_read(
    choose, capsys, monkeypatch, pack
):
    """By its unpacked size: a small file can hold gigabytes."""
    monkeypatch.setattr(module, "MAX_BYTES", 1_000_000)
    monkeypatch.setattr(module, "read_log", lambda path: path)
    log_of(choose(pack(GOOD + b"0,a,1,1\n" * 200_000)))
    assert "holds more than" in capsys.readouterr().out


def test_names_of_files_and_tenants_print_as_plain_text(choose, capsys):
    log_of(choose(b"", "\x1b[2J\n../evil.csv"))
    said = capsys.readouterr().out
    assert "\x1b" not in said and said.count("\n") == 1


def test_no_uploaded_file_stays_behind(choose, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(module.tempfile, "tempdir", str(tmp_path))
    log_of(choose(GOOD))
    log_of(choose(b""))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_a_sentence(choose, capsys, monkeypatch):
    monkeypatch.setattr(module.tempfile, "tempdir", "/nowhere")
    assert log_of(choose(GOOD)).num_requests == example_num()
    assert "The example log is used." in capsys.readouterr().out


@pytest.mark.parametrize("other", [None, "mine.csv", b"", {}, 3])
def test_another_thing_than_the_button_is_named(other):
    with pytest.raises(TypeError, match="upload is"):
        log_of(other)
