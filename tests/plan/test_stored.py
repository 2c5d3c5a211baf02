"""A plan's file comes back whole, and a hostile one is a sentence."""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_plans import one_engine, setting
from multilora.plan.answer import Outcome, Tenant
from multilora.plan.stored import read_plan, write_plan

OUTCOME = Outcome(
    p50_ms=40, p99_ms=90, gap_ms=None, share=1, hit_rate=0.9, busy=0.5,
    num_slot_loads=1, num_disk_loads=0,
)  # fmt: skip


def plan(name="a"):
    one = Tenant(
        name=name, rank=8, num_requests=6, requests_per_s=2.0,
        mean_prompt_tokens=40, mean_output_tokens=9, p50_ms=40, p99_ms=90,
        gap_ms=None, meets_slo=True,
    )  # fmt: skip
    return one_engine("base", (one,), setting(), OUTCOME, 500, 300, 6)


@given(st.text(min_size=1, max_size=30).filter(lambda t: t.isprintable()))
def test_what_is_written_is_read(name):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "plan.json"
        write_plan(plan(name), file)
        assert read_plan(file) == plan(name)
        assert list(Path(folder).iterdir()) == [file]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "not whole, or not JSON"),
        (b"\xff\xfe\x00", "not whole, or not JSON"),
        (b"[" * 10**5, "not whole, or not JSON"),
        (b"[]", "holds no plan"),
        (b'{"format": "multilora calibration"}', "holds no plan"),
    ],
)
def test_another_file_is_a_sentence(content, sentence, tmp_path):
    file = tmp_path / "plan.json"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=sentence) as caught:
        read_plan(file)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"version": 2}, "of format version 2; this library reads"),
        ({"version": True}, "of format version True"),
        ({"engines": []}, "engines: Tuple should have at least 1"),
        ({"seconds": -1}, "seconds: Input should be greater"),
        ({"seconds": float("nan")}, "seconds: Input should be"),
        ({"more": 1}, "more: Extra inputs are not permitted"),
        ({"model": "x" * 5000}, "model: String should have at most 4096"),
        ({"num_requests": 10**30}, "num_requests: "),
    ],
)
def test_a_plan_with_what_cannot_be_is_a_sentence(changes, sentence, tmp_path):
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(plan().model_dump() | changes))
    with pytest.raises(ValueError, match=sentence) as caught:
        read_plan(file)
    assert len(str(caught.value)) < 500


def test_a_plan_that_was_cut_is_a_sentence(tmp_path):
    file = tmp_path / "plan.json"
    write_plan(plan(), file)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="not whole"):
        read_plan(file)
    with pytest.raises(ValueError, match="cannot be read"):
        read_plan(tmp_path)
    with pytest.raises(ValueError, match="cannot be written"):
        write_plan(plan(), tmp_path / "no/plan.json")
