"""Traffic for a plan where there is no log: tenants, a rate and a shape."""

from multilora.arguments import choice, finite_number, integer
from multilora.serving.workload import Workload, make_workload
from multilora.traffic.arrivals import bursty_arrivals, poisson_arrivals
from multilora.traffic.clients import client_windows
from multilora.traffic.generators import (
    MAX_ADAPTERS,
    eighty_twenty_popularity,
    uniform_popularity,
    zipf_popularity,
)
from multilora.traffic.lengths import lognormal_tokens
from multilora.traffic.windows import WINDOW_S, window_arrivals

# What each shape is, in the words of the command's help.
SHAPES = {
    "zipf": "tenant k asks as often as 1 / k, at random moments",
    "uniform": "all ask alike, at random moments",
    "80/20": "a fifth of the tenants sends four fifths of the requests",
    "bursty": "as zipf, and each tenant's requests come in bursts (CV 4)",
    "clients": "as steep and bursty as a public day of clients (ServeGen)",
}
MAX_REQUESTS = 5_000_000
# The lengths' tails end here: prompts and replies four times their mean.
TAIL = 4


def drawn_workload(
    shape: str,
    num_tenants: int,
    rate: float,
    minutes: float = 60,
    prompt_tokens: float = 512,
    output_tokens: float = 128,
    seed: int = 0,
) -> Workload:
    """Return the Workload of tenants who send `rate` requests a second in all.

    shape is one of SHAPES. Lengths are lognormal with these means, at most
    four times as long. The same arguments give the same requests. Raises
    ValueError for another shape, more than MAX_REQUESTS, or a draw without
    a request.
    """
    shape = choice("shape", shape, SHAPES)
    num = integer("num_tenants", num_tenants, 1, MAX_ADAPTERS)
    rate = finite_number("rate", rate, above=0, maximum=1e6)
    seconds = 60 * finite_number("minutes", minutes, above=0, maximum=1e6)
    prompt = finite_number("prompt_tokens", prompt_tokens, 1, 250_000)
    output = finite_number("output_tokens", output_tokens, 1, 250_000)
    seed = integer("seed", seed, minimum=0)
    if rate * seconds > MAX_REQUESTS:
        raise ValueError(
            f"rate and minutes make {rate * seconds:,.0f} requests, but must "
            f"make at most {MAX_REQUESTS:,}"
        )
    times, ids = _arrivals(shape, num, rate, seconds, seed)
    if not len(times):
        raise ValueError(
            f"rate is {rate:g} and minutes {minutes:g}: no request was drawn, "
            "so there is nothing to plan for"
        )
    return make_workload(
        times,
        ids,
        _lengths(len(times), prompt, seed + 1),
        _lengths(len(times), output, seed + 2),
        num,
    )


def _lengths(num, mean, seed):
    return lognormal_tokens(num, mean, 1, max(2, round(TAIL * mean)), seed)


def _arrivals(shape, num, rate, seconds, seed):
    if shape == "clients":
        num_windows = max(1, round(seconds / WINDOW_S))
        windows = client_windows(num, num_windows, rate, seed=seed)
        return window_arrivals(windows, seconds / num_windows, seed)
    popularity = {
        "uniform": uniform_popularity,
        # Two tenants at least have a hot one among them.
        "80/20": eighty_twenty_popularity if num > 1 else uniform_popularity,
    }.get(shape, zipf_popularity)
    draw = bursty_arrivals if shape == "bursty" else poisson_arrivals
    return draw(rate * popularity(num), seconds, seed=seed)
