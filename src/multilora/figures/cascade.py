"""Pictures of the cascade: the witness, published runs, the CPU tier."""

from functools import cache

import numpy as np

from multilora import traffic
from multilora.arguments import integer
from multilora.cache.cascade import simulate_loads
from multilora.cache.load_cost import seconds_loading
from multilora.cache.tiers import AdapterTiers
from multilora.evidence.predicted import adapter_loads_table
from multilora.figures import style
from multilora.units import percent

RESIDENTS, NEWCOMER = (1, 2, 3, 4), 5
DRAWN_WALKS = ("one by one", "residents first")
# The middle of published times, Llama-2-7B at rank 8: see load_times.json.
SLOT_MS, DISK_MS = 8.6, 41
# As the published run of 16 slots, whose mean ITL was 20.9 ms.
ADAPTERS, DURATION_S, RATE, STEP_MS, STEPS = 64, 600, 0.05, 20.9, 231


def witness_table(newcomer_at):
    """Return (adapter, was it there, slots after) of each activation.

    Four slots hold 1, 2, 3, 4; the step needs 1, 2, 3 and 5, walked in this
    order but for 5, which comes newcomer_at-th (1 to 4).
    """
    newcomer_at = integer("newcomer_at", newcomer_at, 1, 4)
    order = [1, 2, 3]
    order.insert(newcomer_at - 1, NEWCOMER)
    tiers = AdapterTiers(4, 9)
    for adapter_id in RESIDENTS:
        tiers.activate(adapter_id)
    table = []
    for adapter_id in order:
        was_there = tiers.distance(adapter_id) == 0
        tiers.activate(adapter_id)
        table.append((adapter_id, was_there, tiers.slots))
    return table


def draw_witness(fig, newcomer_at):
    """Draw who sits in each slot while one step's adapters are walked."""
    table = witness_table(newcomer_at)
    labels = ["before", *(f"walk {row[0]}" for row in table)]
    (axes,) = style.panels(fig, {
        "title": "Four slots during one step that needs 1, 2, 3 and 5",
        "xlim": (-0.6, 4.6), "ylim": (-1.1, 3.5), "grid": None,
        "yticks": [3, 2, 1, 0],
        "yticklabels": [f"slot {n}" for n in range(4)],
    })  # fmt: skip
    axes.set_xticks(range(5), labels)
    held = [(None, True, list(RESIDENTS)), *table]
    for column, (walked, was_there, slots) in enumerate(held):
        for slot, adapter_id in enumerate(slots):
            is_walked = adapter_id == walked
            color = "#d9d9d9"
            if is_walked:
                color = style.HIT if was_there else style.MISS
            axes.bar(column, 0.8, 0.8, 2.6 - slot, color=color)
            axes.text(column, 3 - slot, str(adapter_id), ha="center",
                      va="center", fontsize=11,
                      color="white" if is_walked else style.INK)  # fmt: skip
    for color, name in ((style.HIT, "was there"), (style.MISS, "loaded")):
        axes.bar(0, 0, 0, 0, color=color, label=name)
    axes.legend(loc="lower left", ncols=2)
    loads = sum(not row[1] for row in table)
    return (
        f"Adapter 5 is walked number {newcomer_at} of 4: one miss, "
        f"{loads} load{'s' * (loads > 1)}."
    )


def runs_table(slots, rate):
    """Return published runs and both walks, loads per request by adapters."""
    rows = adapter_loads_table(slots, rate)
    if not rows:
        raise ValueError(
            f"slots, rate are {slots}, {rate}, which no published run has"
        )
    num_adapters = [row["adapters"] for row in rows]
    usable = {row["adapters"] for row in rows if row["is_usable"]}
    return {"adapters": num_adapters, "usable": usable} | {
        name: [
            row[name]
            / row["completed" if name == "loads" else "num_completed"]
            for row in rows
        ]
        for name in ("loads", "set_order", "ideal")
    }


def draw_runs(fig, slots, rate):
    """Draw loads per request: published runs, set order, ideal LRU."""
    table = runs_table(slots, rate)
    (axes,) = style.panels(fig, {
        "title": f"{slots} slots, {rate} requests a second and adapter",
        "xlabel": "adapters", "yscale": "log",
        "ylabel": "loads per request (log)", "xlim": (0, 335),
        "ylim": (0.006, 40),
        "yticks": [0.03, 0.1, 0.3, 1, 3],
        "yticklabels": ["0.03", "0.1", "0.3", "1", "3"],
    })  # fmt: skip
    axes.minorticks_off()
    axes.plot(table["adapters"], table["ideal"], "--", color=style.PALE,
              label="ideal LRU")  # fmt: skip
    axes.plot(table["adapters"], table["set_order"], "s-", color=style.MISS,
              ms=3.5, label="set order")  # fmt: skip
    for usable, face, name in ((True, style.INK, "real runs, reported"),
                               (False, "none", "not comparable")):  # fmt: skip
        points = [
            point
            for point in zip(table["adapters"], table["loads"], strict=True)
            if (point[0] in table["usable"]) == usable
        ]
        axes.plot(*np.array(points).reshape(-1, 2).T, "o", ms=5, mfc=face,
                  color=style.INK, label=name)  # fmt: skip
    style.threshold(axes, 1, "one a request")
    axes.legend(loc="upper center", ncols=3, columnspacing=1,
                bbox_to_anchor=(0.5, 1.0))  # fmt: skip
    middle = len(table["adapters"]) // 2
    real, ours, ideal = (
        table[name][middle] for name in ("loads", "set_order", "ideal")
    )
    return (
        f"{slots} slots, {table['adapters'][middle]} adapters at {rate} "
        f"requests a second each: {real:.2f} loads a request in the real "
        f"run, {ours:.2f} in set order, {ideal:.2f} for ideal LRU."
    )


@cache
def tiers_run(max_loras, max_cpu_loras, walk):
    """Return the LoadRun of 64 adapters, 0.05 requests a second each."""
    arrivals = traffic.poisson(ADAPTERS, RATE, DURATION_S)
    return simulate_loads(
        arrivals, ADAPTERS, max_loras, STEP_MS, STEPS, DURATION_S, walk,
        max(max_cpu_loras, max_loras),
    )  # fmt: skip


def share_of_time(max_loras, max_cpu_loras, walk):
    """Return (slot, disk): shares of the run in which the engine loads."""
    run = tiers_run(max_loras, max_cpu_loras, walk)
    return (
        seconds_loading(run.slot_loads, 0, SLOT_MS, DISK_MS) / DURATION_S,
        seconds_loading(0, run.disk_loads, SLOT_MS, DISK_MS) / DURATION_S,
    )


def draw_tiers(fig, max_loras, max_cpu_loras):
    """Draw the share of time that loads take, by walk and CPU tier."""
    bars = {
        f"{walk},\n{name}": share_of_time(max_loras, size, walk)
        for walk in DRAWN_WALKS
        for name, size in (
            ("default tier", max_loras),
            (f"{max(max_cpu_loras, max_loras)} copies", max_cpu_loras),
        )
    }
    (axes,) = style.panels(fig, {
        "title": "64 adapters: time in which all requests wait for a load",
        "ylabel": "share of the run", "ylim": (0, 0.25), "grid": "y",
        "yticks": [0, 0.05, 0.1, 0.15, 0.2],
        "yticklabels": ["0", "5 %", "10 %", "15 %", "20 %"],
        "xlim": (-0.6, 3.6),
    })  # fmt: skip
    axes.set_xticks(range(4), list(bars), fontsize=8.5)
    slot, disk = np.array(list(bars.values())).T
    axes.bar(range(4), slot, color=style.SLOTS, label="copies into slots")
    axes.bar(range(4), disk, bottom=slot, color=style.MISS, hatch="//",
             edgecolor="white", lw=0, label="reads of the disk")  # fmt: skip
    for place, total in enumerate(slot + disk):
        axes.text(place, total + 0.004, percent(total), ha="center",
                  fontsize=8.5)  # fmt: skip
    axes.legend(loc="upper right")
    default, more, _, both = slot + disk
    return (
        f"max_loras={max_loras}: with the default CPU tier loads take "
        f"{percent(default)} of the time, with "
        f"{max(max_cpu_loras, max_loras)} copies {percent(more)}, and "
        f"residents first {percent(both)}."
    )
