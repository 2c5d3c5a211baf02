"""Pictures of a fleet say what its runs did."""

import pytest

from multilora.figures import fleet, style
from multilora.fleet import runs, tables


def said(draw, **stops):
    return style.render_svg(draw, stops)[1]


def test_a_fleet_is_told_in_its_own_numbers():
    run = runs.zipf_run(20, 2, "consistent_hash", skew=2)
    row = tables.fleet_row("", run)
    text = said(
        fleet.draw_fleet,
        engines=2, rule="consistent_hash", tenants=20, skew=2,
    )  # fmt: skip
    assert f"{row.num_loads:,} loads" in text
    assert f"{row.imbalance:.2f} times the mean" in text
    assert f"p99 {row.p99_ms:,.0f} ms, {row.num_late} of" in text


def test_the_best_and_the_worst_rule_are_named():
    rules = ["round_robin", "sticky_least_loaded", "gie-0.3"]
    p99 = {rule: runs.zipf_run(40, 4, rule).percentile_ms(99)
           for rule in rules}  # fmt: skip
    text = said(fleet.draw_rules, rules=rules)
    for pick in (min, max):
        rule = pick(p99, key=p99.get)
        assert f"{p99[rule]:,.0f} ms ({rule})" in text


def test_the_worst_of_the_nine_is_told_beside_the_hot_tenant():
    p99 = tables.tenant_p99_ms(runs.hot_run(2, 8, 1.5))
    text = said(fleet.draw_hot, replicas=2, max_loras=8, hot_load=1.5)
    assert f"p99 is {p99[0]:,.0f} ms" in text
    assert f"nine {p99[1:].max():,.0f} ms" in text


@pytest.mark.parametrize("scrape_ms", [0, 5000])
def test_a_scrape_interval_is_played_as_told(scrape_ms):
    run = runs.zipf_run(40, 4, "gie-0.3", scrape_ms=scrape_ms)
    text = said(fleet.draw_stale, rule="gie-0.3", scrape_ms=scrape_ms)
    assert f"every {scrape_ms:,} ms" in text
    assert f"p99 {run.percentile_ms(99):,.0f} ms." in text


def test_a_death_is_counted():
    found = tables.outcomes(runs.death_run("aibrix", 1))
    text = said(fleet.draw_death, rule="aibrix", noticed_s=1)
    assert found.num_lost > 0 < found.num_again
    assert f"{found.num_again} were sent again, {found.num_lost}" in text
