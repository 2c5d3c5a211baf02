"""The guide's picture of slots, CPU tier and disk."""

from functools import cache

from multilora.arguments import integer
from multilora.cache.tiers import AdapterTiers
from multilora.figures import style
from multilora.figures.boxes import FONT_SIZE, LETTERS, bare, box, counted

ASKED = "aabcbaadbeba"
TIER_NAMES = ("slots, on the GPU", "CPU tier", "disk")


@cache
def tier_table(max_cpu_loras, max_loras=2):
    """Return what stands where after each request of a, b, c, d and e."""
    tiers = AdapterTiers(max_loras, max_cpu_loras)
    rows = []
    for letter in ASKED:
        adapter = LETTERS.index(letter)
        found, before = tiers.distance(adapter), tiers.slots
        slot = tiers.activate(adapter)
        rows.append({
            "asked": letter, "found": found, "slot": slot,
            "left": _letter(before[slot]) if found else "",
            "slots": [_letter(item) for item in tiers.slots],
            "copies": [_letter(item) for item in sorted(tiers.cpu_tier)],
            "hits": tiers.hits, "slot_loads": tiers.slot_loads,
            "disk_loads": tiers.disk_loads,
        })  # fmt: skip
    return rows


def draw_tiers(fig, request, max_cpu_loras):
    """Draw slots, CPU tier and disk after one request of twelve."""
    table = tier_table(max_cpu_loras)
    row = table[integer("request", request, 1, len(table)) - 1]
    (axes,) = style.panels(fig, bare(
        "Where five adapters are, with two slots", (-0.2, 10.0), (6.0, -1.0)
    ))  # fmt: skip
    held = (
        row["slots"],
        row["copies"] + [""] * (max_cpu_loras - len(row["copies"])),
        list(LETTERS),
    )
    color = style.MISS if row["found"] else style.HIT
    _columns(axes, row, held, color)
    for tip, tail in arrows(row, held):
        arrow = {"arrowstyle": "->", "color": color}
        axes.annotate("", tip, tail, arrowprops=arrow)
    kind = "a miss" if row["found"] else "a hit"
    axes.text(0, 5.8, f"request {request}\nasks for {row['asked']}:\n{kind}",
              va="bottom", color=color, fontsize=FONT_SIZE,
              fontweight="bold")  # fmt: skip
    return _tier_sentence(row, request, max_cpu_loras)


def _columns(axes, row, held, color):
    """Draw the three tiers; in colour what this request found or loaded."""
    for column, letters in enumerate(held):
        axes.text(3.7 * column + 1.2, -0.3, TIER_NAMES[column], ha="center",
                  fontsize=FONT_SIZE)  # fmt: skip
        for place, letter in enumerate(letters):
            is_asked = letter == row["asked"] and column <= row["found"]
            fill = color if is_asked else style.PALE
            box(axes, (3.7 * column, 1.2 * place), (2.4, 1.0), fill, letter)


def arrows(row, held):
    """Return (tip, tail) of a load's copies, from box to box of its letter.

    row is one of tier_table's, held the letters of slots, CPU tier and disk.
    """
    heights = [
        1.2 * letters.index(row["asked"]) + 0.5
        for letters in held[: row["found"] + 1]
    ]
    return [
        ((3.7 * to + 2.5, heights[to]), (3.7 * to + 3.6, heights[to + 1]))
        for to in range(row["found"])
    ]


def _tier_sentence(row, request, max_cpu_loras):
    found = ("in its slot", "in the CPU tier", "on disk only")[row["found"]]
    done = "a hit" if not row["found"] else f"loaded into slot {row['slot']}"
    if row["left"]:
        done += f", where {row['left']} was"
    return (
        f"Request {request} of {len(ASKED)}, max_cpu_loras={max_cpu_loras}: "
        f"{row['asked']} was {found}, {done}. So far "
        f"{counted(row['hits'], 'hit')}, "
        f"{counted(row['slot_loads'], 'load')} into slots, "
        f"{counted(row['disk_loads'], 'disk read')}."
    )


def _letter(adapter_id):
    return "" if adapter_id is None else LETTERS[adapter_id]
