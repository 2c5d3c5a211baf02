"""The ledger beside public logs: the loading line, the KV tokens."""

import pytest

from multilora.evidence.starts import public_starts

ROWS = {row["id"]: row for row in public_starts()}


@pytest.mark.parametrize("name", ROWS)
def test_the_loading_line_is_within_one_and_a_half_percent(name):
    row = ROWS[name]
    if row["loading_gib"] is None:
        pytest.skip("this log has no loading line")
    assert row["our_loading_gib"] == pytest.approx(
        row["loading_gib"], rel=0.015
    )


@pytest.mark.parametrize("name", ROWS)
def test_the_kv_tokens_lie_in_the_range(name):
    row = ROWS[name]
    assert row["kv_tokens_low"] <= row["kv_tokens"] <= row["kv_tokens_high"]


def test_most_rows_need_no_assumption():
    plain = [row for row in ROWS.values() if row["assumed"] is None]
    assert len(plain) >= 6
    for row in plain:
        assert row["our_loading_gib"] == pytest.approx(
            row["loading_gib"], rel=0.004
        )
