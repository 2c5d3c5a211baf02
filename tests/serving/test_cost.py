"""What a step costs."""

import pytest

from multilora.serving.cost import published_cost

MS = 10**6


def test_published_costs_are_used_unless_replaced():
    cost = published_cost(disk_load_ms=0)
    assert cost.disk_load_ns == 0
    assert cost.compute_ns(0, 1, 0) == round((10.617 + 0.0489) * MS)
    eight = cost.compute_ns(0, 1, 8) / cost.compute_ns(0, 1, 0)
    assert eight == pytest.approx(1 + 8 * 0.00939, rel=1e-6)
