"""A log of one's own on one engine: who is late, what the card holds."""

import textwrap
from typing import NamedTuple

import numpy as np

from multilora.arguments import choice, finite_number, integer
from multilora.figures import style
from multilora.figures.answer import COLORS, HATCH
from multilora.figures.boxes import counted
from multilora.figures.own_log import (
    case_of,
    dials_of,
    served_by,
    slot_counts,
    used_log,
)
from multilora.models.shipped import model_names
from multilora.plan.answer import Memory, Slo
from multilora.plan.memory_parts import memory_parts
from multilora.plan.options import MAX_SLOTS
from multilora.plan.played import Served, ledger_of, memory_of, setting_of
from multilora.plan.tenants import outcome_of, tenants_of
from multilora.units import GIB

MAX_RANK = 512
MAX_SLO_MS = 1e9
TOP_MS = 1e6  # of the axis; a later tenant lies on its edge


def draw_own_case(
    fig, model, card_gib, max_lora_rank, max_loras, tenants, slo_ms
):
    """Draw each tenant's p99, and one GPU with half and twice the slots.

    The traffic is that of case_of. Axes do not depend on the sliders: p99
    in ms up to TOP_MS, memory in % of the card.
    """
    setting = _setting(model, card_gib, max_lora_rank, tenants)
    max_loras = integer("max_loras", max_loras, 1, MAX_SLOTS)
    slo_ms = finite_number("slo_ms", slo_ms, maximum=MAX_SLO_MS, above=0)
    slo = Slo(ttft_p99_ms=slo_ms)
    left, right = _panels(fig, card_gib)
    try:
        case = case_of(*setting)._replace(slo=slo)
    except ValueError as error:
        return _refused(left, f"{model}: {error}")
    if not case.workload.is_adapter.any():
        return _refused(left, "None of these tenants asks in these minutes.")
    rows = {
        num: Row.of(case, setting, num)
        for num in slot_counts(max_loras, tenants)
    }
    chosen = rows[min(max_loras, tenants)]
    _draw_tenants(left, case, chosen.engine)
    _draw_memory(right, case, rows, chosen)
    style.threshold(left, slo.ttft_p99_ms, "promise")
    style.legend(left, loc="upper right")
    used = f", {len(case.tenants.names)} used" if max_loras > tenants else ""
    others = "; ".join(
        f"max_loras={num}: {row.said}"
        for num, row in rows.items() if row is not chosen
    )  # fmt: skip
    return (
        f"{model} on {card_gib:g} GiB, max_lora_rank={max_lora_rank}, "
        f"max_loras={max_loras}{used}, busiest {counted(tenants, 'tenant')}, "
        f"promise {slo.ttft_p99_ms:,.0f} ms: {chosen.said}, "
        f"{chosen.memory.kv_tokens_low:,} to "
        f"{chosen.memory.kv_tokens_high:,} KV tokens"
        f"{'. ' if others else ''}{others}."
    )


class Row(NamedTuple):
    """A number of slots: its Memory, its engine if it starts, in words."""

    memory: Memory
    engine: Served | None
    said: str

    @classmethod
    def of(cls, case, setting, num_slots):
        dials = dials_of(case, num_slots)
        alike = setting_of(case, range(len(case.tenants.names)), dials)
        memory = memory_of(ledger_of(case, alike))
        engine = served_by(*setting[:3], num_slots, setting[3])
        return cls(memory, engine, _said(case, engine))


def _setting(model, card_gib, max_lora_rank, tenants):
    """The arguments of case_of, checked."""
    return (
        choice("model", model, model_names()),
        finite_number("card_gib", card_gib, 1, 10_000),
        integer("max_lora_rank", max_lora_rank, 1, MAX_RANK),
        integer("tenants", tenants, 1, len(used_log().tenants)),
    )


def _panels(fig, card_gib):
    return style.panels(fig, {
        "title": "p99 of each tenant", "xlabel": "tenants, highest first",
        "ylabel": "TTFT, ms", "xlim": (0, len(used_log().tenants) + 1),
        "yscale": "log", "ylim": (10, TOP_MS), "widths": (1, 1.1),
        "yticks": [10, 100, 1e3, 1e4, 1e5, 1e6],
        "yticklabels": ["10", "100", "1,000", "10⁴", "10⁵", "10⁶"],
    }, {
        "title": f"One GPU of {card_gib:g} GiB", "xlabel": "% of the card",
        "xlim": (0, 100), "ylim": (4.1, -0.75), "yticks": [], "grid": "x",
    })  # fmt: skip


def _refused(axes, text):
    """Write why nothing is drawn, and return it as the sentence."""
    shown = textwrap.fill(str(text), 36)
    axes.text(0.5, 0.5, shown, ha="center", va="center", fontsize=8.5,
              transform=axes.transAxes)  # fmt: skip
    return str(text)


def _draw_tenants(axes, case, engine):
    if engine is None:
        _refused(axes, "may not start")
        return
    asked = _asked(case, engine)
    for is_met, color, label in (
        (True, style.HIT, "in time"), (False, style.MISS, "late"),
    ):  # fmt: skip
        places = [k for k, one in enumerate(asked, 1)
                  if one.meets_slo == is_met]  # fmt: skip
        p99 = [np.clip(asked[k - 1].p99_ms, 10, TOP_MS) for k in places]
        style.dots(axes, np.array(places), np.array(p99), color, label, 4)


def _asked(case, engine):
    """The tenants that sent a request, the highest p99 first."""
    tenants = [one for one in tenants_of(case, engine) if one.num_requests]
    return sorted(tenants, key=lambda one: -one.p99_ms)


def _said(case, engine):
    """Say what an engine serves, in the sentence below the picture."""
    if engine is None:
        return "may not start"
    asked = _asked(case, engine)
    num_met = sum(one.meets_slo for one in asked)
    p99 = outcome_of([engine], case.slo).p99_ms
    return f"{num_met} of {len(asked)} in time, p99 {p99:,.0f} ms"


def _draw_memory(axes, case, rows, chosen):
    """Draw a bar for each number of slots, in % of the card."""
    card = case.card_gib * GIB
    lefts = np.zeros(len(rows))
    parts = [memory_parts(case, row.memory) for row in rows.values()]
    for name, color in COLORS.items():
        is_open = name == "overhead or KV"
        widths = np.array([100 * part[name] / card for part in parts])
        axes.barh(
            range(len(rows)), widths, left=lefts, height=0.5, label=name,
            color="none" if is_open else color, edgecolor=color,
            hatch=HATCH if is_open else None, linewidth=0,
        )  # fmt: skip
        lefts += widths
    for place, (num, row) in enumerate(rows.items()):
        is_bold = row is chosen and len(rows) > 1
        axes.text(0, place - 0.3, f"max_loras={num}", va="bottom", fontsize=8,
                  weight="bold" if is_bold else "normal")  # fmt: skip
    style.legend(axes, loc="lower center", ncols=2, fontsize=7.5,
                 handlelength=1.2, columnspacing=1)  # fmt: skip
