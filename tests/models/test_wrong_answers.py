"""The table of wrong answers: sources, versions, conditions, chances."""

import random

import pytest

from bad_input import WRONG
from multilora.canary.wrong import CHECKS
from multilora.models.wrong_answers import (
    shared_id_probability,
    wrong_answers,
)

ALL = {row.id: row for row in wrong_answers()}


def ids(version, **options):
    return {row.id for row in wrong_answers(version, **options)}


def test_each_row_says_where_it_is_from_and_what_to_do():
    for row in ALL.values():
        assert row.how in ("reported", "read", "run")
        assert row.checked and row.do and row.canary
        assert row.sources or row.how == "read"
        assert row.check is None or row.check in CHECKS
        assert ("multilora canary" in row.canary) == bool(row.canary)
        for url in row.sources:
            assert url.startswith("https://github.com/vllm-project/vllm/")


def test_a_release_has_what_was_reported_and_not_what_was_mended():
    assert "cpu-copies-of-shards" in ids("0.9.2")
    assert ids("0.9.2").isdisjoint({"stale-slots", "moe-base-rows"})
    assert {"stale-slots", "moe-base-rows"} <= ids("0.22.1")
    assert "stale-slots" in ids("0.24.0") - ids("0.28.0")
    assert ALL["stale-slots"].standing("0.28.0") == "not known"
    assert ALL["stale-slots"].standing("0.32.0+cpu") == "fixed"
    assert "text-adapter-on-wrapper" in ids("0.32.0") - ids("0.33.0")
    assert ids("0.40.0") == {"shared-ids"}  # a release that nobody read


def test_what_is_not_known_is_there_when_asked_for():
    more = ids("0.28.0", with_unknown=True)
    assert ids("0.28.0") < more and "stale-slots" in more
    assert "stale-slots" not in ids("0.32.0", with_unknown=True)


def test_conditions_are_read_from_a_serve_line():
    row = ALL["cpu-copies-of-shards"]
    facts = {"tensor_parallel_size": 2, "max_loras": 4, "max_cpu_loras": 8}
    assert row.is_met(facts) is True
    assert row.is_met(facts | {"max_cpu_loras": 4}) is False
    assert row.is_met(facts | {"tensor_parallel_size": 1}) is False
    del facts["max_cpu_loras"]
    assert row.is_met(facts) is None
    assert row.is_met({"tensor_parallel_size": 1}) is False, "decides alone"
    lmcache = ALL["lmcache-mp-keys"]
    assert lmcache.is_met({"kv_connector": "LMCacheMPConnector"}) is True
    assert lmcache.is_met({"kv_connector": "NixlConnector"}) is False
    with pytest.raises(TypeError, match="facts holds tensor_parallel_size"):
        row.is_met({"tensor_parallel_size": "two"})


def test_wrong_versions_are_named():
    for wrong in WRONG:
        if wrong is not None:  # every row
            with pytest.raises((ValueError, TypeError), match="vllm_version"):
                wrong_answers(wrong)
        if not isinstance(wrong, int) or wrong not in (0, 1):
            with pytest.raises((ValueError, TypeError), match="with_unknown"):
                wrong_answers("0.32.0", wrong)


@pytest.mark.parametrize("num", [0, 1, 2, 5, 30])
def test_the_chance_of_a_shared_id_is_that_of_draws(num):
    rng = random.Random(num)
    tries = 4000
    draws = [[rng.randrange(50) for _ in range(num)] for _ in range(tries)]
    shared = sum(len(set(ids)) < num for ids in draws) / tries
    assert shared_id_probability(num, 50) == pytest.approx(shared, abs=0.03)


def test_the_chances_that_the_page_prints():
    assert shared_id_probability(30) == pytest.approx(0.043, abs=5e-4)
    assert shared_id_probability(100) == pytest.approx(0.391, abs=5e-4)
    assert shared_id_probability(10_001) == 1
    near = [shared_id_probability(n, 10**8) for n in (999, 1000, 1001)]
    assert near == sorted(near) and near[2] - near[0] < 1e-4
