"""The fit of the terms: it finds what made the hours, and the KV pool."""

import json

import numpy as np
import pytest

from multilora.evidence import hours_fit
from multilora.evidence.hours_file import Hour
from multilora.evidence.hours_play import play_hour, slot_bytes
from multilora.memory.kv import kv_bytes_per_token
from multilora.models.shipped import model_shape

HOUR = Hour(
    "Qwen2.5-7B", 8, 16, (0.3, 0.6), (6, 4), 40.0, 1, 120.0, 40.0, 1.0, 1.0,
    1.0, np.nan, np.nan,
)  # fmt: skip


def made_hour(terms, **changes):
    """An hour that was measured on a simulated engine of these terms."""
    hour = HOUR._replace(**changes)
    one = play_hour(hour, terms, "plain")
    return hour._replace(
        num_done=round(one.rate * hour.seconds),
        p50_ms=one.p50_ms,
        p99_ms=one.p99_ms,
        tpot_ms=one.tpot_ms,
    )


def test_the_search_finds_the_terms_that_made_the_hours(monkeypatch):
    monkeypatch.setattr(hours_fit, "FACTORS", (1.3, 1.1))
    true = hours_fit.START._replace(step_ms=22.0, first_use_ms=400.0)
    hours = [made_hour(true), made_hour(true, max_loras=4, counts=(8, 4))]
    said = []
    found = hours_fit.fit_terms(hours, progress=said.append)
    losses = [float(line.split()[-1]) for line in said]
    assert losses == sorted(losses, reverse=True)
    at_start = sum(
        hours_fit._loss(hour, play_hour(hour, hours_fit.START))
        for hour in hours
    )
    assert losses[-1] < 0.1 * at_start
    assert found.step_ms == pytest.approx(22, rel=0.15)
    assert isinstance(found.seq_knee, int)


def test_no_hours_are_no_fit():
    with pytest.raises(ValueError, match="hours holds none"):
        hours_fit.fit_terms([])
    with pytest.raises(TypeError, match="hours holds 'x'"):
        hours_fit.fit_terms(["x"])


def test_the_pool_is_what_made_the_shares():
    """A running request of 350 tokens, a pool of 30 GiB, three engines."""
    pool, per_token = 30 * 2**30, kv_bytes_per_token(model_shape(HOUR.model))
    hours = []
    for slots in (8, 64, 192):
        hour = HOUR._replace(max_loras=slots)
        tokens = (pool - slot_bytes(hour.model, slots, 16)) / per_token
        hours.append(
            hour._replace(num_running=0.9 * tokens / 350, kv_share=0.9)
        )
    assert hours_fit.kv_bytes(hours) == pytest.approx(pool, rel=1e-6)
    with pytest.raises(ValueError, match="hours holds 2 that fill 70%"):
        hours_fit.kv_bytes([*hours[:2], hours[2]._replace(kv_share=0.1)])


def test_a_file_holds_a_row_a_line():
    text = hours_fit.as_text({"what": "x", "rows": [[1, 2], [3, 4]]})
    assert json.loads(text) == {"what": "x", "rows": [[1, 2], [3, 4]]}
    assert text.count("\n") == len(text.splitlines()) == 7


def test_what_was_written_is_what_is_read_next(tmp_path, monkeypatch):
    """main() plays the hours with the terms that it has just written."""
    monkeypatch.setattr(hours_fit, "files", lambda package: tmp_path)
    (tmp_path / "data").mkdir()
    told = []
    monkeypatch.setattr(hours_fit, "forget", lambda: told.append("forgot"))
    hours_fit._write("hours", {"rows": [[1]]})
    assert told == ["forgot"]
    text = (tmp_path / "data/hours.json").read_text("utf-8")
    assert json.loads(text) == {"rows": [[1]]}


def test_a_file_that_cannot_be_fitted_is_a_sentence(tmp_path, capsys):
    assert hours_fit.main([str(tmp_path / "none.csv")]) == 1
    assert "No such file" in capsys.readouterr().err
    assert hours_fit.main([]) == 2
