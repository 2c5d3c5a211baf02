"""How long a request is: token counts with a long tail."""

import numpy as np

from multilora.arguments import finite_number, integer

MAX_TOKENS = 10**6
MAX_DRAWS = 10**8
NUM_CELLS = 4_000  # of the logarithm of a length, from 1 to the maximum
STEEPEST = 1e5  # of the tilt that is searched


def lognormal_tokens(
    num_requests: int,
    mean: float,
    sigma: float = 1.0,
    maximum: int = 1024,
    seed: int = 0,
) -> np.ndarray:
    """Return token counts from 1 to maximum, lognormal with this mean.

    An int64 array of num_requests. sigma is the standard deviation of the
    logarithm before the cut; its default, 1.0, is our choice. The cut leaves
    values out instead of piling them up at maximum, and the median is moved
    so that the mean after the cut is `mean`, to 0.5 % for sigma from 0.1 to
    3. Counts are rounded up or down at random, which keeps the mean. With
    the default maximum for prompts and for outputs all requests pass the
    filter that vLLM's benchmark puts on ShareGPT: a prompt of at most 1,024
    tokens, prompt and output together at most 2,048 (vllm/benchmarks/
    datasets.py, is_valid_sequence).
    Raises ValueError for a mean outside 1 to maximum.
    """
    num_requests = integer("num_requests", num_requests, 1, MAX_DRAWS)
    maximum = integer("maximum", maximum, 1, MAX_TOKENS)
    mean = finite_number("mean", mean, minimum=1, maximum=maximum)
    sigma = finite_number("sigma", sigma, minimum=0.01, maximum=10)
    rng = np.random.default_rng(integer("seed", seed, minimum=0))
    if mean in (1, maximum):
        return np.full(num_requests, int(mean))
    edges = np.linspace(0, np.log(maximum), NUM_CELLS + 1)
    shares = _shares(edges, mean, sigma)
    reached = np.concatenate([[0.0], np.cumsum(shares)])
    drawn = np.interp(rng.random(num_requests), reached, edges)
    tokens = np.floor(np.exp(drawn) + rng.random(num_requests))
    return np.clip(tokens, 1, maximum).astype(np.int64)


def _shares(edges, mean, sigma):
    """Return the share of each cell, so that lengths have this mean."""
    width = edges[1]
    centres = edges[:-1] + width / 2
    lengths = np.diff(np.exp(edges)) / width  # the mean of each cell
    # With mu = tilt × sigma², a density of exp(-(y - mu)² / 2 sigma²).
    low, high = -STEEPEST, STEEPEST
    for _ in range(100):
        tilt = (low + high) / 2
        weights = tilt * centres - (centres / sigma) ** 2 / 2
        shares = np.exp(weights - weights.max())
        shares /= shares.sum()
        low, high = (low, tilt) if shares @ lengths > mean else (tilt, high)
    return shares
