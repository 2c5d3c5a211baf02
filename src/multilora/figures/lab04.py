"""Pictures of lab 04: hit curves, thrash, starvation, the cold slot."""

from functools import cache, lru_cache

import numpy as np

from multilora import traffic
from multilora.arguments import choice, integer
from multilora.cache.hitrate import che_hit_curve, hit_rate_curve
from multilora.cache.reuse import FIRST_USE, reuse_depths
from multilora.figures import style
from multilora.published import published
from multilora.serving.steps import (
    first_token_ms,
    hot_and_cold,
    simulate,
    steps_waited,
)
from multilora.units import percent

NUM_REQUESTS = 20_000
SLOT_TICKS = [1, 2, 4, 8, 16, 32, 64]
MAX_TENANTS = 60  # of the thrash explorer
NUM_RECENT = 120  # requests that it shows one by one
SHAPES = ("sticky", "80/20", "zipf", "uniform", "cyclic")
_TRACES = {
    "uniform": traffic.uniform,
    "zipf": traffic.zipf,
    "80/20": traffic.eighty_twenty,
    "cyclic": traffic.cyclic,
    "sticky": traffic.sticky,
}
_POPULARITY = {
    "zipf": traffic.zipf_popularity,
    "80/20": traffic.eighty_twenty_popularity,
}


@cache
def exact_rates(shape, num_adapters, num_requests=NUM_REQUESTS):
    """Return the hit rate at every slot count: a slots slider reuses it."""
    trace = _TRACES[choice("shape", shape, SHAPES)](num_requests, num_adapters)
    rates = hit_rate_curve(trace, num_adapters)
    rates.setflags(write=False)
    return rates


@cache
def che_rates(shape, num_adapters):
    """Return Che's approximation at every slot count, whatever the trace."""
    popularity = _POPULARITY.get(shape, traffic.uniform_popularity)
    rates = che_hit_curve(popularity(num_adapters))
    rates.setflags(write=False)
    return rates


def hit_table(shape, num_adapters, num_requests=NUM_REQUESTS, trace=None):
    """Return exact hit rates and Che's approximation at every slot count.

    trace, if given, is counted in place of num_requests drawn ones.
    """
    if trace is None:
        exact = exact_rates(shape, num_adapters, num_requests)
    else:
        exact = hit_rate_curve(trace, num_adapters)
    return {
        "slots": np.arange(1, num_adapters + 1),
        "exact": exact,
        "che": che_rates(shape, num_adapters),
    }


def draw_hit_curve(fig, traffic, num_adapters, trace=None):
    """Draw the exact hit curve of one kind of traffic beside Che's."""
    table = hit_table(traffic, num_adapters, trace=trace)
    (axes,) = style.panels(fig, {
        "title": f"{num_adapters} adapters",
        "xlabel": "slots (max_loras)", "ylabel": "hit rate",
        "xscale": "log", "xlim": (0.9, 72), "xticks": SLOT_TICKS,
        "xticklabels": SLOT_TICKS, "ylim": (-0.03, 1.05),
    })  # fmt: skip
    axes.plot(table["slots"], table["exact"], "o-", ms=3.5, color=style.HIT,
              label="exact, LRU")  # fmt: skip
    axes.plot(table["slots"], table["che"], color=style.INK, lw=1.2, ls=":",
              label="Che, independent draws")  # fmt: skip
    style.threshold(axes, num_adapters - 1, "adapters − 1", vertical=True)
    style.legend_above(axes)
    half = num_adapters // 2
    gap = np.abs(table["exact"] - table["che"])
    return (
        f"{traffic}, {num_adapters} adapters: {half} slots hit "
        f"{percent(table['exact'][half - 1])}, all but one "
        f"{percent(table['exact'][-2])}; Che is off by up to {gap.max():.3f}."
    )


@lru_cache(maxsize=64)
def thrash_table(tenants, skew):
    """Return hit rates, and the ids and reuse depths of the end of a trace.

    The hit rate at every slot count, then one id and one depth for each of
    the last NUM_RECENT requests: all that a slider of max_loras shows.
    """
    trace = traffic.zipf(NUM_REQUESTS, tenants, skew)
    depths = reuse_depths(trace)
    at_depth = np.bincount(depths[depths != FIRST_USE], minlength=tenants)
    rates = np.cumsum(at_depth) / len(trace)
    return rates, trace[-NUM_RECENT:].copy(), depths[-NUM_RECENT:].copy()


def draw_thrash(fig, tenants, max_loras, skew):
    """Draw the hit curve under Zipf skew, and where max_loras sits on it."""
    max_loras = integer("max_loras", max_loras, 1)
    rates, recent, depths = thrash_table(tenants, skew)
    left, right = style.panels(fig, {
        "title": "Hit rate", "xlabel": "slots",
        "ylabel": "hit rate", "xlim": (0, 64), "ylim": (0, 1.05),
        "widths": (3, 2),
    }, {
        "title": f"The last {NUM_RECENT} requests", "xlabel": "request",
        "ylabel": "tenant", "xlim": (-2, NUM_RECENT + 1),
        "ylim": (1.2 * MAX_TENANTS, -2),
    })  # fmt: skip
    left.plot(np.arange(1, tenants + 1), rates, color=style.HIT)
    style.threshold(left, max_loras, f"max_loras = {max_loras}", True)
    style.legend_above(left, ncols=1)
    is_miss = (depths == FIRST_USE) | (depths >= max_loras)
    index = np.arange(NUM_RECENT)
    for mask, color, name in ((~is_miss, style.HIT, "hit"),
                              (is_miss, style.MISS, "miss")):  # fmt: skip
        right.plot(index[mask], recent[mask], "s", ms=2.4, color=color,
                   label=name)  # fmt: skip
    style.legend(right, loc="lower left", ncols=2)
    rate = rates[min(max_loras, tenants) - 1]
    return (
        f"{tenants} tenants, zipf {skew}, max_loras={max_loras}: "
        f"{percent(rate)} of requests hit."
    )


def starvation_table(hot_every, num_steps=50):
    """Return when each request of a hot and a cold tenant was admitted."""
    jobs = hot_and_cold(num_steps, hot_every)
    return steps_waited(jobs, simulate(jobs, max_loras=1))


def draw_starvation(fig, hot_every):
    """Draw a cold request waiting behind a hot adapter, one slot."""
    waited = starvation_table(hot_every)
    cold = waited.pop("cold")
    (axes,) = style.panels(fig, {
        "title": "One slot, a hot tenant and a cold one",
        "xlabel": "step", "ylabel": "", "xlim": (-1, 60),
        "ylim": (-0.6, 1.8), "yticks": [0, 1],
        "yticklabels": ["cold", "hot"], "grid": "x",
    })  # fmt: skip
    starts = [int(name.split("-")[1]) for name in waited]
    begun = [start + waited[f"hot-{start}"] for start in starts]
    axes.barh([1] * len(begun), 3, 0.5, begun, color=style.HIT,
              edgecolor=style.PALE, lw=0.4, label="running")  # fmt: skip
    axes.barh(0, cold, 0.5, 0, color=style.DEFERRED, label="deferred")
    axes.barh(0, 3, 0.5, cold, color=style.HIT, edgecolor=style.PALE, lw=0.4)
    style.threshold(axes, max(starts), "last hot arrival", vertical=True)
    axes.legend(loc="upper left", ncols=3)
    return (
        f"Steps from one hot request to the next: {hot_every}, each runs 3; "
        f"the cold request waits {cold}."
    )


def cold_slot_table(max_loras, tenants=40):
    """Return p50 and p99 TTFT of one tenant in sessions of ~50 requests.

    Warm TTFT and load times are published ones: see data/load_costs.json.
    """
    cost = {name: c["value"] for name, c in published("load_costs").items()}
    warm_ms = cost["warm_ttft_ms"]
    load_ms = cost["disk_to_cpu_ms"] + cost["cpu_to_slot_ms"]
    trace = traffic.sticky(60_000, tenants, stay=0.98)
    ttft = first_token_ms(trace, max_loras, warm_ms, load_ms)
    mine = ttft[trace == 0]
    p50, p99 = np.percentile(mine, [50, 99])
    return {"ttft": mine, "p50": p50, "p99": p99,
            "hit_rate": float((ttft == warm_ms).mean())}  # fmt: skip


def draw_cold_slot(fig, max_loras):
    """Draw the TTFT of one tenant's requests in order."""
    table = cold_slot_table(max_loras)
    (axes,) = style.panels(fig, {
        "title": "TTFT of one tenant of 40, in sessions",
        "xlabel": "request of this tenant", "ylabel": "ms",
        "ylim": (0, 175), "xlim": (-30, 1500),
    })  # fmt: skip
    ttft = table["ttft"]
    cold = np.flatnonzero(ttft > ttft.min())
    axes.plot([0, len(ttft)], [ttft.min()] * 2, color=style.HIT, lw=3,
              label="warm slot")  # fmt: skip
    axes.plot(cold, ttft[cold], "o", ms=3.5, color=style.MISS,
              label="cold slot")  # fmt: skip
    style.threshold(axes, table["p99"], f"p99 = {table['p99']:.0f} ms")
    axes.legend(loc="upper right", ncols=3)
    return (
        f"max_loras={max_loras}: hit rate {percent(table['hit_rate'])}, this "
        f"tenant's p50 {table['p50']:.0f} ms, p99 {table['p99']:.0f} ms."
    )


def shapes_table(max_loras, tenants=40):
    """Return the hit rate of each traffic shape at max_loras slots."""
    integer("max_loras", max_loras, 1, tenants)
    return {
        shape: float(exact_rates(shape, tenants)[max_loras - 1])
        for shape in SHAPES
    }


def draw_shapes(fig, max_loras):
    """Draw which traffic of 40 tenants is comfortable on max_loras slots."""
    table = shapes_table(max_loras)
    (axes,) = style.panels(fig, {
        "title": "40 tenants on one engine", "ylabel": "hit rate",
        "ylim": (0, 1.3), "xticks": list(range(len(SHAPES))),
        "xticklabels": SHAPES, "grid": "y",
    })  # fmt: skip
    rates = list(table.values())
    colors = [style.HIT if rate >= 0.75 else style.MISS for rate in rates]
    bars = axes.bar(range(len(rates)), rates, color=colors)
    axes.bar_label(bars, [percent(rate) for rate in rates], fontsize=8.5)
    style.threshold(axes, 0.75, "75 %, where a miss is the exception")
    axes.legend(loc="upper right")
    text = ", ".join(f"{name} {percent(rate)}" for name, rate in table.items())
    return f"max_loras={max_loras}, 40 tenants: {text}."
