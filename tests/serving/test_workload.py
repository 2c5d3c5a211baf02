"""Arrivals and tokens of a run."""

import numpy as np
import pytest

from multilora.serving.workload import geometric_tokens, make_workload


def test_tokens_are_geometric_with_the_mean_they_promise():
    tokens = geometric_tokens(100_000, 64, maximum=10_000)
    assert tokens.min() == 1
    assert tokens.mean() == pytest.approx(64, rel=0.01)
    assert tokens.std() == pytest.approx(63.5, rel=0.02)
    assert geometric_tokens(1000, 64, maximum=50).max() == 50


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.int8, float])
def test_times_of_any_width_become_the_same_nanoseconds(kind):
    times = np.array([1, 2], dtype=kind)
    assert make_workload(times, [0, 0]).arrival_ns.tolist() == [
        10**9,
        2 * 10**9,
    ]
