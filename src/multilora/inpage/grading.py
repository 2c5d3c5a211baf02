"""A starter as it was typed, graded by the spec of its lab."""

from multilora.arguments import choice, text
from multilora.inpage.intact import kept_intact
from multilora.inpage.typed import typed_module
from multilora.labs.checks import Outcome, grade_lab
from multilora.labs.switch import NAMES

MOST_CHARACTERS = 200_000


def graded(lab: str, source: str) -> list[Outcome]:
    """Return the Outcomes of a lab's spec on the source of its starter.

    They are those of `make grade` on the same text. Raises ValueError for a
    lab that is none, and for a source above MOST_CHARACTERS.
    """
    lab = choice("lab", lab, NAMES)
    source = source_text(source)
    with kept_intact(), typed_module(f"multilora.labs.starter_{lab}", source):
        return grade_lab(lab)


def source_text(source: object) -> str:
    """Return a source that is short enough to run, with \\n at line ends."""
    source = text("source", source)
    if len(source) > MOST_CHARACTERS:
        raise ValueError(
            f"source has {len(source):,} characters, but a page runs at most "
            f"{MOST_CHARACTERS:,}"
        )
    return source.replace("\r\n", "\n").replace("\r", "\n")
