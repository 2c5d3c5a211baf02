"""Pictures of a simulated engine: one tenant's TTFT, all tenants' p99."""

from functools import cache

import numpy as np

from multilora import traffic
from multilora.arguments import choice, finite_number
from multilora.figures import style
from multilora.serving.cost import NS_PER_MS
from multilora.serving.diagnosis import (
    CAUSES,
    causes_ns,
    late_by_cause,
    tenant_table,
)
from multilora.serving.limits import engine_limits
from multilora.serving.run import serve
from multilora.serving.terms import fitted_cost
from multilora.serving.workload import geometric_tokens, make_workload
from multilora.traffic import arrivals

TENANTS, DURATION_S, SLO_MS = 40, 300, 500
PROMPT_TOKENS, OUTPUT_TOKENS = 256, 64
SHAPES = ("sessions", "zipf 2", "zipf 1", "uniform", "9 a.m.")
COLORS = {
    "api": style.INK,
    "deferral": style.DEFERRED,
    "kv": style.SLOTS,
    "seats": style.WEIGHTS,
    "load": style.MISS,
    "congestion": style.KV,
    "own": style.PALE,
}


def shaped_arrivals(shape, rate, num_sessions=6):
    """Return (times, ids) of 40 tenants' requests in 300 s.

    rate is requests a second, all tenants together. "sessions" is
    traffic.sticky, num_sessions of about fifty requests at once; "9 a.m." a
    day pressed into the 300 s, with half of its requests around nine.
    """
    rate = finite_number("rate", rate, 0.1, 1000)
    if choice("shape", shape, SHAPES) == "sessions":
        times, _ = arrivals.poisson_arrivals([rate], DURATION_S)
        ids = traffic.sticky(
            len(times), TENANTS, stay=0.98, num_sessions=num_sessions
        )
        return times, ids
    exponent = {"zipf 1": 1.0, "zipf 2": 2.0}.get(shape, 0.0)
    rates = rate * traffic.zipf_popularity(TENANTS, exponent)
    if shape == "9 a.m.":
        return arrivals.diurnal_arrivals(rates, DURATION_S, day_s=DURATION_S)
    return arrivals.poisson_arrivals(rates, DURATION_S)


@cache
def shaped_run(
    shape,
    rate,
    max_loras,
    max_cpu_loras=None,
    num_sessions=6,
    model="Qwen2.5-7B",
):
    """Return the ServingRun of 40 tenants on one engine.

    Its cost is the model's fitted one, for these slots at rank 16.
    """
    times, ids = shaped_arrivals(shape, rate, num_sessions)
    workload = make_workload(
        times, ids, PROMPT_TOKENS,
        geometric_tokens(len(times), OUTPUT_TOKENS), TENANTS,
    )  # fmt: skip
    limits = engine_limits(max_loras, max_cpu_loras=max_cpu_loras)
    return serve(workload, limits, fitted_cost(max_loras, 16, model))


def one_tenant_table(sessions, max_loras, max_cpu_loras):
    """Return the busiest tenant's TTFTs, and what took most of each.

    Eight requests a second of 40 tenants, `sessions` of them at once.
    """
    run = shaped_run("sessions", 8, max_loras, max_cpu_loras, sessions)
    busiest = np.bincount(run.workload.adapter_ids).argmax()
    mine = run.workload.adapter_ids == busiest
    parts = np.array([causes_ns(run)[cause][mine] for cause in CAUSES])
    ttft_ms = run.ttft_ns[mine] / NS_PER_MS
    p50, p99 = np.percentile(ttft_ms, [50, 99])
    return {
        "at_s": run.workload.arrival_ns[mine] / 1e9,
        "ttft_ms": ttft_ms,
        "cause": [CAUSES[place] for place in parts.argmax(axis=0)],
        "p50_ms": p50,
        "p99_ms": p99,
        "hit_rate": run.is_hit.mean(),
    }


def draw_one_tenant(fig, sessions, max_loras, max_cpu_loras):
    """Draw the TTFT of one tenant over time, coloured by its cause."""
    (axes,) = style.panels(fig, {
        "title": "TTFT of one tenant of 40", "xlabel": "seconds",
        "ylabel": "ms", "xlim": (-5, DURATION_S + 5), "yscale": "log",
        "ylim": (10, 30_000), "yticks": [10, 100, 1000, 10_000],
        "yticklabels": ["10", "100", "1,000", "10,000"],
    })  # fmt: skip
    if max_cpu_loras < max_loras:
        text = (
            f"max_cpu_loras={max_cpu_loras} is below max_loras={max_loras}: "
            "vLLM refuses to start."
        )
        axes.text(0.5, 0.5, text, ha="center", transform=axes.transAxes)
        return text
    table = one_tenant_table(sessions, max_loras, max_cpu_loras)
    cause = np.array(table["cause"])
    for name, color in COLORS.items():
        mask = cause == name
        style.dots(axes, table["at_s"][mask], table["ttft_ms"][mask], color,
                   label=name)  # fmt: skip
    style.threshold(axes, table["p99_ms"], f"p99 = {table['p99_ms']:,.0f} ms")
    axes.legend(loc="upper left", ncols=3)
    over = table["ttft_ms"] > 100
    names, counts = np.unique(cause[over], return_counts=True)
    text = ", ".join(
        f"{count} {name}" for name, count in zip(names, counts, strict=True)
    )
    return (
        f"{sessions} sessions at once, max_loras={max_loras}, max_cpu_loras="
        f"{max_cpu_loras}: p50 {table['p50_ms']:.0f} ms, p99 "
        f"{table['p99_ms']:,.0f} ms; over 100 ms by cause: {text or 'none'}."
    )


def melt_table(traffic, rate, max_loras):
    """Return each tenant's p99, and late requests by cause, of one engine.

    The CPU tier holds all 40 adapters. late counts requests above 500 ms.
    """
    run = shaped_run(traffic, rate, max_loras, TENANTS)
    tenants = tenant_table(run)
    late = late_by_cause(run, SLO_MS)
    return tenants | {
        "late": {cause: int(mask.sum()) for cause, mask in late.items()},
        "num_all": run.workload.num_requests,
        "all_hit_rate": float(run.is_hit.mean()),
        "all_p50_ms": float(np.median(run.ttft_ns)) / NS_PER_MS,
        "seats": run.utilisation["seats"],
    }


def draw_melt(fig, traffic, load, max_loras):
    """Draw the p99 of 40 tenants, and what made late requests late."""
    table = melt_table(traffic, load, max_loras)
    left, right = style.panels(fig, {
        "title": "p99 of each tenant", "xlabel": "tenants, by p99",
        "ylabel": "TTFT, s", "xlim": (-1, TENANTS), "yscale": "log",
        "ylim": (20, 100_000), "yticks": [100, 1000, 10_000, 100_000],
        "yticklabels": ["0.1", "1", "10", "100"],
        "widths": (1, 1),
    }, {
        "title": f"Later than {SLO_MS} ms, why", "xlim": (0, 118),
        "xlabel": "% of all requests", "yticks": range(5),
        "yticklabels": ["deferral", "KV", "seats", "load", "congestion"],
        "ylim": (4.6, -0.6), "grid": "x", "xticks": [0, 50, 100],
        "xticklabels": [0, 50, 100],
    })  # fmt: skip
    p99 = np.sort(table["p99_ms"])
    colors = np.where(p99 > SLO_MS, style.MISS, style.HIT)
    left.bar(range(len(p99)), p99, color=colors)
    style.threshold(left, SLO_MS, f"{SLO_MS} ms")
    left.legend(loc="upper left")
    shares = [100 * table["late"][c] / table["num_all"] for c in CAUSES[1:6]]
    bars = right.barh(range(5), shares, color=[COLORS[c] for c in CAUSES[1:6]])
    right.bar_label(bars, [f" {share:.1f} %" for share in shares],
                    fontsize=8.5)  # fmt: skip
    num_late = int((p99 > SLO_MS).sum())
    return (
        f"{traffic}, {load} requests/s, max_loras={max_loras}: hit rate "
        f"{100 * table['all_hit_rate']:.1f} %, p50 {table['all_p50_ms']:,.0f} "
        f"ms, seats {100 * table['seats']:.0f} % taken; {num_late} of "
        f"{len(p99)} tenants have a p99 above {SLO_MS} ms, the worst "
        f"{p99[-1]:,.0f} ms."
    )
