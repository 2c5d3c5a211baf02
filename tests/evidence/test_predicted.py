"""Published runs are predicted with nothing fitted."""

import numpy as np

from multilora.evidence.predicted import (
    adapter_loads_table,
    load_errors,
    startup_table,
)


def test_published_startups_are_reproduced_with_nothing_fitted():
    table = startup_table()
    assert len(table["measured"]) == 78
    for model, measured, predicted in zip(
        table["model"], table["measured"], table["predicted"], strict=True
    ):
        error = abs(measured / predicted - 1)
        assert error <= (0.03 if model == "Qwen2.5-7B" else 0.075)


def test_published_loads_are_met_by_the_set_order_and_not_by_lru():
    rows = adapter_loads_table()
    small = [row for row in rows if row["slots"] <= 64]
    ours, ideal = load_errors(rows, "set_order"), load_errors(rows, "ideal")
    assert len(rows) == 140 and len(ours) == len(ideal) == 127
    assert np.median(ours) < 0.07 and np.median(ideal) > 0.5
    errors = load_errors(small, "set_order")
    assert len(errors) == 109
    assert np.median(errors) < 0.07
    assert np.quantile(errors, 0.9) < 0.15
    four = [(16, 64, 0.01), (8, 128, 0.02), (32, 128, 0.05), (8, 64, 0.1)]
    chosen = [
        row
        for row in rows
        if (row["slots"], row["adapters"], row["rate"]) in four
    ]  # fmt: skip
    assert len(chosen) == 4
    assert load_errors(chosen, "set_order").max() < 0.1
