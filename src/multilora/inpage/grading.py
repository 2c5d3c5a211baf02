"""A starter as it was typed, graded by the spec of its lab."""

from importlib import import_module

from multilora.arguments import choice, text
from multilora.inpage.intact import kept_intact
from multilora.inpage.typed import typed_module
from multilora.labs.checks import Outcome, grade_lab
from multilora.labs.places import told
from multilora.labs.switch import NAMES

MOST_CHARACTERS = 200_000
# The answer key, here before any typed code: kept_intact knows it.
for _module in {path for names in NAMES.values() for path in names.values()}:
    import_module(_module)


def graded(lab: str, source: str) -> list[Outcome]:
    """Return the Outcomes of a lab's spec on the source of its starter.

    They are those of `make grade` on the same text. Raises ValueError for a
    lab that is none, for a source above MOST_CHARACTERS, and for one that
    breaks the tests themselves.
    """
    lab = choice("lab", lab, NAMES)
    source = source_text(source)
    module = typed_module(f"multilora.labs.starter_{lab}", source)
    try:
        with kept_intact(), module:
            return grade_lab(lab)
    except Exception as error:  # a replaced builtin, say
        raise ValueError(
            f"Your code broke the tests themselves: {told(error)}"
        ) from None


def source_text(source: object) -> str:
    """Return a source that is short enough to run, with \\n at line ends."""
    source = text("source", source)
    if len(source) > MOST_CHARACTERS:
        raise ValueError(
            f"source has {len(source):,} characters, but a page runs at most "
            f"{MOST_CHARACTERS:,}"
        )
    return source.replace("\r\n", "\n").replace("\r", "\n")
