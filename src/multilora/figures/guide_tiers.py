"""The guide's picture of slots, CPU tier and disk."""

from functools import cache

from multilora.arguments import integer
from multilora.figures import style
from multilora.figures.boxes import bare, box, counted
from multilora.tiers import AdapterTiers

LETTERS = "abcde"
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
        "Where five adapters are, with two slots", (-0.2, 10.0), (6.1, -1.3)
    ))  # fmt: skip
    held = (
        row["slots"],
        row["copies"] + [""] * (max_cpu_loras - len(row["copies"])),
        list(LETTERS),
    )
    color = style.MISS if row["found"] else style.HIT
    for column, (name, letters) in enumerate(
        zip(TIER_NAMES, held, strict=True)
    ):
        left = 3.7 * column
        axes.text(left + 1.2, -0.4, name, ha="center", fontsize=9.5)
        for place, letter in enumerate(letters):
            is_asked = letter == row["asked"] and column <= row["found"]
            fill = color if is_asked else style.PALE if column else style.SLOTS
            box(axes, (left, 1.2 * place), (2.4, 1.0), fill, letter)
    for column in range(row["found"]):
        tip, tail = ((3.7 * column + x, 0.5) for x in (2.5, 3.6))
        arrow = {"arrowstyle": "->", "color": color}
        axes.annotate("", tip, tail, arrowprops=arrow)
    axes.text(0, 5.5, f"request {request} asks for {row['asked']}",
              color=color, fontsize=9.5, fontweight="bold")  # fmt: skip
    return _tier_sentence(row, request, max_cpu_loras)


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
