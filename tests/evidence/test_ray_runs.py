"""The recorded run of Ray Serve: its loads, and those of LRU slots."""

from collections import OrderedDict

import pytest

from multilora.evidence.ray_runs import ray_lines, ray_runs
from multilora.published import published

ROWS = published("ray_run")["runs"]


def plain_loads(setting):
    """The loads of each run of a setting, by a plain loop."""
    held, found = {}, []
    for row in (row for row in ROWS if row["setting"] == setting):
        columns = (row["sent_ms"], row["took_ms"], row["adapter"],
                   row["replica"])  # fmt: skip
        done = sorted(
            (sent + took, place, adapter, replica)
            for place, (sent, took, adapter, replica) in enumerate(
                zip(*columns, strict=True)
            )
        )
        found.append(0)
        for _, _, adapter, replica in done:
            names = held.setdefault(replica, OrderedDict())
            found[-1] += adapter not in names
            names[adapter] = names.pop(adapter, None)
            if len(names) > row["max_models"]:
                names.popitem(last=False)
    return found


def test_the_split_is_played_as_a_plain_loop_does():
    for setting in dict.fromkeys(row["setting"] for row in ROWS):
        runs = [run for run in ray_runs() if run.setting == setting]
        assert [run.num_on_split for run in runs] == plain_loads(setting)


def test_our_slots_load_as_often_as_ray_serve_did():
    for run in ray_runs():
        assert run.num_on_split == pytest.approx(
            run.num_loads, rel=0.15, abs=2
        )


def test_the_lines_are_short_and_have_every_run():
    lines = ray_lines()
    assert len(lines) == 1 + len(ROWS)
    assert max(map(len, lines)) <= 78
