"""Pictures of policies: means over draws, and who wins."""

import pytest

from multilora import traffic
from multilora.cache.policies import POLICIES, policy_hits
from multilora.figures.policies import (
    SLOTS,
    TRACES,
    draws,
    mean_rate,
    policies_table,
)


def test_the_pictures_show_means_over_draws():
    first, second = draws("drift", 12, 2)
    assert first.tolist() == traffic.drift(len(first), 12, seed=0).tolist()
    assert second.tolist() == traffic.drift(len(first), 12, seed=1).tolist()
    hits = [policy_hits(trace, 4, "lfu") for trace in draws("drift", 12)]
    mean = sum(hits) / len(hits) / len(first)
    assert mean_rate(POLICIES["lfu"], "drift", 12, 4) == pytest.approx(mean)
    table = policies_table("drift", 12)
    assert table["lfu"][SLOTS.index(4)] == pytest.approx(mean)
    assert {len(rates) for rates in table.values()} == {len(SLOTS)}
    with pytest.raises(ValueError, match="traffic is 'rush', allowed: 'st"):
        draws("rush", 12)
    with pytest.raises(ValueError, match="num_draws is 0"):
        draws("drift", 12, 0)


def test_no_policy_wins_everywhere():
    """What the chapter says, at 8 slots and 40 adapters."""
    rate = {
        (shape, policy): policies_table(shape, 40)[policy][SLOTS.index(8)]
        for shape in TRACES
        for policy in POLICIES
    }
    online = [policy for policy in POLICIES if policy != "belady"]
    leaders = {
        shape: max(online, key=lambda policy: rate[shape, policy])
        for shape in ("sessions", "80/20", "zipf", "drift")
    }
    assert leaders == {
        "sessions": "lru", "80/20": "lfu", "zipf": "lfu", "drift": "sieve",
    }  # fmt: skip
    for worst_of in ("sessions", "drift"):
        others = [rate[worst_of, p] for p in online if p != "lfu"]
        assert rate[worst_of, "lfu"] < min(others) - 0.05
    assert all(rate["cyclic", policy] == 0 for policy in online)
    assert rate["cyclic", "belady"] > 0.15
