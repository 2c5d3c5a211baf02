"""Tenants as steep and bursty as ServeGen's clients, without its file."""

from typing import NamedTuple

import numpy as np

from multilora.arguments import finite_number, integer
from multilora.traffic.arrivals import MAX_RATE
from multilora.traffic.settings import checked_numbers
from multilora.traffic.windows import MAX_CV, MAX_ROWS, Windows


class Clients(NamedTuple):
    """How clients differ, as client_windows draws them.

    active_mean and active_sd: the share of windows in which a client sends
    something, a beta variable. rate_sigma: spread of the logarithm of the
    clients' mean rates while active; within_sigma, of one client's rate from
    window to window. cv_median, cv_sigma and cv_within: the same of the CVs.
    stay: the correlation of a client's window with the next.
    """

    active_mean: float
    active_sd: float
    rate_sigma: float
    within_sigma: float
    cv_median: float
    cv_sigma: float
    cv_within: float
    stay: float


_ALLOWED = {
    "active_mean": (0.001, 0.999),
    "active_sd": (0.001, 0.5),
    "rate_sigma": (0, 5),
    "within_sigma": (0, 5),
    "cv_median": (0.01, 100),
    "cv_sigma": (0, 3),
    "cv_within": (0, 3),
    "stay": (0, 0.999),
}

# Measured by tools/measure_traffic.py.
SERVEGEN = Clients(0.329, 0.397, 1.71, 1.10, 1.20, 0.72, 0.43, 0.87)


def client_windows(
    num_tenants: int,
    num_windows: int = 144,
    rate: float = 1.0,
    clients: Clients = SERVEGEN,
    seed: int = 0,
) -> Windows:
    """Return Windows of tenants who send `rate` requests a second in all.

    Feed them to windows.window_arrivals; 144 windows of ten minutes are a
    day. rate is the mean over all windows. A tenant may be silent; where
    all would be, the first sends in one window. Rates and CVs are lognormal,
    of the tenant and again of the window; the windows in which a tenant is
    active, and their rates, are runs of a first-order autoregression. The
    defaults are moments of one day of ServeGen's clients, in
    data/public_traffic.json. Raises ValueError for a number out of range.
    """
    num_tenants = integer("num_tenants", num_tenants, 1, MAX_ROWS)
    most = MAX_ROWS // num_tenants
    num_windows = integer("num_windows", num_windows, 1, most)
    rate = finite_number("rate", rate, 0, MAX_RATE)
    clients = _checked(clients)
    rng = np.random.default_rng(integer("seed", seed, minimum=0))
    shape = (num_tenants, num_windows)
    is_active = _active(shape, clients, rng)
    mean = rng.lognormal(0, clients.rate_sigma, (num_tenants, 1))
    rates = mean * np.exp(
        clients.within_sigma * _wandering(shape, clients.stay, rng)
    )
    cvs = rng.lognormal(
        np.log(clients.cv_median), clients.cv_sigma, (num_tenants, 1)
    ) * rng.lognormal(0, clients.cv_within, shape)
    rates = np.where(is_active, rates, 0)
    # The mean while active is a tenant's, however their windows fell out.
    active = np.maximum(is_active.sum(axis=1, keepdims=True), 1)
    level = rates.sum(axis=1, keepdims=True) / active
    rates *= mean / np.where(level > 0, level, 1)
    rates *= rate * num_windows / rates.sum()
    tenant, window = np.nonzero(is_active)
    return Windows(
        tenant, window, rates[is_active], np.minimum(cvs[is_active], MAX_CV)
    )


def _active(shape, clients, rng):
    """Return which tenant is active in which window, in runs."""
    # A beta variable of this mean m and variance v: a + b = m (1 - m)/v - 1.
    mean = clients.active_mean
    weight = mean * (1 - mean) / clients.active_sd**2 - 1
    share = rng.beta(mean * weight, (1 - mean) * weight, shape[0])
    num_active = np.round(share * shape[1]).astype(np.int64)
    if not num_active.any():
        num_active[0] = 1
    level = _wandering(shape, clients.stay, rng)
    rank = np.argsort(np.argsort(level, axis=1), axis=1)
    return rank < num_active[:, None]


def _wandering(shape, stay, rng):
    """Return a row of standard normals each, correlated with the one before.

    stay is the correlation of neighbours.
    """
    rows = rng.standard_normal(shape)
    fresh = np.sqrt(1 - stay**2)
    for column in range(1, shape[1]):
        rows[:, column] *= fresh
        rows[:, column] += stay * rows[:, column - 1]
    return rows


def _checked(clients):
    numbers = checked_numbers("clients", clients, Clients, _ALLOWED)
    checked = Clients(*numbers)
    most = np.sqrt(checked.active_mean * (1 - checked.active_mean))
    if checked.active_sd >= most:
        raise ValueError(
            f"active_sd of clients is {checked.active_sd}, but must be below "
            f"{most:.3f}, the most that a share of this mean can spread"
        )
    return checked
