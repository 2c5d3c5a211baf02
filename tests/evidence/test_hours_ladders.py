"""The rule against hours that were measured, by hand and on the record."""

import pytest

from multilora.evidence.hours_ladders import (
    GOOD,
    Ladder,
    ladder_score,
    ladders,
    main,
    score_lines,
)
from multilora.evidence.hours_recorded import example_hours

HOURS = example_hours()


def ladder(measured, simulated, hits):
    """A ladder of 8, 16, … slots with these figures, in ms."""
    hours = tuple(
        HOURS[0]._replace(max_loras=8 * 2**k, p99_ms=ms)
        for k, ms in enumerate(measured)
    )
    return Ladder(hours, tuple(simulated), tuple(hits))


def test_the_rule_takes_the_most_slots_of_those_alike():
    one = ladder([900, 300, 310], [800, 204, 200], [0.5, 0.92, 1])
    assert one.chosen() == 2 and one.by_hits() == 1
    assert one.factor(2) == pytest.approx(310 / 300)


def test_where_more_slots_take_the_kv_it_takes_fewer():
    one = ladder([274, 620], [300, 700], [0.6, 0.95])
    assert one.chosen() == 0 and one.by_hits() == 1
    good = ladder_score([one])
    assert (good.num_ladders, good.good, good.worst) == (1, 1, 1)
    assert ladder_score([one], is_by_hits=True).good == 0


def test_a_score_is_the_share_within_the_limit():
    rows = [
        ladder([100, 100 * GOOD + 1], [2, 1], [0, 1]),
        ladder([100, 119], [2, 1], [0, 1]),
    ]
    assert ladder_score(rows).good == 0.5


def test_hours_that_differ_in_slots_alone_make_a_ladder():
    hour = HOURS[0]
    other = hour._replace(max_loras=2 * hour.max_loras)
    apart = hour._replace(max_lora_rank=8, max_loras=4)
    found = ladders([other, hour, hour, apart], "plain")
    assert [len(one.hours) for one in found] == [2]
    assert found[0].hours == (hour, other)
    assert all(ms > 0 for ms in found[0].simulated_ms)


def test_an_engine_that_cannot_be_is_left_out():
    hour = HOURS[0]
    full = hour._replace(max_loras=9_000)
    assert ladders([hour, full], "plain") == []


def test_the_command_says_what_it_needs(tmp_path, capsys):
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err
    assert main([str(tmp_path / "none.csv")]) == 1
    assert "No such file" in capsys.readouterr().err


def test_no_ladders_is_named():
    with pytest.raises(ValueError, match="found is empty"):
        score_lines([])
    with pytest.raises(TypeError, match="found holds 3"):
        ladder_score([3])
