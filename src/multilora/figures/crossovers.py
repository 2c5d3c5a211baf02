"""Where one design of the grouped matmul overtakes another, as measured."""

import numpy as np

from multilora.arguments import choice
from multilora.figures import style
from multilora.published import published
from multilora.units import value_text

# Design: its key in benchmarks.json, its line.
DESIGNS = {
    "row loop": ("row loop", {"color": style.MISS, "marker": "s"}),
    "grouped": ("unsorted", {"color": style.SLOTS, "marker": "o"}),
    "presorted": ("presorted", {"color": style.KV, "marker": "^"}),
    "mask": ("mask", {"color": style.DEFERRED, "marker": "D"}),
    "gather": ("gather", {"color": style.PALE, "marker": "v"}),
}


def crossovers_table(width, num_adapters):
    """Return what each design adds to the base matmul, in % of its time.

    One value a measured number of rows ("rows"); rank, "flop_share" (2r/D)
    and "mask_share" (N·2r/D) in % of the base's FLOPs. Raises ValueError
    for a width or a number of adapters that was not measured.
    """
    rows = published("benchmarks")["crossovers"]
    choice("width", width, sorted({row["width"] for row in rows}))
    known = sorted({row["num_adapters"] for row in rows})
    choice("num_adapters", num_adapters, known)
    rows = [
        row
        for row in rows
        if (row["width"], row["num_adapters"]) == (width, num_adapters)
    ]
    table = {"rows": [row["rows"] for row in rows], "rank": rows[0]["rank"]}
    for design, (key, _) in DESIGNS.items():
        table[design] = [100 * (row[key] - 1) for row in rows]
    table["flop_share"] = 100 * 2 * table["rank"] / width
    table["mask_share"] = num_adapters * table["flop_share"]
    return table


def crossing(table, late, early):
    """Return the rows from which design `late` costs less than `early`.

    Between measured points both are straight lines on log axes. None if
    late is cheaper from the first measured point on, or never.
    """
    gap = np.log(np.maximum(table[late], 0.01))
    gap -= np.log(np.maximum(table[early], 0.01))
    at = np.log(table["rows"])
    for here in range(len(gap) - 1):
        if gap[here] > 0 >= gap[here + 1]:
            share = gap[here] / (gap[here] - gap[here + 1])
            return float(np.exp(at[here] + share * (at[here + 1] - at[here])))
    return None


def crossing_text(table, num_adapters):
    """Return where grouping overtakes the row loop, as a sentence's end."""
    rows = crossing(table, "grouped", "row loop")
    if rows is None:
        is_always = table["row loop"][0] > table["grouped"][0]
        where = "at every" if is_always else "at no"
        return f"grouping beats the row loop {where} measured size"
    return (
        f"grouping beats the row loop from about {rows / num_adapters:.1f} "
        "rows per adapter"
    )


def draw_crossovers(fig, width, num_adapters):
    """Draw added time by rows in the batch, one line a design."""
    table = crossovers_table(width, num_adapters)
    ticks = (1, 4, 16, 64, 256)
    (axes,) = style.panels(fig, {
        "title": "", "xlabel": "rows in the batch",
        "ylabel": "added time, % of base", "xscale": "log",
        "xlim": (0.8, 330), "xticks": ticks, "xticklabels": ticks,
        "yscale": "log", "ylim": (0.5, 3000),
        "yticks": [1, 10, 100, 1000],
        "yticklabels": ["1", "10", "100", "1,000"],
    })  # fmt: skip
    for design, (_, line) in DESIGNS.items():
        axes.plot(table["rows"], np.maximum(table[design], 0.5),
                  label=design, ms=4, **line)  # fmt: skip
    axes.axhline(table["mask_share"], color=style.DEFERRED, lw=1,
                 ls=(0, (1, 2)), label="N·2r/D")  # fmt: skip
    style.threshold(axes, table["flop_share"], "2r/D")
    style.legend_above(axes, ncols=7)
    last = {design: table[design][-1] for design in DESIGNS}
    text = ", ".join(f"{name} {value:+.1f} %" for name, value in last.items())
    return (
        f"Width {width}, {value_text('num_adapters', num_adapters)}: "
        f"{crossing_text(table, num_adapters)}; at {table['rows'][-1]} rows "
        f"{text}; the mask's FLOPs say {table['mask_share']:.1f} %."
    )
