"""What a card is called, and the GiB of it that vLLM sees."""

import re

from multilora.arguments import finite_number, shown, text
from multilora.published import shared

_NUMBER = re.compile(r"([0-9]{1,7}(?:\.[0-9]{1,6})?) ?(gb|gib)?")


def card_gib(card: str) -> tuple[float, str]:
    """Return (GiB, what was taken for what) of a card, as somebody says it.

    "80" or "80GB" is a card sold by that size, if data/cards.json has one;
    another number, or "80GiB", is GiB as it is. A name such as "H100" or
    "L4" is one whose memory data/cards.json or a public start-up tells.
    Raises ValueError for a name that no source tells of, and for GiB that
    are no size of a card.
    """
    asked = text("card", card).strip().lower()
    if number := _NUMBER.fullmatch(asked):
        return _sized(float(number[1]), number[2])
    asked = _plain(asked)
    names = _named()
    for name, (gib, source) in names.items():
        if _plain(name) == asked.removeprefix("nvidia"):
            return gib, f"{name} has {gib} GiB, by {source}"
    raise ValueError(
        f"card is {shown(card)}, but must be its memory in GiB, such as 80, "
        f"or one of {', '.join(names)}"
    )


def card_names() -> list[str]:
    """Return what card_gib knows: sizes as cards are sold, then names."""
    return [row["name"] for row in shared("cards")] + list(_named())


def _plain(name):
    return re.sub(r"[ _-]", "", name).lower()


def _sized(size, unit):
    for row in shared("cards") if unit != "gib" else ():
        if float(row["name"].split()[0]) == size:
            gib = row["gib"]
            return gib, f"a card sold as {row['name']} has {gib} GiB"
    finite_number("card", size, 1e-3, 1e6)
    said = f"{size:g} GiB as it is"
    if size.is_integer() and unit != "gib":
        said += "; a card sold by that size in GB has somewhat less"
    return size, said


def _named():
    """{name: (GiB, source)}; a name in cards.json goes first."""
    found = {
        name: (row["gib"], "data/cards.json")
        for row in shared("cards")
        for name in row.get("names", ())
    }
    for row in shared("public_starts")["rows"]:
        if re.fullmatch(r"[A-Z0-9]+(-[0-9]+GB)?", row["gpu"]):
            source = f"data/public_starts.json, {row['id']}"
            found.setdefault(row["gpu"], (row["card_gib"], source))
    return found
