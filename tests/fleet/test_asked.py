"""What a fleet cannot be asked is a sentence that names the argument."""

import numpy as np
import pytest

from multilora.fleet.events import Dies, Joins, Onboards
from multilora.fleet.play import serve_fleet
from multilora.routing.given import METRICS, NOTHING, Rule
from multilora.serving.cost import step_cost
from multilora.serving.limits import engine_limits
from multilora.serving.workload import make_workload

COST = step_cost(10, 0, 0, 0, 0, 100)
LIMITS = engine_limits(2, 8, 512)
FOUR = make_workload([0] * 4, [0, 1, 0, 1], 8, 4)


def play(**asked):
    return serve_fleet(FOUR, LIMITS, COST, **{"num_engines": 2, **asked})


BAD = {
    "Dies, Joins or Onboards": ["x"],
    "at_s of": [Dies(-1, 0)],
    "back_s of": [Dies(1, 0, 0.5)],
    "engine of": [Dies(1, 7)],
    "not there then": [Dies(1, 1), Dies(2, 1)],
    "tenant of": [Onboards(1, 9, (0,))],
    "is empty": [Onboards(1, 0, ())],
    "an engine of": [Onboards(1, 0, (5,))],
    "on engine 2 at 2 s, but it joins at 3 s": [
        Onboards(1, 0, (0, 2), 1),
        Joins(3),
    ],
    "not there": [Joins(5), Dies(1, 2)],
}


@pytest.mark.parametrize("words", BAD)
def test_an_event_that_cannot_be_is_named(words):
    with pytest.raises((ValueError, TypeError), match=words):
        play(events=BAD[words])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"num_engines": 0}, "num_engines is 0"),
        ({"homes": [[0]]}, "homes holds 1"),
        ({"homes": [[0], []]}, r"homes\[1\] is empty"),
        ({"homes": [[0], [2]]}, r"homes\[1\]"),
        ({"homes": [0, 1]}, r"homes\[0\] is 0"),
        ({"homes": [np.array(0), [1]]}, r"homes\[0\] is array\(0\)"),
        ({"homes": [b"\0", [1]]}, r"homes\[0\] is b"),
        ({"homes": [[0], {1: 1}]}, r"homes\[1\] is {1: 1}"),
        ({"rule": "round_robbin"}, "rule is 'round_robbin'.*'round_robin'"),
        ({"rule": 3}, "rule is 3"),
        ({"scrape_ms": -1}, "scrape_ms"),
        ({"retry_ms": float("nan")}, "retry_ms"),
        ({"engine": "fast"}, "engine"),
    ],
)
def test_what_a_fleet_cannot_be_is_a_sentence(wrong, words):
    with pytest.raises((ValueError, TypeError), match=words):
        play(**wrong)


def test_limits_are_one_or_one_an_engine():
    with pytest.raises(ValueError, match="limits holds 3"):
        serve_fleet(FOUR, [LIMITS] * 3, COST, num_engines=2)


def test_homes_are_rows_of_any_kind():
    wanted = play(homes=[[0], [1]], rule="placed")
    for homes in (
        np.array([[0], [1]]), [{0}, {1}], [[np.int64(0)], (1, 1)],
        (iter([k]) for k in range(2)),
    ):  # fmt: skip
        fleet = play(homes=homes, rule="placed")
        assert (fleet.engine_of == wanted.engine_of).all()


def always(chosen, reads=NOTHING, scrape_ms=0.0):
    """A user's own rule, which chooses one thing whatever it is asked."""
    return Rule("mine", lambda s: lambda a: chosen, reads, scrape_ms, False,
                "this test")  # fmt: skip


@pytest.mark.parametrize(
    "chosen",
    [None, 1.0, True, float("nan"), "0", [0], np.array([0, 1]), -1, 99],
    ids=str,
)
def test_a_rule_that_chooses_no_engine_is_named(chosen):
    with pytest.raises(ValueError, match="rule 'mine' chose engine"):
        play(rule=always(chosen))


def test_a_rule_may_choose_by_numpy_but_not_the_dead():
    assert (play(rule=always(np.int64(1))).engine_of == 1).all()
    with pytest.raises(ValueError, match=r"chose engine 1 .* one of \[0\]"):
        play(rule=always(1), events=[Dies(0, 1)])


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (always(0)._replace(make=None), "make of rule is None"),
        (always(0)._replace(make=lambda s: 3), "'mine' returned 3"),
        (always(0, "count"), "reads of rule is 'count'"),
        (always(0, METRICS, None), "scrape_ms of rule is None"),
        (always(0)._replace(name=3), "name of rule is 3"),
    ],
)
def test_a_rule_of_ones_own_that_is_none_is_named(rule, words):
    with pytest.raises((ValueError, TypeError), match=words):
        play(rule=rule)
