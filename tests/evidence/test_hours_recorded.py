"""The recorded hours: tables against plain loops over the file's rows."""

import numpy as np
import pytest

from bad_input import each_wrong_value
from multilora.evidence import hours_recorded as recorded
from multilora.evidence.hours_play import OVERLOADED_MS, hour_limits
from multilora.evidence.hours_score import part_of
from multilora.published import published

RECORD = published("hours")
ROWS = [dict(zip(RECORD["columns"], row, strict=True))
        for row in RECORD["rows"]]  # fmt: skip
GOOD = {
    recorded.ladder_table: ("Qwen2.5-7B", 320, 16),
    recorded.ladder_lines: ("Qwen2.5-7B", 320, 16),
    recorded.kv_tokens_left: ("Qwen2.5-7B", 8, 16),
    recorded.score_of: ("fitted",),
    recorded.missed_lines: (2, 12),
}

test_each_wrong_value_works_or_is_named = each_wrong_value(GOOD)


def test_the_table_holds_the_rows_by_column():
    table = recorded.hours_table()
    assert list(table) == RECORD["columns"]
    for name, column in table.items():
        assert column.tolist() == [row[name] for row in ROWS]


@pytest.mark.parametrize("model", ["Llama-3.1-8B", "Qwen2.5-7B"])
@pytest.mark.parametrize("num_adapters", [8, 128, 320, 384])
@pytest.mark.parametrize("rank", [16, 32])
def test_a_ladder_is_the_hours_that_differ_in_slots_only(
    model, num_adapters, rank
):
    key = (model, num_adapters, rank)
    mine = [
        row
        for row in ROWS
        if (row["model"], row["num_adapters"], row["max_lora_rank"]) == key
    ]
    lowest = min(row["asked_per_s"] for row in mine)
    mine = [row for row in mine if row["asked_per_s"] == lowest]
    mine.sort(key=lambda row: row["max_loras"])
    ladder = recorded.ladder_table(*key)
    kv_tokens = ladder.pop("kv_tokens").tolist()
    for name, column in ladder.items():
        assert column.tolist() == [row[name] for row in mine]
    assert len(set(ladder["max_loras"].tolist())) == len(mine)
    assert sorted(set(kv_tokens), reverse=True) == kv_tokens
    assert len(recorded.ladder_lines(*key)) == len(mine)


def test_the_slots_leave_what_the_played_engine_has():
    for hour in recorded.example_hours():
        left = recorded.kv_tokens_left(
            hour.model, hour.max_loras, hour.max_lora_rank
        )
        assert hour_limits(hour).num_gpu_blocks == left // 16


def test_the_examples_are_recorded_hours():
    hours = recorded.example_hours()
    assert [hour.p99_ms < OVERLOADED_MS for hour in hours] == (
        [True] * 10 + [False] * 3
    )
    for hour in hours:
        assert any(
            (row["model"], row["max_loras"], row["num_adapters"],
             row["max_lora_rank"])
            == (hour.model, hour.max_loras, hour.num_adapters,
                hour.max_lora_rank)
            and row["asked_per_s"] == float(f"{hour.num_asked_per_s:.4g}")
            and row["p99_ms"] == float(f"{hour.p99_ms:.4g}")
            for row in ROWS
        )  # fmt: skip
    assert part_of(hours, "all") == hours


@pytest.mark.parametrize("part", ["fitted", "validation"])
def test_a_recorded_score_is_that_of_its_rows(part):
    score = recorded.score_of(part)
    mine = [row for row in ROWS if row["part"] == part]
    calm = [row for row in mine if row["p99_ms"] < OVERLOADED_MS]
    over = [row for row in mine if row["p99_ms"] >= OVERLOADED_MS]
    assert (score.num_hours, score.num_calm) == (len(mine), len(calm))

    def off(row, name):
        ratio = row[f"simulated_{name}"] / row[name]
        return max(ratio, 1 / ratio)

    for name in ("tpot", "p50", "p99"):
        median = np.median([off(row, f"{name}_ms") for row in calm])
        assert getattr(score, name) == pytest.approx(median, rel=2e-3)
    within = np.mean([off(row, "p99_ms") < 2 for row in calm])
    assert score.p99_within_2 == pytest.approx(within, abs=0.03)
    for rows, name in ((calm, "calm_right"), (over, "overloaded_right")):
        right = np.mean([
            (row["simulated_p99_ms"] < OVERLOADED_MS) == (rows is calm)
            for row in rows
        ])  # fmt: skip
        assert getattr(score, name) == pytest.approx(right, abs=0.03)


def test_the_calm_hours_that_are_far_off_are_found():
    factors = [
        row["simulated_p99_ms"] / row["p99_ms"]
        for row in ROWS
        if row["p99_ms"] < OVERLOADED_MS
    ]
    wanted = [f for f in factors if max(f, 1 / f) > 2]
    wanted.sort(key=lambda f: -max(f, 1 / f))
    _, *lines, last = recorded.missed_lines(2, most=300)
    assert [line.split()[-1] for line in lines] == [
        f"{factor:.2f}" for factor in wanted
    ]
    assert last == f"{len(wanted)} of {len(factors)} calm hours"
    assert len(recorded.missed_lines(2, most=0)) == 2


def test_lines_fit_a_page():
    lines = [
        *recorded.hour_lines(recorded.example_hours()),
        *recorded.ladder_lines("Qwen2.5-7B", 320),
        *recorded.missed_lines(),
    ]
    assert max(map(len, lines)) <= 78
    assert " 2  Llama-3.1-8B    8       32   16" in lines[3]


def test_hours_that_were_not_run_are_named():
    with pytest.raises(ValueError, match="num_adapters is 77 and max_lora_r"):
        recorded.ladder_table("Qwen2.5-7B", 77)
    with pytest.raises(ValueError, match="model is 'GPT'"):
        recorded.ladder_table("GPT", 320)
    with pytest.raises(ValueError, match="part is 'half'"):
        recorded.score_of("half")
