"""The hit curve of a public trace beside those of the textbook's shapes."""

from functools import cache

import numpy as np

from multilora.arguments import integer
from multilora.cache.hitrate import hit_rate_curve
from multilora.figures import style
from multilora.figures.lab04 import SHAPES, exact_rates
from multilora.published import shared
from multilora.traffic.sessions import session_arrivals
from multilora.units import percent

PUBLIC = "GenTD26"
SESSIONS = "our sessions"
SHUFFLED = "shuffled"


def public_table():
    """Return hit rates by kind of traffic, of GenTD26's size each.

    {"slots": slot counts, name: a rate at each}. The public trace and the
    same ids shuffled are published figures (data/public_traffic.json, all
    uses); our sessions are traffic.sessions with its defaults, and the
    shapes are those of lab 04, counted here: exact LRU.
    """
    of = shared("public_traffic")["gentd26"]
    slots = np.array(of["slots"])
    table = {
        "slots": slots,
        PUBLIC: np.array(of["all"]["hit_rate"]),
        SESSIONS: _session_rates()[slots - 1],
        SHUFFLED: np.array(of["all"]["shuffled"]),
    }
    for shape in SHAPES:
        table[shape] = _shape_rates(shape)[slots - 1]
    return table


def _shape_rates(shape):
    of = shared("public_traffic")["gentd26"]["all"]
    return exact_rates(shape, of["num_adapters"], of["num_uses"])


@cache
def _session_rates():
    of = shared("public_traffic")["gentd26"]["all"]
    trace = session_arrivals(of["num_uses"], of["num_adapters"])
    rates = hit_rate_curve(trace.adapter_ids)
    rates.setflags(write=False)
    return rates


def draw_public(fig, max_loras=8):
    """Draw the public trace's hit curve, and each shape at max_loras."""
    table = public_table()
    slots = table.pop("slots")
    max_loras = integer("max_loras", max_loras, 1, int(slots[-1]))
    if max_loras not in slots:
        raise ValueError(
            f"max_loras is {max_loras}, but must be one of {slots.tolist()}"
        )
    left, right = style.panels(fig, {
        "title": "One trace, in order and shuffled", "xlabel": "slots",
        "ylabel": "hit rate", "xscale": "log", "xlim": (0.9, 290),
        "xticks": [1, 4, 16, 64, 256], "xticklabels": [1, 4, 16, 64, 256],
        "ylim": (-0.03, 1.05), "widths": (1, 1),
    }, {
        "title": f"With {max_loras} slots", "xlabel": "hit rate", "ylabel": "",
        "xlim": (0, 2.2), "xticks": [0, 0.5, 1],
        "ylim": (len(table) - 0.4, -0.6), "yticks": [], "grid": "x",
    })  # fmt: skip
    left.plot(slots, table[PUBLIC], "o-", ms=3.5, color=style.HIT,
              label=PUBLIC)  # fmt: skip
    curve = _session_rates()[: slots[-1]]
    left.plot(np.arange(1, len(curve) + 1), curve, color=style.INK, lw=1.2,
              ls=":", label=SESSIONS)  # fmt: skip
    left.plot(slots, table[SHUFFLED], "o-", ms=3.5, color=style.MISS,
              label=SHUFFLED)  # fmt: skip
    style.legend(left, loc="lower right")
    place = list(slots).index(max_loras)
    rates = [rates[place] for rates in table.values()]
    colors = {PUBLIC: style.HIT, SESSIONS: style.INK, SHUFFLED: style.MISS}
    bars = right.barh(
        range(len(rates)), rates, 0.7,
        color=[colors.get(name, style.PALE) for name in table],
    )  # fmt: skip
    names = [
        f"{name}, {percent(rate)}"
        for name, rate in zip(table, rates, strict=True)
    ]
    right.bar_label(bars, names, padding=3, fontsize=8.5)
    nearest = min(SHAPES, key=lambda shape: abs(
        table[shape][place] - table[PUBLIC][place]
    ))  # fmt: skip
    return (
        f"{max_loras} slots: {PUBLIC} hits {percent(table[PUBLIC][place])}, "
        f"shuffled {percent(table[SHUFFLED][place])}; {SESSIONS} hit "
        f"{percent(table[SESSIONS][place])}; the nearest shape is {nearest} "
        f"with {percent(table[nearest][place])}."
    )
