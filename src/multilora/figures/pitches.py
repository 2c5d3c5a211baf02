"""Pictures of the audit: every claim in a table, and S-LoRA's cliff."""

from multilora.evidence.audits import audits
from multilora.evidence.pitches import packed_copies, pitch
from multilora.figures import style
from multilora.figures.tables import Table

MOST_COPIES = 6


def audit_table():
    """Return every claim, what it comes to, and the verdict, as a Table."""
    return Table(
        ("claim", "recomputed", "verdict"),
        (
            ([f"{item.pitch['who']}: {item.pitch['claim']}"],
             [item.instead], [item.verdict])
            for item in audits()
        ),
    )  # fmt: skip


def draw_packed(fig):
    """Draw requests that fit beside n copies, and the reported req/s."""
    rows = pitch("slora-4x")["figures"]["rows"]
    table = [packed_copies(copies) for copies in range(1, MOST_COPIES + 1)]
    counts = [row["copies"] for row in table]
    fitting = [row["copies"] * row["requests"] for row in table]
    axis = {"xlabel": "copies on the card", "xlim": (0.4, 6.6),
            "xticks": counts, "grid": "y"}  # fmt: skip
    left, right = style.panels(
        fig,
        axis | {"title": "They fit at once, at most", "ylabel": "requests",
                "ylim": (0, 300)},
        axis | {"title": "Reported throughput", "ylabel": "requests/s",
                "ylim": (0, 14)},
    )  # fmt: skip
    bars = left.bar(counts, fitting, color=style.KV)
    left.bar_label(bars, fitting, padding=2, fontsize=8.5)
    for key, color, label in (
        ("packed_req_s", style.WEIGHTS, "packed copies"),
        ("slora_req_s", style.SLOTS, "S-LoRA"),
    ):
        right.plot([row["copies"] for row in rows],
                   [row[key] for row in rows], "o-", color=color,
                   label=label)  # fmt: skip
    right.legend(loc="lower left")
    return (
        f"From 4 to 5 copies the requests that fit fall from {fitting[3]} to "
        f"{fitting[4]}, the reported throughput from "
        f"{rows[-2]['packed_req_s']:.2f} to {rows[-1]['packed_req_s']:.2f} "
        "requests/s; a sixth copy does not fit."
    )
