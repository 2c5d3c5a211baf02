"""The capture script at tiny size."""

import json
from pathlib import Path

import pytest

from multilora.engine import capture
from multilora.evidence.capture import summary

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore")]


def test_the_capture_script_runs_at_tiny_size(tmp_path):
    path = tmp_path / "capture.json"
    capture.main(path)
    found = json.loads(path.read_text())
    (run,) = found["runs"]
    assert [row["num_adapters"] for row in run["sweep"]] == [1, 2, 4]
    assert run["memory"]["slot_bytes"] > 0
    assert all(value > 0 for row in run["sweep"] for value in row.values())
    assert "small base, max_loras=4" in summary(found)
    with pytest.raises(SystemExit, match="no CUDA here: name a file"):
        capture.main()


def test_a_captured_line_is_in_no_source_of_vllm():
    import vllm

    root = Path(vllm.__file__).parent
    said = [
        path
        for path in root.rglob("*.py")
        if any(
            phrase in path.read_text("utf-8", errors="replace")
            for phrase in ("Model weights take", "LoRA adapter loaded:")
        )
    ]
    assert not said
