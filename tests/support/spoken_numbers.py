"""The numbers of notebooks and pages, as text: shared by hygiene tests."""

import html
import json
import re
from functools import cache
from pathlib import Path

NUMBER = r"\d(?:[\d,]*\d)?(?:\.\d+)?(?:e-?\d+)?"
# What makes a small number a result: 12 slots are a story, 12 % is measured.
UNIT = (
    r"(?:\s|-)?(?:%|×|x\b|fold\b|per ?cent\b|percentage\b|pp\b"
    r"|[kKMGTP]i?B\b|[mnuµμ]?s\b|h\b|k\b|thousand\b|[mb]illion\b"
    r"|(?:second|minute|hour|time|token|block|request|start-up|run|file"
    r"|adapter|engine|GPU|check|load|hit|step|row|layer|dollar|euro|cent"
    r"|FLOP)s?\b)"
)
# In "8, 16 and 32 GiB" and in "8–16 GiB" each number has the unit.
SERIES = rf"(?:(?:\s?[–-]|,| to| and| or)\s?{NUMBER})*"
CLAIM = re.compile(
    rf"(?P<money>[$€£]\s?)?(?<![\w.,#])(?<![A-Za-z]-)(?P<number>{NUMBER})"
    rf"(?:(?P<unit>(?={SERIES}{UNIT}))|(?!\.?\w))"
)
FENCE = re.compile(
    r"^[ \t]*(?P<fence>`{3,}|~{3,})(?:\{(?P<name>[\w-]+)\})?"
    r"(?P<prose>[^\n]*\n.*?)^[ \t]*(?P=fence)[`~]*[ \t]*$",
    re.M | re.S,
)
# "lab 03, section 4": what a link to a section is called here.
LABEL = r"\[[^\]\d]*(?:\d\d)?[^\]\d]*section \d+\]\([^)]*\)"
CODE = {None, "bibliography", "code", "code-block", "code-cell", "math"}


def numbers(text):
    """Return the numbers of a text: without thousands commas, as strings."""
    text = text.replace("\N{MINUS SIGN}", "-").replace("80/20", "")
    found = re.findall(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?:e-?\d+)?", text)
    return {item.replace(",", "").rstrip(".") for item in found}


def output_text(cell):
    """Return what a code cell printed or showed as plain text."""
    texts = []
    for output in cell["outputs"]:
        texts += ["".join(output.get("text", []))]
        texts += ["".join(output.get("data", {}).get("text/plain", []))]
    return "\n".join(texts)


@cache
def notebook_numbers(path):
    """Return the numbers of a notebook's cells and outputs."""
    cells = json.loads(Path(path).read_text("utf-8"))["cells"]
    texts = ["".join(cell["source"]) for cell in cells]
    texts += [
        output_text(cell) for cell in cells if cell["cell_type"] == "code"
    ]
    return {plain(number) for number in numbers("\n".join(texts))}


def plain(number):
    """Return a number without commas and closing zeros: 26.00 is 26."""
    number = number.replace(",", "").rstrip(".")
    return number.rstrip("0").rstrip(".") if "." in number else number


def blocks(text):
    """Return the paragraphs, list items and table rows of a Markdown text.

    A heading is one, and a fold's title belongs to its first paragraph.
    Code is left out.
    """
    text = re.sub(r"^\(.*\)=$", "", _without_code(text), flags=re.M)
    text = re.sub(r"^(#+ .*)$", r"\n\1\n", text, flags=re.M)
    found = []
    for part in re.split(r"\n\s*\n", text):
        pieces = re.split(r"\n(?=\s*(?:[-*+|:]|\d+[.)] ) ?)", part)
        found += [" ".join(piece.split()) for piece in pieces]
    return [block for block in found if block]


def _without_code(text):
    """Drop the fences of code; of a directive around prose keep the prose."""

    def kept(fence):
        if fence["name"] in CODE:
            return ""
        return _without_code(fence["prose"])

    return FENCE.sub(kept, text)


def claimed(block):
    """Return the numbers of a block that need a source.

    Those with a decimal point, with a unit or a currency, or of 100 and
    more; also the words of a link and a code span that holds nothing else.
    Versions, dates, other code, labels such as "lab 03, section 4" and names
    such as 8B are left out.
    """
    return {
        plain(found["number"])
        for found in CLAIM.finditer(_spoken(block))
        if found["unit"] is not None
        or found["money"]
        or "." in found["number"]
        or float(found["number"].replace(",", "")) >= 100
    }


def _spoken(block):
    """Return a block as a reader hears it, without what is no claim."""
    text = html.unescape(block)
    text = re.sub(rf"`({NUMBER}{UNIT})`", r"\1", text)
    text = re.sub(r"`[^`]*`", " ", text)
    text = re.sub(LABEL, " ", text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"https?://\S+|\d{4}-\d\d-\d\d", " ", text)
    version = r"\d++(?:\.\d+)*+"
    text = re.sub(
        rf"(?:vLLM|PEFT|Python|Chromium) {version}(?: to {version})?+"
        rf"(?!{UNIT})",
        " ",
        text,
    )
    text = re.sub(r"[*_]", "", text)
    # Thousands apart by a thin space or an apostrophe.
    return re.sub(r"(?<=\d)[\u2009\u202f\xa0'’](?=\d{3}\b)", "", text)


def linked_notebooks(block, page):
    """Return the paths of the notebooks that a block of a page links to."""
    links = re.findall(r"\]\(([^)#\s]+\.ipynb)", block)
    return [(Path(page).parent / link).resolve() for link in links]
