"""Pictures of lab 01: rank, the cost of grouping, the cost of padding."""

import numpy as np

from multilora.arguments import choice, integer
from multilora.figures import style
from multilora.matmul.lora import pad_adapter
from multilora.published import published
from multilora.units import percent

# Singular values below it hang on the BLAS kernel, and are drawn at it.
ROUNDING = 1e-12

DESIGNS = {"row by row": style.MISS, "mask": style.DEFERRED,
           "grouped": style.SLOTS}  # fmt: skip


def singular_values_table(rank, width=48, seed=0):
    """Return the singular values of W and of B @ A, largest first."""
    rank = integer("rank", rank, 1, width)
    rng = np.random.default_rng(seed)
    W = rng.standard_normal((width, width))
    A = rng.standard_normal((rank, width))
    B = rng.standard_normal((width, rank))
    return {
        "base": np.linalg.svd(W, compute_uv=False),
        "delta": np.linalg.svd(B @ A / rank, compute_uv=False),
    }


def draw_singular_values(fig, rank):
    """Draw the spectrum of a base matrix and of a rank-r delta."""
    table = singular_values_table(rank)
    width = len(table["base"])
    (axes,) = style.panels(fig, {
        "title": "Singular values",
        "xlabel": "index", "ylabel": "value, largest first",
        "xlim": (0, width + 1), "ylim": (1e-13, 1e3), "yscale": "log",
    })  # fmt: skip
    index = np.arange(1, width + 1)
    axes.plot(index, table["base"], "o", ms=3, color=style.WEIGHTS,
              label="base W")  # fmt: skip
    axes.plot(index, np.maximum(table["delta"], ROUNDING), "o", ms=3,
              color=style.SLOTS, label="delta B @ A")  # fmt: skip
    axes.axhspan(1e-13, ROUNDING, color=style.PALE, alpha=0.2, lw=0,
                 label="rounding")  # fmt: skip
    style.threshold(axes, rank + 0.5, f"rank {rank}", vertical=True)
    style.legend_above(axes, ncols=4)
    num_large = int((table["delta"] > ROUNDING).sum())
    return (
        f"Rank {rank}: {num_large} of {width} singular values of the delta "
        f"stand above rounding; of the base, all {width}."
    )


def overhead_table(rank, rows):
    """Return measured added time in % of the base matmul, by design."""
    data = published("overhead")
    choice("rank", rank, sorted({row["rank"] for row in data["rows"]}))
    choice("rows", rows, sorted({row["rows"] for row in data["rows"]}))
    chosen = [
        row
        for row in data["rows"]
        if row["rank"] == rank and row["rows"] == rows
    ]
    table = {"num_adapters": [row["num_adapters"] for row in chosen]}
    for design in DESIGNS:
        table[design] = [100 * (row[design] - 1) for row in chosen]
    again = [100 * abs(row["base again"] - 1) for row in chosen]
    table["noise"] = max(again)
    table["flop_share"] = 100 * 2 * rank / data["width"]
    return table


def draw_overhead(fig, rank, rows):
    """Draw added time against distinct adapters for one batch size."""
    table = overhead_table(rank, rows)
    ticks = [2**power for power in range(7)]
    (axes,) = style.panels(fig, {
        "title": "Added time over the base matmul alone, 4096 × 4096",
        "xlabel": "distinct adapters in the batch",
        "ylabel": "added time, % of base",
        "xscale": "log", "xlim": (0.8, 80), "xticks": ticks,
        "xticklabels": ticks, "yscale": "log", "ylim": (0.3, 20000),
        "yticks": [1, 10, 100, 1000],
        "yticklabels": ["1", "10", "100", "1,000"],
    })  # fmt: skip
    for design, color in DESIGNS.items():
        share = np.maximum(table[design], 0.3)
        axes.plot(table["num_adapters"], share, "o-", ms=4, color=color,
                  label=design)  # fmt: skip
    axes.axhspan(0.3, max(0.3, table["noise"]), color=style.PALE, alpha=0.2,
                 lw=0, label="noise of this run")  # fmt: skip
    style.threshold(axes, table["flop_share"], "FLOPs alone, 2r/D")
    axes.legend(loc="upper left", ncols=3)
    text = ", ".join(f"{name} {table[name][-1]:+.0f} %" for name in DESIGNS)
    return (
        f"Rank {rank}, {rows} rows, {table['num_adapters'][-1]} adapters: "
        f"{text}; FLOPs alone say {table['flop_share']:.1f} %."
    )


def padding_table(small_rank, max_lora_rank, num_small=7, width=256):
    """Return rows of A really used and held, for a slot a tenant.

    num_small tenants of small_rank and one of max_lora_rank, all in slots
    of max_lora_rank, as pad_adapter makes them.
    """
    integer("num_small", num_small, minimum=0)
    integer("small_rank", small_rank, minimum=1)
    small = (np.ones((small_rank, width)), np.ones((width, small_rank)))
    padded, _ = pad_adapter(*small, max_lora_rank)
    used = [small_rank] * num_small + [max_lora_rank]
    return {"used": used, "held": [padded.shape[0]] * (num_small + 1)}


def draw_padding(fig, small_rank, max_lora_rank):
    """Draw eight slots: the rank in use and the zeros beside it."""
    small_rank = min(small_rank, max_lora_rank)
    table = padding_table(small_rank, max_lora_rank)
    used, held = np.array(table["used"]), np.array(table["held"])
    slots = np.arange(len(used))
    (axes,) = style.panels(fig, {
        "title": "Eight slots: seven small tenants and one large one",
        "xlabel": "slot", "ylabel": "rank", "ylim": (0, 82),
        "xticks": list(range(8)), "grid": "y",
    })  # fmt: skip
    axes.bar(slots, held, color="none", edgecolor=style.PALE, hatch="///",
             label="zeros")  # fmt: skip
    axes.bar(slots, used, color=style.SLOTS, label="in use")
    style.threshold(axes, max_lora_rank, f"max_lora_rank = {max_lora_rank}")
    axes.legend(loc="upper left", ncols=3)
    waste = 1 - used.sum() / held.sum()
    return (
        f"Seven tenants of rank {small_rank} beside one of rank "
        f"{max_lora_rank}: {percent(waste)} of the slots' numbers are zeros."
    )
