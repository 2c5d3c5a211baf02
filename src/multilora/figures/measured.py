"""A picture of `make bench`: how cost grows."""

from multilora.arguments import choice
from multilora.figures import style
from multilora.published import published

OVER = ("requests", "adapters", "slots")
LINES = {
    "whole curve, numpy": {"color": style.HIT, "marker": "o"},
    "whole curve, numba": {"color": style.WEIGHTS, "marker": "s"},
    "one slot count, LRU": {"color": style.KV, "marker": "^"},
    "one slot count, Belady": {"color": style.INK, "marker": "v"},
    "simulator, Python": {"color": style.SLOTS, "marker": "D"},
    "simulator, numba": {"color": style.MISS, "marker": "P"},
}


def growth_table(over):
    """Return the measured rows of what was timed over one of OVER."""
    choice("over", over, OVER)
    return [row for row in published("benchmarks")["growth"]
            if row["over"] == over]  # fmt: skip


def draw_growth(fig, over):
    """Draw measured time over requests, adapters or slots, first point 1."""
    rows = growth_table(over)
    (axes,) = style.panels(fig, {
        "title": "Time over the first point's", "xlabel": "how many",
        "ylabel": "ratio", "xscale": "log", "yscale": "log",
        "xlim": (0.7, 2e6), "ylim": (0.4, 500),
        "xticks": [1, 10, 100, 1000, 10_000, 100_000, 1_000_000],
        "xticklabels": ["1", "10", "100", "1,000", "10⁴", "10⁵", "10⁶"],
        "yticks": [1, 10, 100], "yticklabels": ["1", "10", "100"],
    })  # fmt: skip
    for row in rows:
        axes.plot(row["points"], row["ratios"], ms=4, lw=1.4,
                  label=f"{row['what']}: {row['exponent']:.2f}",
                  **LINES[row["what"]])  # fmt: skip
    axes.legend(loc="upper left", title="exponent", alignment="left")
    text = ", ".join(f"{row['what']} {row['exponent']:.2f}" for row in rows)
    return f"Exponents over {over}: {text}."
