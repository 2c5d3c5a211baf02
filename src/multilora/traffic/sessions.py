"""Sessions: users who stay with an adapter, and favourites that change.

A session is a run of requests of one user for one adapter. It brings a new
adapter, or takes up that of an earlier session, most likely a recent one. So
an adapter is born, is popular while its sessions breed others, and fades.
"""

from typing import NamedTuple

import numpy as np

from multilora.arguments import integer
from multilora.traffic.generators import MAX_ADAPTERS, bursts
from multilora.traffic.lengths import lognormal_tokens
from multilora.traffic.settings import checked_numbers

MAX_REQUESTS = 10**7
MAX_RUN = 1_000  # requests of one session


class Habits(NamedTuple):
    """How users behave, as session_arrivals plays it.

    run_mean and run_sigma: requests of a session, lognormal, at least one.
    think_s and think_sigma: median seconds between two of them, lognormal.
    sessions_per_s and cv: how many sessions begin a second, and how unevenly
    (traffic.bursts; 1 is Poisson). memory: a session s sessions back is
    taken up with a weight of 1 / (s + memory). own: the share of those that
    the same user takes up. new_user: the share of new adapters that come
    with a new user.
    """

    run_mean: float
    run_sigma: float
    think_s: float
    think_sigma: float
    sessions_per_s: float
    cv: float
    memory: float
    own: float
    new_user: float


_ALLOWED = {
    "run_mean": (1, 100),
    "run_sigma": (0.1, 3),
    "think_s": (1e-3, 1e6),
    "think_sigma": (0, 3),
    "sessions_per_s": (1e-6, 1e6),
    "cv": (0.1, 100),
    "memory": (1e-3, 1e6),
    "own": (0, 1),
    "new_user": (0, 1),
}
# Printed by tools/fit_traffic.py.
GENTD26 = Habits(3.63, 1.35, 111, 0.86, 0.00291, 1.54, 1.48, 0.71, 0.61)
GENTD26_BASE = Habits(9.38, 1.35, 111, 0.86, 0.00111, 1.5, 4.88, 0.71, 0.61)


class Sessions(NamedTuple):
    """Requests in order of time: seconds, and whose each is, from 0 on."""

    times_s: np.ndarray
    adapter_ids: np.ndarray
    user_ids: np.ndarray


def session_arrivals(
    num_requests: int,
    num_adapters: int,
    habits: Habits = GENTD26,
    seed: int = 0,
) -> Sessions:
    """Return the requests of users in sessions, with drifting popularity.

    Times are seconds, sorted; num_adapters adapters are asked for, numbered
    in the order of their first request. habits is GENTD26, GENTD26_BASE or
    your own. Seconds count while users are awake: there is no night.
    To take up an earlier session with a weight that falls as one over its
    age is the model of Cattuto, Loreto and Pietronero 2007, Semiotic dynamics
    and collaborative tagging (PNAS 104), after Simon 1955; runs and think
    times are measured on GenTD26, the rest is fitted (tools/fit_traffic.py).
    Raises ValueError for more adapters than the requests make sessions.
    """
    num_requests = integer("num_requests", num_requests, 1, MAX_REQUESTS)
    num_adapters = integer("num_adapters", num_adapters, 1, MAX_ADAPTERS)
    habits = Habits(*checked_numbers("habits", habits, Habits, _ALLOWED))
    seed = integer("seed", seed, minimum=0)
    rng = np.random.default_rng([seed, 3])
    runs = _runs(num_requests, habits, seed).astype(np.intp)
    if len(runs) < num_adapters:
        raise ValueError(
            f"num_adapters is {num_adapters:,}, but must be at most "
            f"{len(runs):,}: that many sessions have num_requests = "
            f"{num_requests:,}, and each is for one adapter"
        )
    adapters, users = _whose(len(runs), num_adapters, habits, rng)
    starts = bursts(len(runs), habits.sessions_per_s, habits.cv, seed)
    times = _times(starts, runs, habits, rng)
    order = np.argsort(times, kind="stable")
    session = np.repeat(np.arange(len(runs)), runs)[order]
    return Sessions(times[order], adapters[session], users[session])


def _runs(num_requests, habits, seed):
    """Return the requests of each session: as many as add up, the last cut."""
    runs = lognormal_tokens(
        num_requests, habits.run_mean, habits.run_sigma, MAX_RUN, seed
    )
    total = np.cumsum(runs)
    last = int(np.searchsorted(total, num_requests))
    runs[last] -= total[last] - num_requests
    return runs[: last + 1].astype(np.intp)


def _whose(num_sessions, num_adapters, habits, rng):
    """Return the adapter and the user of each session."""
    number = np.arange(num_sessions)
    is_new = np.zeros(num_sessions, dtype=bool)
    is_new[0] = True
    born = rng.permutation(num_sessions - 1)[: num_adapters - 1]
    is_new[1 + born] = True
    taken_up = _earlier(number, habits.memory, rng)
    adapters = _inherited(number, is_new, taken_up)
    # A session's user comes from the session taken up, or from another.
    other = _earlier(number, habits.memory, rng)
    is_own = ~is_new & (rng.random(num_sessions) < habits.own)
    is_first = is_new & (rng.random(num_sessions) < habits.new_user)
    is_first[0] = True
    users = _inherited(number, is_first, np.where(is_own, taken_up, other))
    return adapters, users


def _earlier(number, memory, rng):
    """Return an earlier session for each, s back with weight 1/(s + memory).

    The integral of the weight is a logarithm, so its inverse is a power.
    """
    back = (1 + number / memory) ** rng.random(len(number))
    steps = 1 + np.floor(memory * (back - 1)).astype(np.int64)
    return np.maximum(number - steps, 0)


def _inherited(number, is_first, parent):
    """Return a number for each: a fresh one, or that of the parent."""
    root = np.where(is_first, number, parent)
    while True:
        above = root[root]
        if (above == root).all():
            return (np.cumsum(is_first) - 1)[root]
        root = above


def _times(starts, runs, habits, rng):
    """Return when each request comes: its session's start, then pauses."""
    first = np.cumsum(runs) - runs
    pause = rng.lognormal(
        np.log(habits.think_s), habits.think_sigma, int(runs.sum())
    )
    pause[first] = 0
    since = np.cumsum(pause)
    return since + np.repeat(starts - since[first], runs)
