"""Who asks, and when: seeded traces of adapter ids and arrival times.

Ids run from 0 to num_adapters - 1. A trace of ids is an int64 array; the
same arguments give the same trace.
"""

import numpy as np

from multilora.arguments import finite_number, integer

MAX_REQUESTS = 10**9  # 8 GB of ids; beyond that a slip is likelier
MAX_ADAPTERS = 10**7


def uniform(num_requests: int, num_adapters: int, seed: int = 0) -> np.ndarray:
    """Return ids drawn independently, each adapter equally likely."""
    return _draw(uniform_popularity(num_adapters), num_requests, seed)


def zipf(
    num_requests: int, num_adapters: int, exponent: float = 1.0, seed: int = 0
) -> np.ndarray:
    """Return ids drawn independently, id k with weight 1 / (k+1)**exponent.

    exponent 0 is uniform; this is Zipf's law, not numpy's `power`.
    """
    popularity = zipf_popularity(num_adapters, exponent)
    return _draw(popularity, num_requests, seed)


def eighty_twenty(
    num_requests: int,
    num_adapters: int,
    num_hot: int | None = None,
    seed: int = 0,
) -> np.ndarray:
    """Return ids of which 80 % go to the first num_hot adapters.

    Draws are independent, even within the hot and within the cold ones.
    num_hot defaults to 20 % of the adapters, rounded, at least one.
    """
    popularity = eighty_twenty_popularity(num_adapters, num_hot)
    return _draw(popularity, num_requests, seed)


def cyclic(num_requests: int, num_adapters: int) -> np.ndarray:
    """Return 0, 1, …, num_adapters - 1, 0, 1, …: LRU's worst case."""
    num_requests = integer("num_requests", num_requests, 1, MAX_REQUESTS)
    num_adapters = integer("num_adapters", num_adapters, 1, MAX_ADAPTERS)
    return np.arange(num_requests) % num_adapters


def sticky(
    num_requests: int,
    num_adapters: int,
    stay: float = 0.9,
    seed: int = 0,
    num_sessions: int = 1,
) -> np.ndarray:
    """Return ids of num_sessions sessions at once, requests interleaved.

    Each request belongs to a session drawn uniformly. A session repeats its
    adapter with probability `stay`, else jumps to one drawn uniformly,
    maybe the same, so it lasts 1 / ((1 - stay) × (1 - 1/num_adapters)) of
    its own requests on average. Each adapter gets the same share in the
    long run.
    """
    stay = finite_number("stay", stay, minimum=0, maximum=1)
    num_sessions = integer("num_sessions", num_sessions, 1, MAX_ADAPTERS)
    jumps = uniform(num_requests, num_adapters, seed)
    rng = np.random.default_rng([_seed(seed), 1])
    moved = rng.random(len(jumps)) >= stay
    session = rng.integers(0, num_sessions, len(jumps))
    ids = np.empty_like(jumps)
    order = np.argsort(session, kind="stable")
    moved = moved[order]
    moved[0] = True
    moved[1:] |= np.diff(session[order]) > 0  # a session opens with a jump
    last_move = np.maximum.accumulate(
        np.where(moved, np.arange(len(order)), 0)
    )
    ids[order] = jumps[order][last_move]
    return ids


def drift(
    num_requests: int,
    num_adapters: int,
    exponent: float = 1.0,
    every: int = 500,
    seed: int = 0,
) -> np.ndarray:
    """Return ids of a Zipf popularity that wanders: zipf with a new favourite.

    The ranking starts as zipf's, 0 first. After every `every` requests an
    adapter drawn uniformly becomes the most popular, and those that stood
    before it go down by one. In between, draws are independent with the
    weights of zipf_popularity, so `every` of num_requests or more is zipf.
    Each adapter gets the same share in the long run.
    """
    every = integer("every", every, minimum=1)
    ids = zipf(num_requests, num_adapters, exponent, seed)  # ranks, so far
    rng = np.random.default_rng([_seed(seed), 2])
    ranking = np.arange(num_adapters)
    for start in range(every, len(ids), every):
        risen = rng.integers(0, num_adapters)  # a rank, of any adapter alike
        ranking[: risen + 1] = np.roll(ranking[: risen + 1], 1)
        ids[start : start + every] = ranking[ids[start : start + every]]
    return ids


def bursts(
    num_requests: int, rate: float, cv: float = 4.0, seed: int = 0
) -> np.ndarray:
    """Return arrival times in seconds with gamma gaps: mean 1/rate, given cv.

    cv is the gaps' standard deviation over their mean: 1 is Poisson, above
    it requests clump. Gaps are not clipped, so the rate is what it says.
    """
    num_requests = integer("num_requests", num_requests, 1, MAX_REQUESTS)
    rate = finite_number("rate", rate, minimum=1e-9, maximum=1e9)
    cv = finite_number("cv", cv, minimum=1e-3, maximum=1e3)
    rng = np.random.default_rng(_seed(seed))
    gaps = rng.gamma(1 / cv**2, cv**2 / rate, num_requests)
    return np.cumsum(gaps)


def poisson(
    num_adapters: int, rate: float, duration_s: float, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return (times, ids) of Poisson arrivals, `rate` a second per adapter.

    times are seconds from 0 to duration_s, sorted; ids say whose each is.
    The number of arrivals is random, with mean = variance = num_adapters ×
    rate × duration_s, and may be none.
    """
    num_adapters = integer("num_adapters", num_adapters, 1, MAX_ADAPTERS)
    rate = finite_number("rate", rate, minimum=0, maximum=1e9)
    duration_s = finite_number("duration_s", duration_s, above=0)
    mean = num_adapters * rate * duration_s
    if mean > MAX_REQUESTS:
        raise ValueError(
            f"num_adapters × rate × duration_s is {mean:.3g} arrivals, but "
            f"must be at most {MAX_REQUESTS:,}"
        )
    rng = np.random.default_rng(_seed(seed))
    # Given their number, Poisson arrivals are independent and uniform.
    num_requests = rng.poisson(mean)
    times = np.sort(rng.random(num_requests) * duration_s)
    return times, rng.integers(0, num_adapters, num_requests)


def uniform_popularity(num_adapters: int) -> np.ndarray:
    """Return the probability of each adapter: all equal."""
    num_adapters = integer("num_adapters", num_adapters, 1, MAX_ADAPTERS)
    return np.full(num_adapters, 1 / num_adapters)


def zipf_popularity(num_adapters: int, exponent: float = 1.0) -> np.ndarray:
    """Return the probability of each adapter under Zipf's law."""
    num_adapters = integer("num_adapters", num_adapters, 1, MAX_ADAPTERS)
    exponent = finite_number("exponent", exponent, minimum=0, maximum=40)
    weights = np.arange(1, num_adapters + 1.0) ** -exponent
    return weights / weights.sum()


def eighty_twenty_popularity(
    num_adapters: int, num_hot: int | None = None
) -> np.ndarray:
    """Return the probability of each adapter: 80 % on the hot ones."""
    num_adapters = integer("num_adapters", num_adapters, 2, MAX_ADAPTERS)
    if num_hot is None:
        num_hot = max(1, round(num_adapters / 5))
    num_hot = integer("num_hot", num_hot, minimum=1, maximum=num_adapters - 1)
    cold = np.full(num_adapters - num_hot, 0.2 / (num_adapters - num_hot))
    return np.concatenate([np.full(num_hot, 0.8 / num_hot), cold])


def _draw(popularity, num_requests, seed):
    num_requests = integer("num_requests", num_requests, 1, MAX_REQUESTS)
    rng = np.random.default_rng(_seed(seed))
    # One uniform number a request: neighbouring slider stops share them, so
    # a curve moves smoothly instead of flickering with fresh noise.
    edges = np.cumsum(popularity)
    ids = np.searchsorted(edges, rng.random(num_requests), side="right")
    return np.minimum(ids, len(popularity) - 1)


def _seed(seed):
    return integer("seed", seed, minimum=0)
