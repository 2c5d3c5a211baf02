"""Pictures of the real hours: measured against simulated, and by slots."""

import numpy as np

from multilora.arguments import integer
from multilora.evidence.hours_play import OVERLOADED_MS
from multilora.evidence.hours_recorded import hours_table, ladder_table
from multilora.figures import style

PARTS = ("fitted", "validation")
MODELS = ("Llama-3.1-8B", "Qwen2.5-7B")
NUM_ADAPTERS, RANK = 320, 16
SLOTS = (8, 16, 32, 64, 128, 256, 320)
RANGE_S = (0.03, 8_000)
TICKS_S = (0.1, 1, 10, 100, 1000)


def p99_table(part):
    """Return p99 TTFTs of the hours of one of PARTS, measured and simulated.

    measured_s and simulated_s (seconds), is_calm (measured below a minute)
    and is_within_2 (a factor of two).
    """
    table = hours_table()
    mine = table["part"] == part
    measured = table["p99_ms"][mine] / 1000
    simulated = table["simulated_p99_ms"][mine] / 1000
    return {
        "measured_s": measured,
        "simulated_s": simulated,
        "is_calm": measured < OVERLOADED_MS / 1000,
        "is_within_2": np.abs(np.log2(simulated / measured)) < 1,
    }


def draw_p99(fig):
    """Draw simulated over measured p99, one dot an hour, by part."""
    ticks = [f"{tick:,g}" for tick in TICKS_S]
    setting = {
        "xlabel": "measured p99, s", "ylabel": "simulated p99, s",
        "xscale": "log", "yscale": "log", "xlim": RANGE_S, "ylim": RANGE_S,
        "xticks": TICKS_S, "xticklabels": ticks,
        "yticks": TICKS_S, "yticklabels": ticks,
    }  # fmt: skip
    both = style.panels(
        fig,
        setting | {"title": "Hours of the fit"},
        setting | {"title": "Hours it never saw"},
    )
    said = []
    for axes, part in zip(both, PARTS, strict=True):
        table = p99_table(part)
        _draw_part(axes, table)
        calm = table["is_within_2"][table["is_calm"]]
        over = table["is_within_2"][~table["is_calm"]]
        said.append(
            f"{part}, {calm.sum()} of {len(calm)} calm hours and {over.sum()} "
            f"of {len(over)} overloaded ones"
        )
    both[0].legend(loc="upper left", handlelength=1.2)
    return f"Within a factor of 2: {'; '.join(said)}."


def _draw_part(axes, table):
    ends = np.array(RANGE_S)
    axes.fill_between(ends, ends / 2, ends * 2, color=style.PALE, alpha=0.25,
                      lw=0, label="within 2")  # fmt: skip
    axes.plot(ends, ends, color=style.INK, lw=0.8)
    for is_kind, color, name in (
        (table["is_calm"], style.WEIGHTS, "calm"),
        (~table["is_calm"], style.MISS, "overloaded"),
    ):
        style.dots(axes, table["measured_s"][is_kind],
                   table["simulated_s"][is_kind], color, name)  # fmt: skip
    axes.axvline(OVERLOADED_MS / 1000, color=style.INK, lw=1, ls=(0, (4, 2)))


def draw_ladder(fig, model, max_loras):
    """Draw p99, and why, by slots: 320 adapters of rank 16, one model."""
    max_loras = integer("max_loras", max_loras, 1, SLOTS[-1])
    table = ladder_table(model, NUM_ADAPTERS, RANK)
    slots = table["max_loras"]
    shared = {
        "xlabel": "slots (max_loras)", "xscale": "log", "xlim": (6.5, 400),
        "xticks": SLOTS[:-1], "xticklabels": SLOTS[:-1], "yscale": "log",
    }  # fmt: skip
    left, right = style.panels(
        fig,
        shared | {"title": "p99 TTFT", "ylabel": "s", "ylim": (50, 4000),
                  "yticks": (100, 1000), "yticklabels": ("100", "1,000")},
        shared | {"title": "Compared with 8 slots", "ylabel": "times",
                  "ylim": (0.2, 60), "yticks": (0.3, 1, 3, 10),
                  "yticklabels": ("0.3", "1", "3", "10")},
    )  # fmt: skip
    lines = (
        (left, table["p99_ms"] / 1000, style.WEIGHTS, "o-", "measured"),
        (left, table["simulated_p99_ms"] / 1000, style.MISS, "s--",
         "simulated"),
        (right, table["tpot_ms"] / table["tpot_ms"][0], style.WEIGHTS, "o-",
         "TPOT, measured"),
        (right, table["simulated_tpot_ms"] / table["simulated_tpot_ms"][0],
         style.MISS, "s--", "TPOT, simulated"),
        (right, table["kv_tokens"] / table["kv_tokens"][0], style.KV, "^-",
         "KV tokens"),
    )  # fmt: skip
    for axes, values, color, line, name in lines:
        axes.plot(slots, values, line, color=color, ms=4, lw=1.4, label=name)
        if max_loras in slots:
            place = slots.tolist().index(max_loras)
            axes.plot(max_loras, values[place], "o", ms=9, mfc="none",
                      color=color)  # fmt: skip
    for axes in (left, right):
        axes.axvline(max_loras, color=style.INK, lw=1, ls=(0, (4, 2)))
        axes.legend(loc="upper left")
    return _ladder_sentence(table, model, max_loras)


def _ladder_sentence(table, model, max_loras):
    begin = (
        f"{model}, {NUM_ADAPTERS} adapters of rank {RANK}, {max_loras} slots: "
    )
    slots = table["max_loras"].tolist()
    if max_loras not in slots:
        return (
            f"{begin}the source has no such hour; its largest has "
            f"{slots[-1]} slots."
        )
    at = {name: column[slots.index(max_loras)]
          for name, column in table.items()}  # fmt: skip
    return (
        f"{begin}p99 {at['p99_ms'] / 1000:,.0f} s measured, "
        f"{at['simulated_p99_ms'] / 1000:,.0f} s simulated; TPOT "
        f"{at['tpot_ms']:.0f} ms measured, {at['simulated_tpot_ms']:.0f} ms "
        f"simulated; KV for {at['kv_tokens']:,} tokens."
    )
