"""Pictures of a fleet: engines behind a router, rule by rule."""

import numpy as np

from multilora.figures import style
from multilora.fleet import runs, scenes, tables
from multilora.fleet.played import FleetRun

MAX_ENGINES, MAX_TENANTS, NUM_HOT = 8, 80, 4
MS_TICKS = [10, 100, 1000, 10_000, 100_000]
SECONDS = ["0.01", "0.1", "1", "10", "100"]
ENGINE_COLORS = (style.WEIGHTS, style.SLOTS, style.KV, style.DEFERRED)


def draw_fleet(fig, engines, rule, tenants, skew):
    """Draw who serves how much, and the p99 of each tenant."""
    run = runs.zipf_run(tenants, engines, rule, skew=skew)
    row = tables.fleet_row(rule, run)
    left, right = style.panels(fig, {
        "title": "Requests of each engine", "xlabel": "engine",
        "ylabel": "requests", "xlim": (-0.6, MAX_ENGINES - 0.4),
        "ylim": (0, 1800), "grid": "y",
        "xticks": list(range(MAX_ENGINES)), "widths": (1, 1),
    }, {
        "title": "p99 of each tenant", "xlabel": "tenants, by p99",
        "ylabel": "TTFT, s", "xlim": (-1, MAX_TENANTS), "yscale": "log",
        "ylim": (20, 200_000), "yticks": MS_TICKS[1:],
        "yticklabels": SECONDS[1:],
    })  # fmt: skip
    _stack_tenants(left, run)
    left.legend(loc="upper right")
    p99 = _draw_tenants(right, run)
    return (
        f"{rule}, {_engines(engines)}, {tenants} tenants, Zipf {skew}: "
        f"{row.num_loads:,} loads, {100 * row.hit_rate:.0f} % hit, the "
        f"busiest engine gets {row.imbalance:.2f} times the mean; p99 "
        f"{row.p99_ms:,.0f} ms, {row.num_late} of {len(p99)} tenants are "
        f"above {runs.LATE_MS:.0f} ms."
    )


def _draw_tenants(axes, run: FleetRun):
    """Draw and return the p99 of each tenant who asks, in order."""
    p99 = tables.tenant_p99_ms(run)
    p99 = np.sort(p99[np.isfinite(p99)])
    colors = np.where(p99 > runs.LATE_MS, style.MISS, style.HIT)
    axes.bar(range(len(p99)), p99, color=colors)
    style.threshold(axes, runs.LATE_MS, f"{runs.LATE_MS:.0f} ms")
    axes.legend(loc="upper left")
    return p99


def _stack_tenants(axes, run: FleetRun):
    """The busiest tenants in a colour each, all others in one."""
    bottom = np.zeros(run.num_engines)
    for tenant in range(NUM_HOT):
        part = tables.requests_by_engine(run, tenant)
        axes.bar(range(run.num_engines), part, bottom=bottom,
                 color=ENGINE_COLORS[tenant],
                 label="the 4 busiest tenants" if not tenant else None,
                 )  # fmt: skip
        bottom += part
    axes.bar(range(run.num_engines), run.num_sent - bottom, bottom=bottom,
             color=style.PALE, label="all others")  # fmt: skip


def draw_rules(fig, rules):
    """Draw loads and p99 of the same traffic under each rule."""
    played = {rule: runs.zipf_run(40, 4, rule) for rule in rules}
    rows = [tables.fleet_row(rule, run) for rule, run in played.items()]
    places = range(len(rows))
    left, right = style.panels(fig, {
        "title": "Loads", "xlabel": "copies into slots",
        "xlim": (0, 2000), "xticks": [0, 500, 1000, 1500],
        "xticklabels": ["0", "500", "1,000", "1,500"], "grid": "x",
        "yticks": list(places), "yticklabels": list(rules),
        "ylim": (len(rows) - 0.4, -0.6), "left": 0.33, "widths": (1, 1),
    }, {
        "title": "p99", "xlabel": "TTFT, s", "xscale": "log",
        "xlim": (50, 60_000), "xticks": MS_TICKS[1:4],
        "xticklabels": SECONDS[1:4], "grid": "x",
        "yticks": list(places), "yticklabels": [""] * len(rows),
        "ylim": (len(rows) - 0.4, -0.6),
    })  # fmt: skip
    colors = [
        style.HIT if row.p99_ms <= runs.LATE_MS else style.MISS for row in rows
    ]
    loads = left.barh(places, [row.num_loads for row in rows], color=colors)
    left.bar_label(loads, [f" {row.num_loads:,}" for row in rows],
                   fontsize=8.5)  # fmt: skip
    times = right.barh(places, [row.p99_ms for row in rows], color=colors)
    right.bar_label(times, [f" {row.p99_ms / 1000:.2f} s" for row in rows],
                    fontsize=8.5)  # fmt: skip
    best = min(rows, key=lambda row: row.p99_ms)
    worst = max(rows, key=lambda row: row.p99_ms)
    return (
        f"{len(rows)} rules, the same requests: p99 from {best.p99_ms:,.0f} "
        f"ms ({best.name}) to {worst.p99_ms:,.0f} ms ({worst.name})."
    )


def draw_hot(fig, replicas, max_loras, hot_load):
    """Draw the load of each engine, and who is late, by replicas."""
    run = runs.hot_run(replicas, max_loras, hot_load)
    left, right = style.panels(fig, {
        "title": "Requests a second", "xlabel": "engine", "grid": "y",
        "ylabel": "", "xlim": (-0.6, 3.6), "ylim": (0, 190),
        "xticks": list(range(4)), "widths": (1, 1),
    }, {
        "title": "p99", "ylabel": "TTFT, s", "yscale": "log",
        "ylim": (20, 500_000), "yticks": MS_TICKS[1:],
        "yticklabels": SECONDS[1:], "xlim": (-0.7, 1.7), "grid": "y",
        "xticks": [0, 1], "xticklabels": ["hot tenant", "worst other"],
    })  # fmt: skip
    hot = tables.requests_by_engine(run, 0) / scenes.DURATION_S
    other = run.num_sent / scenes.DURATION_S - hot
    left.bar(range(4), hot, color=style.MISS, label="hot tenant")
    left.bar(range(4), other, bottom=hot, color=style.HIT, label="the nine")
    style.threshold(left, scenes.ENGINE_RATE, "one engine load")
    left.legend(loc="upper right")
    p99 = tables.tenant_p99_ms(run)
    both = [p99[0], p99[1:].max()]
    bars = right.bar([0, 1], both, color=[
        style.MISS if value > runs.LATE_MS else style.HIT for value in both
    ])  # fmt: skip
    right.bar_label(bars, [f"{value:,.0f} ms" for value in both],
                    fontsize=8.5)  # fmt: skip
    return (
        f"{hot_load} engine loads on {_engines(replicas)} of 4, "
        f"max_loras={max_loras}: the hot tenant's p99 is {both[0]:,.0f} ms, "
        f"the worst of the nine {both[1]:,.0f} ms, "
        f"{int(run.num_slot_loads.sum())} loads."
    )


def draw_stale(fig, rule, scrape_ms):
    """Draw requests in flight on each engine, and the p99 of each tenant."""
    run = runs.zipf_run(40, 4, rule, scrape_ms=scrape_ms)
    left, right = style.panels(fig, {
        "title": "In flight on each of 4 engines", "xlabel": "seconds",
        "ylabel": "requests", "xlim": (0, scenes.DURATION_S),
        "ylim": (0, 120), "widths": (3, 2),
    }, {
        "title": "p99 of each tenant", "xlabel": "tenants, by p99",
        "ylabel": "TTFT, s", "xlim": (-1, 40), "yscale": "log",
        "ylim": (20, 200_000), "yticks": MS_TICKS[1:],
        "yticklabels": SECONDS[1:],
    })  # fmt: skip
    seconds = np.arange(0, scenes.DURATION_S, 0.5)
    for engine, row in enumerate(tables.in_flight_by_second(run, seconds)):
        left.plot(seconds, row, color=ENGINE_COLORS[engine], lw=1.2,
                  label=f"engine {engine}")  # fmt: skip
    left.legend(loc="upper left", ncols=2)
    _draw_tenants(right, run)
    row = tables.fleet_row(rule, run)
    return (
        f"{rule}, metrics scraped every {scrape_ms:,} ms: {row.num_loads:,} "
        f"loads, {100 * row.hit_rate:.0f} % hit, the busiest engine gets "
        f"{row.imbalance:.2f} times the mean, p99 {row.p99_ms:,.0f} ms."
    )


def draw_death(fig, rule, noticed_s):
    """Draw the times to first token while an engine is dead, and after."""
    run = runs.death_run(rule, noticed_s)
    (axes,) = style.panels(fig, {
        "title": "Engine 0 of 4 is dead from 12 s to 24 s",
        "xlabel": "seconds", "ylabel": "TTFT, s", "yscale": "log",
        "xlim": (-0.5, scenes.DURATION_S + 0.5), "ylim": (15, 500_000),
        "yticks": MS_TICKS, "yticklabels": SECONDS,
    })  # fmt: skip
    edges = np.arange(0, scenes.DURATION_S + 0.25, 0.5)
    median, longest = tables.ttft_by_second(run, edges)
    axes.axvspan(12, 24, color=style.PALE, alpha=0.18)
    axes.fill_between(edges[1:] - 0.25, median, longest, color=style.HIT,
                      alpha=0.25, lw=0)  # fmt: skip
    axes.plot(edges[1:] - 0.25, median, color=style.HIT,
              label="served at once: median to longest")  # fmt: skip
    at_s = run.workload.arrival_ns / 1e9
    again = run.is_done & (run.num_tries > 1)
    style.dots(axes, at_s[again], run.ttft_ns[again] / 1e6, style.SLOTS,
               "sent again")  # fmt: skip
    lost = at_s[run.is_lost]
    axes.plot(lost, np.full(len(lost), 60_000.0), "|", ms=7,
              color=style.MISS, label="lost")  # fmt: skip
    axes.legend(loc="upper left", ncols=3)
    found = tables.outcomes(run)
    return (
        f"{rule}, noticed after {noticed_s:g} s: of "
        f"{found.num_requests:,} requests {found.num_again} were sent again, "
        f"{found.num_lost} were lost; p99 {run.percentile_ms(99):,.0f} ms."
    )


def _engines(num):
    return f"{num} engine{'s' * (num != 1)}"
