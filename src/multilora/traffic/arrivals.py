"""When requests arrive: each tenant at a rate of his own, evenly or not.

Every function returns (times in seconds, adapter ids), sorted by time; the
same arguments give the same arrivals.
"""

import numpy as np
import numpy.typing as npt

from multilora.arguments import (
    finite_number,
    integer,
    real_array,
    require_finite,
    shown,
)
from multilora.traffic.generators import MAX_ADAPTERS, bursts

MAX_ARRIVALS = 10**8
MAX_RATE = 1e9
MAX_S = 10**9  # as a workload allows
DAY_S = 86_400


def poisson_arrivals(
    rates: npt.ArrayLike, duration_s: float, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return Poisson arrivals: rates[k] a second for adapter k.

    times lie from 0 to duration_s. The number for adapter k is random, with
    mean and variance rates[k] × duration_s; there may be none. Raises
    ValueError for no rates, a negative one, or too many arrivals.
    """
    rates, duration_s = _checked(rates, duration_s)
    rng = _rng(seed)
    nums = rng.poisson(rates * duration_s).astype(np.intp)
    ids = np.repeat(np.arange(len(rates)), nums)
    return _sorted(rng.random(len(ids)) * duration_s, ids)


def bursty_arrivals(
    rates: npt.ArrayLike, duration_s: float, cv: float = 4.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return arrivals that clump, each tenant's on their own.

    The gaps of one tenant are those of traffic.bursts: mean 1 / rate, cv
    times that as standard deviation. A tenant starts at a moment of his
    process long under way, so that all do not burst together at 0.
    """
    rates, duration_s = _checked(rates, duration_s)
    cv = finite_number("cv", cv, 1e-3, 1e2)
    seed = integer("seed", seed, minimum=0)
    parts = [
        _one_tenant(rate, duration_s, cv, [seed, adapter_id])
        for adapter_id, rate in enumerate(rates)
    ]
    ids = np.repeat(np.arange(len(rates)), [len(part) for part in parts])
    return _sorted(np.concatenate(parts), ids)


def diurnal_arrivals(
    rates: npt.ArrayLike,
    duration_s: float,
    peak_hour: float = 9.0,
    peak_share: float = 0.5,
    width_hours: float = 1.0,
    day_s: float = DAY_S,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Return Poisson arrivals whose rate follows a day with one peak.

    peak_share of a day's requests fall on a bell around peak_hour with a
    standard deviation of width_hours, the rest evenly; rates are means over
    a day, and duration_s counts from midnight. All tenants share the peak.
    day_s below 86,400 presses a day of 24 shorter hours together.
    """
    rates, duration_s = _checked(rates, duration_s)
    day_s = finite_number("day_s", day_s, 1, DAY_S)
    peak_hour = finite_number("peak_hour", peak_hour, 0, 24)
    peak_share = finite_number("peak_share", peak_share, 0, 1)
    width_hours = finite_number("width_hours", width_hours, 0.01, 24)
    num_days = np.ceil(duration_s / day_s)
    _require_few(rates, num_days * day_s, "in whole days")
    num_days = int(num_days)
    rng = _rng(seed)
    nums = rng.poisson(rates * num_days * day_s).astype(np.intp)
    ids = np.repeat(np.arange(len(rates)), nums)
    even = rng.random(len(ids)) * 24
    bell = rng.normal(peak_hour, width_hours, len(ids)) % 24
    hours = np.where(rng.random(len(ids)) < peak_share, bell, even)
    times = (rng.integers(0, num_days, len(ids)) + hours / 24) * day_s
    kept = times <= duration_s
    return _sorted(times[kept], ids[kept])


def _one_tenant(rate, duration_s, cv, seed):
    if rate == 0:
        return np.empty(0)
    # Twice the expected number and some: enough to cover the start that is
    # thrown away, however the gaps fall out; drawn again if it is not.
    num = int(2 * rate * duration_s + 100 * (1 + cv**2))
    while True:
        times = bursts(num, rate, cv, seed=_as_int(seed))
        rng = np.random.default_rng([*seed, 1])
        start = rng.uniform(0.25, 0.5) * times[-1]
        times = times[times > start] - start
        if times[-1] > duration_s:
            return times[times <= duration_s]
        num *= 2


def _as_int(seed):
    return int(np.random.SeedSequence(seed).generate_state(1)[0])


def _checked(rates, duration_s) -> tuple[np.ndarray, float]:
    row = real_array("rates", rates, "one rate an adapter")
    if row.ndim != 1 or not 1 <= row.size <= MAX_ADAPTERS:
        raise ValueError(
            f"rates is {shown(rates)}, but must be one rate an adapter, at "
            "least one"
        )
    require_finite("rates", row)
    if row.min() < 0 or row.max() > MAX_RATE:
        raise ValueError(
            f"rates is {shown(rates)}, but must be from 0 to {MAX_RATE:g} "
            "requests a second"
        )
    duration_s = finite_number("duration_s", duration_s, above=0)
    _require_few(row, duration_s)
    return np.asarray(row, dtype=float), duration_s


def _require_few(rates, duration_s, counted="in duration_s"):
    num = rates.sum() * duration_s
    if num > MAX_ARRIVALS or duration_s > MAX_S:
        raise ValueError(
            f"rates make {num:.3g} arrivals {counted}, {duration_s:.3g} s; "
            f"there must be at most {MAX_ARRIVALS:,} in {MAX_S:,} s"
        )


def _rng(seed):
    return np.random.default_rng(integer("seed", seed, minimum=0))


def _sorted(times, ids):
    order = np.argsort(times, kind="stable")
    return times[order], ids[order]
