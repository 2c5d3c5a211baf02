"""The numbers of notebooks and pages, as text: shared by hygiene tests."""

import json
import re
from functools import cache
from pathlib import Path

UNITS = (
    r"\s?(?:%|×|[GMK]iB\b|m?s\b|seconds\b|times\b|tokens\b|blocks\b|requests\b"
    r"|start-ups\b|runs\b|files\b|adapters\b|engines\b|GPUs\b|checks\b)"
)


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

    Code, headings and the fences of directives are left out.
    """
    text = re.sub(r"^```(?!\{glossary).*?^```$", "", text, flags=re.M | re.S)
    found = []
    for part in re.split(r"\n\s*\n", text):
        part = re.sub(r"^(#|:{3,}|```|\(.*\)=$).*$", "", part, flags=re.M)
        pieces = re.split(r"\n(?=\s*(?:[-*|]|\d+\. ) ?)", part)
        found += [" ".join(piece.split()) for piece in pieces]
    return [block for block in found if block]


def claimed(block):
    """Return the numbers of a block that need a source.

    Those with a decimal point, with a unit, or of 100 and more; versions,
    dates, code, links' own words and names such as 8B are left out.
    """
    text = re.sub(r"`[^`]*`|\[[^\]]*\]\([^)]*\)", " ", block)
    text = re.sub(
        r"https?://\S+|\d{4}-\d\d-\d\d|\bv?\d+\.\d+\.\d+\b", " ", text
    )
    text = re.sub(
        r"(?:vLLM|PEFT|Python|Chromium) [\d.]+\d(?: to [\d.]+\d)?", " ", text
    )
    found = re.finditer(
        r"(?<![\w.,#\N{HYPHEN-MINUS}])(\d[\d,]*(?:\.\d+)?)("
        + UNITS
        + ")?(?![\\w²³⁰])",
        text,
    )
    return {
        plain(number)
        for number, unit in (match.groups() for match in found)
        if unit or "." in number or float(number.replace(",", "")) >= 100
    }


def linked_notebooks(block, page):
    """Return the paths of the notebooks that a block of a page links to."""
    links = re.findall(r"\]\(([^)#\s]+\.ipynb)", block)
    return [(Path(page).parent / link).resolve() for link in links]
