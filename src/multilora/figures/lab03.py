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
from multilora.models.shipped import model_shape
from multilora.published import shared
from multilora.units import GIB, format_bytes, mib, percent

MAX_TENANTS = 200
SLOT_COUNTS = (1, 2, 4, 8, 16, 32, 64)
# Dense models in 16 bits, as people serve them.
SIZED_MODELS = (
    "Llama-3.2-1B", "Phi-4-mini", "Mistral-7B", "Qwen2.5-7B", "Llama-3.1-8B",
    "Qwen3-8B", "Gemma-3-12B", "Mistral-Small-24B", "Llama-3.1-70B",
)  # fmt: skip


# Models that people serve now, for the memory of a card.
MEMORY_MODELS = (
    "Llama-3.1-8B", "Llama-3.1-70B", "Qwen3-8B", "Qwen3-30B-A3B",
    "Gemma-3-12B", "gpt-oss-20b", "Phi-4-mini", "Mistral-Small-24B",
)  # fmt: skip


def draw_adapter_size(fig, rank):
    """Draw the file size of an all-linear adapter for each model."""
    sizes = [
        adapter_file_bytes(model_shape(name), rank, "all-linear", "F16")
        for name in SIZED_MODELS
    ]
    ticks = [10, 100, 1000, 10000]
    (axes,) = style.panels(fig, {
        "title": "One adapter on all linear layers, 16 bits, on disk",
        "xlabel": "MiB", "xscale": "log", "xlim": (8, 30000),
        "xticks": ticks, "xticklabels": [f"{tick:,}" for tick in ticks],
        "ylim": (len(SIZED_MODELS) - 0.5, -0.5), "grid": "x",
        "yticks": list(range(len(SIZED_MODELS))),
        "yticklabels": SIZED_MODELS,
        "left": 0.22,
    })  # fmt: skip
    bars = axes.barh(
        range(len(sizes)), [mib(size) for size in sizes], color=style.SLOTS
    )
    axes.bar_label(bars, [format_bytes(size) for size in sizes], padding=3,
                   fontsize=8.5)  # fmt: skip
    size = sizes[SIZED_MODELS.index("Llama-3.1-8B")]
    return (
        f"At rank {rank} an all-linear adapter of Llama-3.1-8B is "
        f"{format_bytes(size)} in 16 bits."
    )


def card_names():
    """Return the cards that the sliders offer, by their vendors' names."""
    return [card["name"] for card in shared("cards")]


def card_gib(card):
    """Return the GiB that an engine sees on a card of card_names()."""
    return next(
        item["gib"]
        for item in shared("cards")
        if item["name"] == choice("card", card, card_names())
    )


@cache
def memory_table(model, card, tensor_parallel_size, max_lora_rank):
    """Return weights, slots and KV in GiB a GPU for each number of slots.

    kv_low and kv_high are thousand tokens, the two ends of the range.
    """
    shape = model_shape(model)
    ledgers = [
        memory_ledger(
            shape,
            card_gib(card),
            num_slots,
            max_lora_rank,
            tensor_parallel_size=tensor_parallel_size,
        )
        for num_slots in SLOT_COUNTS
    ]
    return {
        "weights": [item.weight_bytes / GIB for item in ledgers],
        "slots": [item.slot_bytes / GIB for item in ledgers],
        "kv": [item.kv_bytes / GIB for item in ledgers],
        "usable": ledgers[0].usable_bytes / GIB,
        "kv_low": [item.kv_tokens_low / 1000 for item in ledgers],
        "kv_high": [item.kv_tokens_high / 1000 for item in ledgers],
        "told": [item.told() for item in ledgers],
    }


def draw_memory(
    fig, model, card, tensor_parallel_size, max_lora_rank, max_loras
):
    """Draw where each GPU's memory goes as slots are added."""
    table = memory_table(model, card, tensor_parallel_size, max_lora_rank)
    of_card = 100 / card_gib(card)
    ticks = list(range(len(SLOT_COUNTS)))
    left, right = style.panels(fig, {
        "title": f"Each of {tensor_parallel_size} × {card}",
        "xlabel": "max_loras", "ylabel": "% of a card", "ylim": (0, 170),
        "xticks": ticks, "xticklabels": SLOT_COUNTS, "grid": "y",
        "widths": (3, 2),
    }, {
        "title": "Left for KV", "xlabel": "max_loras",
        "ylabel": "thousand tokens", "xticks": ticks,
        "xticklabels": SLOT_COUNTS, "yscale": "log", "ylim": (1, 20000),
        "yticks": [1, 10, 100, 1000, 10000],
        "yticklabels": ["≤ 1", 10, 100, "1,000", "10,000"],
    })  # fmt: skip
    bottom = np.zeros(len(ticks))
    chosen = SLOT_COUNTS.index(choice("max_loras", max_loras, SLOT_COUNTS))
    for name, color in (("weights", style.WEIGHTS), ("slots", style.SLOTS),
                        ("KV", style.KV)):  # fmt: skip
        # Taller than the legend's foot is tall enough.
        part = of_card * np.array(table[name.lower()])
        part = np.minimum(part, 135 - bottom)
        left.bar(ticks, part, bottom=bottom, color=color, alpha=0.45)
        left.bar(chosen, part[chosen], bottom=bottom[chosen], color=color,
                 label=name)  # fmt: skip
        bottom += part
    style.threshold(left, of_card * table["usable"], "vLLM may fill 92 %")
    left.legend(loc="upper left", ncols=2, columnspacing=0.8,
                handlelength=1.4)  # fmt: skip
    low, high = (np.maximum(table[end], 1) for end in ("kv_low", "kv_high"))
    right.fill_between(ticks, low, high, color=style.KV, alpha=0.35,
                       label="range")  # fmt: skip
    right.plot([chosen, chosen], [low[chosen], high[chosen]], "o-",
               color=style.KV, ms=5, clip_on=False,
               label=f"max_loras = {max_loras}")  # fmt: skip
    right.legend(loc="upper right")
    return (
        f"{model} on {tensor_parallel_size} × {card}, max_loras={max_loras}, "
        f"max_lora_rank={max_lora_rank}: {table['told'][chosen]}."
    )


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
