"""Sessions are what they say, and as local as the public trace."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora.cache.hitrate import hit_rate_curve
from multilora.published import published
from multilora.serving.workload import make_workload
from multilora.traffic import sessions
from multilora.traffic.locality import (
    favourites_kept,
    own_share,
    zipf_slope,
)
from multilora.traffic.sessions import (
    GENTD26,
    GENTD26_BASE,
    session_arrivals,
)

PUBLIC = published("public_traffic")["gentd26"]
SLOTS = (4, 8, 32, 128)
HABITS = {"all": GENTD26, "timed": GENTD26, "base": GENTD26_BASE}


def made(part, seed):
    of = PUBLIC[part]
    return session_arrivals(
        of["num_uses"], of["num_adapters"], HABITS[part], seed
    )


def off(part, trace):
    """Generated minus published hit rate at the four slot counts."""
    curve = hit_rate_curve(trace.adapter_ids)
    return np.array([
        curve[slots - 1] - PUBLIC[part]["hit_rate"][
            PUBLIC["slots"].index(slots)
        ]
        for slots in SLOTS
    ])  # fmt: skip


@pytest.mark.parametrize("part", HABITS)
def test_hits_are_those_of_the_public_trace(part):
    """Within 3 points as it comes; a trace scatters, so no seed is far."""
    found = np.array([off(part, made(part, seed)) for seed in range(8)])
    assert abs(found[0]).max() < 0.03
    assert abs(found.mean(axis=0)).max() < 0.025
    assert abs(found).max() < 0.045


def test_a_shuffle_of_the_same_ids_hits_as_little_as_the_public_one():
    """So it is the order that hits, not the popularity."""
    ids = made("timed", 0).adapter_ids
    shuffled = hit_rate_curve(np.random.default_rng(0).permutation(ids))
    public = PUBLIC["timed"]["shuffled"][PUBLIC["slots"].index(8)]
    assert shuffled[7] == pytest.approx(public, abs=0.05)


def test_users_repeat_their_adapter_as_often_as_measured():
    shares = [
        own_share(trace.times_s, trace.adapter_ids, trace.user_ids)
        for trace in (made("timed", seed) for seed in range(6))
    ]
    of = PUBLIC["sessions"]
    assert np.mean(shares) == pytest.approx(of["own_share"], abs=0.01)
    num_users = len(np.unique(made("timed", 0).user_ids))
    assert num_users == pytest.approx(of["num_users"], rel=0.1)


def test_favourites_change_and_popularity_is_zipf_like():
    traces = [made("timed", seed).adapter_ids for seed in range(10)]
    public = PUBLIC["timed"]
    kept = np.mean([favourites_kept(ids) for ids in traces])
    assert kept == pytest.approx(public["favourites_kept"], abs=2)
    for num_top, slope in zip((50, 200), public["zipf"], strict=True):
        found = np.mean([zipf_slope(ids, num_top) for ids in traces])
        assert found == pytest.approx(slope, abs=0.1)


def test_the_settings_are_measured_where_the_figures_are():
    of = PUBLIC["sessions"]
    for habits in (GENTD26, GENTD26_BASE):
        assert habits.think_s == of["think_median_s"]
        assert habits.think_sigma == of["think_sigma"]
        assert habits.own == of["returns_own"]
        assert habits.new_user == of["users_per_adapter"]


@given(
    st.integers(1, 12), st.integers(2_000, 2_200), st.integers(0, 99),
    st.sampled_from([GENTD26, GENTD26_BASE]),
)  # fmt: skip
def test_every_trace_has_what_was_asked(num_adapters, num, seed, habits):
    times, ids, users = session_arrivals(num, num_adapters, habits, seed)
    assert len(times) == len(ids) == len(users) == num
    assert (np.diff(times) >= 0).all() and times[0] >= 0
    first_used = ids[np.sort(np.unique(ids, return_index=True)[1])]
    assert first_used.tolist() == list(range(num_adapters))
    assert set(users.tolist()) == set(range(users.max() + 1))
    again = session_arrivals(num, num_adapters, habits, seed)
    assert (again.times_s == times).all() and (again.user_ids == users).all()
    assert make_workload(times, ids).num_adapters == num_adapters


@given(st.data(), st.integers(1, 40))
def test_who_inherits_is_who_a_loop_says(data, num):
    """Each session in turn: a fresh number, or that of its parent."""
    first = data.draw(st.lists(st.booleans(), min_size=num, max_size=num))
    first[0] = True
    parent = [
        data.draw(st.integers(0, max(place - 1, 0))) for place in range(num)
    ]
    expected, fresh = [], 0
    for place in range(num):
        if first[place]:
            expected.append(fresh)
            fresh += 1
        else:
            expected.append(expected[parent[place]])
    found = sessions._inherited(
        np.arange(num), np.array(first), np.array(parent)
    )
    assert found.tolist() == expected


@given(st.lists(st.integers(1, 5), min_size=1, max_size=9), st.integers(0, 99))
def test_times_are_a_start_and_pauses(runs, seed):
    starts = np.cumsum(np.arange(1.0, len(runs) + 1))
    pauses = np.random.default_rng(seed).lognormal(
        np.log(GENTD26.think_s), GENTD26.think_sigma, sum(runs)
    )
    expected, place = [], 0
    for start, run in zip(starts, runs, strict=True):
        now = start
        for request in range(run):
            now += pauses[place] if request else 0
            expected.append(now)
            place += 1
    found = sessions._times(
        starts, np.array(runs), GENTD26, np.random.default_rng(seed)
    )
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("memory", [0.5, 2, 20])
def test_how_far_back_a_session_looks(memory):
    """s back has the integral of 1 / (x + memory) from s - 1 to s."""
    number = np.full(100_000, 50)
    back = 50 - sessions._earlier(number, memory, np.random.default_rng(1))
    found = np.bincount(back, minlength=51)[1:] / len(back)
    edges = np.log((np.arange(51) + memory) / memory)
    assert back.min() == 1 and back.max() <= 50
    assert found == pytest.approx(np.diff(edges) / edges[-1], abs=0.006)


def test_requests_that_do_not_overlap_hit_a_slot_all_their_run():
    """One session at a time: all but the first request of each hit."""
    calm = GENTD26._replace(sessions_per_s=1e-6, cv=0.1)
    ids = session_arrivals(4_000, 50, calm).adapter_ids
    changes = (np.diff(ids) != 0).sum()
    assert hit_rate_curve(ids)[0] == 1 - (changes + 1) / 4_000
    assert changes < 4_000 / GENTD26.run_mean * 1.2


def test_more_adapters_than_sessions_are_named():
    with pytest.raises(ValueError, match="num_adapters is 90, but must be at"):
        session_arrivals(100, 90)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"run_mean": 0.5}, "run_mean of habits is 0.5"),
        ({"memory": 0}, "memory of habits is 0"),
        ({"own": float("nan")}, "own of habits is nan"),
        ({"cv": "x"}, "cv of habits is 'x'"),
    ],
)
def test_a_wrong_habit_is_named(change, named):
    with pytest.raises((ValueError, TypeError), match=named):
        session_arrivals(100, 5, GENTD26._replace(**change))
