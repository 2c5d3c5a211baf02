"""The operator's table of symptoms, drawn from its data."""

from multilora.arguments import choice
from multilora.figures.tables import LinkedTable
from multilora.watch.symptoms import KINDS, symptom, symptoms

HEADER = ("you see", "likely cause", "look at", "change first; shown in")
PAGE = "operators"  # the page that the table stands on
NAMES = {
    PAGE: "the operator's page, ",
    "lab-04-adapter-slot-cache": "lab 04, ",
}


def symptom_table(kind=None, keys=None, page=PAGE):
    """Return the rows of a kind, or those of some keys, as a LinkedTable.

    Rows picked by their keys come in that order, and what to change at
    length. Links are those of a notebook, page, beside the others.
    Raises ValueError for a kind, a key or a page that is none.
    """
    page = choice("page", page, NAMES)
    if kind is not None:
        kind = choice("kind", kind, KINDS)
    rows = symptoms() if keys is None else [symptom(key) for key in keys]
    return LinkedTable(
        HEADER,
        (
            (
                row.symptom,
                _with_links(row.cause, row.sources),
                row.look_at,
                f"{row.change_first if keys else _change(row)}; "
                f"{', '.join(_shown(link, page) for link in row.shown)}",
            )
            for row in rows
            if kind in (None, row.kind)
        ),
    )


def _change(row):
    """What is slow, diagnose tells at length; the rest is told here alone."""
    return row.short if row.kind == "slow" else row.change_first


def _with_links(text, links):
    said = ", ".join(f"[{link.text}]({link.to})" for link in links)
    return f"{text} ({said})" if said else text


def _shown(link, here):
    page, _, anchor = link.to.partition("#")
    if page == here:
        return f"[{link.text.removeprefix(NAMES[here])}](#{anchor})"
    return f"[{link.text}]({page}.ipynb#{anchor})"
