"""The stored run of a real fleet: its figures follow from its requests."""

from collections import Counter

import pytest

from live_fleet_run import simulated_row
from multilora.published import shared

RUN = shared("fleet_run")
NAMES = [f"{row['policy']}, {row['header']}" for row in RUN["policies"]]


@pytest.mark.parametrize("row", RUN["policies"], ids=NAMES)
def test_a_policys_row_follows_from_who_got_which_request(row):
    num = Counter(row["engine"])
    assert row["num_requests"] == [num[0], num[1]]
    assert sum(row["num_requests"]) == len(RUN["requests"]["tenant"])
    hits = 1 - sum(row["num_slot_loads"]) / sum(row["num_requests"])
    assert row["hit_rate"] == pytest.approx(hits, abs=1e-3)
    assert row["simulated"] == simulated_row(row, RUN["requests"])


def test_with_a_header_each_tenant_has_one_engine():
    for row in RUN["policies"]:
        homes = set(zip(RUN["requests"]["tenant"], row["engine"], strict=True))
        num_homes = max(Counter(tenant for tenant, _ in homes).values())
        assert num_homes == (2 if row["header"] is None else 1)
