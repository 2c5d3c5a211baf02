"""Pictures of a plan: who waits how long, and where the memory goes."""

import math

import numpy as np

from multilora.deploy.serve_args import checked_plan
from multilora.figures import style
from multilora.figures.boxes import counted
from multilora.plan.memory_parts import memory_parts
from multilora.units import gib

SIZE = (5.2, 3.1)  # inches; a phone shows them at their own size
MAX_BARS = 8  # engines whose memory differs; more are not told apart
MAX_LINES = 300  # tenants that are joined one by one
BAR, MARGIN = 0.42, 1.25  # inches of a bar, and of all that is not one
HATCH = "//////"
OVERHEAD = "#8a8a8a"  # neither weights, slots nor KV
FREE = "#d9d9d9"


def draw_tenants(fig, plan):
    """Draw TTFT of each tenant, highest p99 first, and the SLO's line.

    A thin line joins a tenant's median and p99, in ms on a log axis.
    """
    checked_plan(plan)
    tenants = plan.tenants
    slo = plan.slo.ttft_p99_ms
    high = np.array([max(one.p99_ms, 1) for one in tenants])
    median = np.array([max(one.p50_ms, 1) for one in tenants])
    meets = np.array([one.meets_slo for one in tenants], dtype=bool)
    places = np.arange(1, len(tenants) + 1)
    ticks = _nice_ticks([*high, *median, slo])
    (axes,) = style.panels(fig, {
        "xlabel": "tenant, highest p99 first", "ylabel": "TTFT in ms",
        "yscale": "log", "grid": "y", "left": 0.17,
        "xlim": (0, len(tenants) + 1), "ylim": (ticks[0], ticks[-1]),
        "yticks": ticks, "yticklabels": [f"{tick:,}" for tick in ticks],
    })  # fmt: skip
    axes.tick_params(axis="y", which="minor", left=False, labelleft=False)
    axes.xaxis.get_major_locator().set_params(integer=True)
    if len(tenants) <= MAX_LINES:
        axes.vlines(places, np.minimum(median, high), high, color=style.PALE,
                    alpha=0.45, lw=1)  # fmt: skip
    else:  # a line each would be most of the page
        axes.fill_between(places, median, high, color=style.PALE, alpha=0.3,
                          lw=0)  # fmt: skip
    size = 4 if len(tenants) <= 80 else 2.5
    style.dots(axes, places, median, style.PALE, "median", size)
    for is_met, color, label in (
        (True, style.HIT, "p99, meets the SLO"),
        (False, style.MISS, "p99, does not"),
    ):
        if (meets == is_met).any():
            style.dots(axes, places[meets == is_met], high[meets == is_met],
                       color, label, size)  # fmt: skip
    if slo > 0:
        style.threshold(axes, slo, f"SLO, {slo:g} ms")
    style.legend_above(axes, ncols=4)
    return (
        f"{int(meets.sum())} of {counted(len(tenants), 'tenant')} meet the "
        f"SLO of {slo:g} ms TTFT at the 99th percentile; the slowest tenant "
        f"has {high.max(initial=0):,.0f} ms."
    )


def _nice_ticks(values):
    """Return 1, 2, 5, 10, … ms, from below the smallest to above the largest.

    Far apart they are powers of ten alone.
    """
    low, high = max(min(values), 1), max(*values, 1) * 1.05
    powers = range(int(math.log10(low)), int(math.log10(high)) + 2)
    steps = (1, 2, 5) if high / low < 1000 else (1,)
    ticks = [step * 10**power for power in powers for step in steps]
    first = max(i for i, tick in enumerate(ticks) if tick <= low)
    last = min(i for i, tick in enumerate(ticks) if tick >= high)
    return ticks[first : last + 1]


def memory_bars(plan):
    """Return [(label, Memory)]: engines of the same memory share a bar.

    After MAX_BARS the rest are left out; the last label says how many.
    """
    checked_plan(plan)
    found = {}
    for number, engine in enumerate(plan.engines, 1):
        found.setdefault(engine.memory, []).append(number)
    bars = [(_label(numbers), memory) for memory, numbers in found.items()]
    return bars[:MAX_BARS]


def _label(numbers):
    if len(numbers) == 1:
        return f"engine {numbers[0]}"
    if numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"engines {numbers[0]} to {numbers[-1]}"
    return f"{len(numbers)} engines"


def memory_size(plan):
    """Return the inches of draw_memory's figure."""
    return SIZE[0], BAR * len(memory_bars(plan)) + MARGIN


COLORS = {
    "base weights": style.WEIGHTS,
    "slots": style.SLOTS,
    "overhead": OVERHEAD,
    "overhead or KV": OVERHEAD,
    "KV": style.KV,
    "not used by vLLM": FREE,
}


def draw_memory(fig, plan):
    """Draw the memory of one GPU as a bar for each kind of engine, in GiB."""
    bars = memory_bars(plan)
    height = fig.get_size_inches()[1]
    labels = [label for label, _ in bars]
    (axes,) = style.panels(fig, {
        "xlabel": "GiB of one GPU", "ylim": (len(bars) - 0.4, -0.6),
        "xlim": (0, plan.card_gib * 1.01), "grid": "x",
        "position": (0.2, 0.55 / height, 0.77, BAR * len(bars) / height),
    })  # fmt: skip
    axes.set_yticks(range(len(bars)), labels)
    axes.tick_params(axis="y", length=0)
    lefts = np.zeros(len(bars))
    parts = [memory_parts(plan, memory) for _, memory in bars]
    for name, color in COLORS.items():
        widths = np.array([gib(part[name]) for part in parts])
        if not widths.any():
            continue
        is_open = name == "overhead or KV"
        axes.barh(
            range(len(bars)), widths, left=lefts, height=0.62, label=name,
            color="none" if is_open else color, edgecolor=color,
            hatch=HATCH if is_open else None, linewidth=0,
        )  # fmt: skip
        lefts += widths
    style.legend_above(axes, ncols=3)
    first = bars[0][1]
    more = " The other bars differ." if len(bars) > 1 else ""
    return (
        f"Of {plan.card_gib:g} GiB on one GPU of {bars[0][0]}, the base takes "
        f"{gib(first.weight_bytes):.1f}, the slots "
        f"{gib(first.slot_bytes):.1f}, and KV gets "
        f"{first.kv_tokens_low:,} to {first.kv_tokens_high:,} tokens.{more}"
    )
