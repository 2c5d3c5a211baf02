"""Pictures of lab 03: bytes, cards, engines, and figures of others."""

from functools import cache

import numpy as np

from multilora.arguments import choice
from multilora.evidence.ladder import ladder_table
from multilora.evidence.predicted import startup_table
from multilora.figures import style
from multilora.fleet.sizing import (
    HOURS,
    engines_under_load,
    load_by_hour,
)
from multilora.memory.economics import (
    adapter_file_bytes,
    engines_needed,
    gpus_saved,
)
from multilora.memory.ledger import memory_ledger
from multilora.models.shipped import model_names, model_shape
from multilora.units import GIB, format_bytes, mib, percent

MAX_TENANTS = 200
SLOT_COUNTS = (1, 2, 4, 8, 16, 32, 64)
LEDGER_MODELS = ("Llama-2-7B", "Llama-3.1-8B", "Qwen2.5-7B", "Mistral-7B")


def draw_adapter_size(fig, rank):
    """Draw the file size of an all-linear adapter for each model."""
    models = [m for m in model_names() if not model_shape(m).num_experts]
    sizes = [
        adapter_file_bytes(model_shape(name), rank, "all-linear", "F16")
        for name in models
    ]
    ticks = [10, 100, 1000, 10000]
    (axes,) = style.panels(fig, {
        "title": "One adapter on all linear layers, 16 bits, on disk",
        "xlabel": "MiB", "xscale": "log", "xlim": (8, 30000),
        "xticks": ticks, "xticklabels": [f"{tick:,}" for tick in ticks],
        "ylim": (len(models) - 0.5, -0.5), "grid": "x",
        "yticks": list(range(len(models))), "yticklabels": models,
        "left": 0.22,
    })  # fmt: skip
    bars = axes.barh(
        range(len(models)), [mib(size) for size in sizes], color=style.SLOTS
    )
    axes.bar_label(bars, [format_bytes(size) for size in sizes], padding=3,
                   fontsize=8.5)  # fmt: skip
    size = sizes[models.index("Llama-3.1-8B")]
    return (
        f"At rank {rank} an all-linear adapter of Llama-3.1-8B is "
        f"{format_bytes(size)} in 16 bits."
    )


def memory_table(model, max_lora_rank, card_gib):
    """Return weights, slots and KV in GiB for each number of slots."""
    ledgers = [
        memory_ledger(model_shape(model), card_gib, num_slots, max_lora_rank)
        for num_slots in SLOT_COUNTS
    ]
    return {
        "max_loras": SLOT_COUNTS,
        "weights": [item.weight_bytes / GIB for item in ledgers],
        "slots": [item.slot_bytes / GIB for item in ledgers],
        "kv": [item.kv_bytes / GIB for item in ledgers],
        "usable": ledgers[0].usable_bytes / GIB,
        "kv_tokens": [item.kv_tokens for item in ledgers],
    }


def draw_memory(fig, model, max_lora_rank, max_loras, card_gib=24):
    """Draw where a card's memory goes as slots are added."""
    table = memory_table(model, max_lora_rank, card_gib)
    ticks = list(range(len(SLOT_COUNTS)))
    left, right = style.panels(fig, {
        "title": f"A card of {card_gib} GiB", "xlabel": "max_loras",
        "ylabel": "GiB", "ylim": (0, 1.7 * card_gib), "xticks": ticks,
        "xticklabels": SLOT_COUNTS, "grid": "y", "widths": (3, 2),
    }, {
        "title": "Left for KV, at most", "xlabel": "max_loras",
        "ylabel": "thousand tokens", "xticks": ticks,
        "xticklabels": SLOT_COUNTS,
        "ylim": (0, _kv_ceiling(card_gib)),
    })  # fmt: skip
    bottom = np.zeros(len(ticks))
    chosen = SLOT_COUNTS.index(choice("max_loras", max_loras, SLOT_COUNTS))
    for name, color in (("weights", style.WEIGHTS), ("slots", style.SLOTS),
                        ("KV", style.KV)):  # fmt: skip
        size = np.array(table[name.lower()])
        left.bar(ticks, size, bottom=bottom, color=color, alpha=0.45)
        left.bar(chosen, size[chosen], bottom=bottom[chosen], color=color,
                 label=name)  # fmt: skip
        bottom += size
    style.threshold(left, table["usable"], "90 % of it")
    left.legend(loc="upper left", ncols=2, columnspacing=0.8,
                handlelength=1.4)  # fmt: skip
    thousand_tokens = np.array(table["kv_tokens"]) / 1000
    right.plot(ticks, thousand_tokens, "o-", ms=4, color=style.KV)
    right.plot(chosen, thousand_tokens[chosen], "o", ms=9, color=style.KV,
               clip_on=False)  # fmt: skip
    tokens = table["kv_tokens"][chosen]
    end = (
        f"at most {tokens:,} KV tokens remain"
        if tokens
        else "no KV block remains: the engine does not start"
    )
    return (
        f"{model} on {card_gib} GiB, max_loras={max_loras}, "
        f"max_lora_rank={max_lora_rank}: slots take "
        f"{table['slots'][chosen]:.2f} GiB and {end}."
    )


@cache
def _kv_ceiling(card_gib):
    """Room for each model's KV without LoRA: the axis holds still."""
    tokens = [
        memory_ledger(model_shape(model), card_gib).kv_tokens
        for model in LEDGER_MODELS
    ]
    return max(1, 1.1 * max(tokens) / 1000)


def draw_savings(fig, tenants, max_loras):
    """Draw engines against tenants, one each or shared."""
    counts = np.arange(1, MAX_TENANTS + 1)
    shared = [engines_needed(int(count), max_loras) for count in counts]
    (axes,) = style.panels(fig, {
        "title": "Engines that a fleet needs, by slots alone",
        "xlabel": "tenants", "ylabel": "engines",
        "xlim": (0, MAX_TENANTS), "ylim": (0, MAX_TENANTS),
    })  # fmt: skip
    axes.plot(counts, counts, color=style.PALE, label="one engine a tenant")
    axes.step(counts, shared, where="post", color=style.SLOTS,
              label=f"shared, max_loras = {max_loras}")  # fmt: skip
    need = engines_needed(tenants, max_loras)
    axes.plot([tenants, tenants], [need, tenants], color=style.HIT, lw=5,
              alpha=0.6, label="saved")  # fmt: skip
    style.threshold(axes, tenants, f"{tenants} tenants", vertical=True,
                    end=tenants / MAX_TENANTS)  # fmt: skip
    axes.legend(loc="upper left")
    return (
        f"{tenants} tenants at max_loras={max_loras} need {need} engines "
        f"instead of {tenants}: {gpus_saved(tenants, max_loras)} saved, "
        "if load allows."
    )


def draw_fleet(fig, spread_hours, tenants, max_loras=8, peak_load=0.25):
    """Draw a day's load against the engines that slots alone ask for."""
    load = load_by_hour(tenants, peak_load, spread_hours)
    floor = engines_needed(tenants, max_loras)
    need = engines_under_load(tenants, max_loras, load)
    (axes,) = style.panels(fig, {
        "title": f"A day of {tenants} tenants, each {percent(peak_load, 0)} "
                 "of an engine in its busy hour",
        "xlabel": "hour", "ylabel": "engines", "xlim": (-0.6, 23.6),
        "ylim": (0, 0.3 * MAX_TENANTS), "grid": "y",
        "xticks": list(range(0, HOURS, 3)),
    })  # fmt: skip
    hours, is_over = np.arange(HOURS), load > floor
    for chosen, color, name in (
        (~is_over, style.HIT, "load"),
        (is_over, style.MISS, "load above it"),
    ):
        axes.bar(hours[chosen], load[chosen], color=color, label=name)
    style.threshold(axes, floor, f"slots ask for {floor} engines")
    axes.legend(loc="upper left")
    return (
        f"{tenants} busy hours spread over {spread_hours} h: load peaks at "
        f"{load.max():.1f} engines, slots ask for {floor}, so the fleet "
        f"needs {need}."
    )


def draw_startups(fig):
    """Draw predicted against published slot memory, and the error."""
    table = startup_table()
    predicted, measured = (
        np.array(table["predicted"]),
        np.array(table["measured"]),
    )
    left, right = style.panels(fig, {
        "title": "Slot memory of 78 start-ups", "xlabel": "formula, GiB",
        "ylabel": "log file, GiB", "xscale": "log", "yscale": "log",
        "xlim": (0.2, 80), "ylim": (0.2, 80),
    }, {
        "title": "Log file over formula", "xlabel": "formula, GiB",
        "ylabel": "ratio", "xscale": "log", "xlim": (0.2, 80),
        "ylim": (0.98, 1.05),
    })  # fmt: skip
    for name, color, mark in (("Llama-3.1-8B", style.WEIGHTS, "o"),
                              ("Qwen2.5-7B", style.SLOTS, "s")):  # fmt: skip
        chosen = np.array(table["model"]) == name
        x, y = predicted[chosen], measured[chosen]
        left.plot(x, y, mark, ms=4, color=color, label=name)
        right.plot(x, y / x, mark, ms=4, color=color, label=name)
    left.plot([0.2, 80], [0.2, 80], color=style.INK, lw=0.8, ls="--")
    style.threshold(right, 1, "equal")
    left.legend(loc="upper left")
    ratio = measured / predicted
    return (
        f"{len(ratio)} start-ups of vLLM 0.8.5: log over formula runs from "
        f"{ratio.min():.3f} to {ratio.max():.3f}, median "
        f"{np.median(ratio):.4f}; nothing was fitted."
    )


def draw_ladder(fig, tenant):
    """Draw quality against rank, seeds as a band, and the file's bytes."""
    table = ladder_table(tenant)
    ranks = [row["rank"] for row in table]
    mean = [row["mean"] for row in table]
    (axes,) = style.panels(fig, {
        "title": f"{tenant}: exact answers, by rank and file size",
        "ylabel": "share of held-out prompts", "xscale": "log",
        "xlim": (0.9, 36), "ylim": (0.4, 1.0), "xticks": ranks,
        "xticklabels": [
            f"{row['rank']}\n{row['file_bytes'] / 1024:.0f} KiB"
            for row in table
        ],
    })  # fmt: skip
    axes.fill_between(ranks, [row["lowest"] for row in table],
                      [row["highest"] for row in table], color=style.HIT,
                      alpha=0.25, label="three seeds")  # fmt: skip
    axes.plot(ranks, mean, "o-", color=style.HIT, label="mean")
    best = max(mean)
    style.threshold(axes, best, f"best mean, {best:.3f}")
    axes.legend(loc="lower right")
    return (
        f"{tenant}: {mean[0]:.3f} at rank 1, {mean[3]:.3f} at rank 8, "
        f"{mean[-1]:.3f} at rank 32."
    )
