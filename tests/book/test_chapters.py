"""The chapters without code: numbers with a source, nothing missing."""

import re

import pytest

from repository import BOOK
from spoken_numbers import blocks, claimed, linked_notebooks, notebook_numbers

# Their numbers are compared sentence by sentence in test_front_page.py.
OTHERWISE = {"index", "how-to-read"}
PAGES = [
    path for path in sorted(BOOK.glob("*.md")) if path.stem not in OTHERWISE
]
CITES = re.compile(r"\{cite(:\w)?\}|https://|\bdoi\b")
SENTENCE_ENDS = re.compile(r"(?<=[.?!])\s+(?=\W*[A-Z])")


def unsupported(text, page):
    """Return (number, block) for each number that nothing backs up.

    A citation backs the numbers of its own sentence, also where this block
    or the next takes them up again; a notebook, those of the block that
    links to it.
    """
    found, cited_before = [], set()
    for block in blocks(text):
        cited = _cited(block)
        known = cited | cited_before
        for notebook in linked_notebooks(block, page):
            known |= notebook_numbers(notebook)
        found += [(n, block) for n in sorted(claimed(block) - known)]
        cited_before = cited
    return found


def _cited(block):
    sentences = filter(CITES.search, SENTENCE_ENDS.split(block))
    return set().union(*map(claimed, sentences))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_number_is_printed_where_its_block_links_or_cited(path):
    assert unsupported(path.read_text("utf-8"), path) == []


LAB = "[lab 03, section 4](../notebooks/lab-03-lora-economics.ipynb#4-a-slot)"
HIDDEN = [
    "9.82 GiB", "**942** GiB", "**42** GiB", "*42 %*", "`42 %`",
    "[42 %](#x)", "![42 %](x.svg)", "42%", "42&nbsp;%", "42\u202f%",
    "42 percent", "42 per cent", "-42 %", "\u221242 %", "\u201342 %",
    "42x faster", "42\u00d7", "42-fold", "a 42-GiB card", "42 TB",
    "42 \u00b5s", "42\u201343 ms", "42-43 ms", "42 or 43 ms",
    "$42", "\u20ac42", "42 dollars", "42k", "42 million", "1e9 rows",
    "1\u2009942 files", "1'942", "1,942", "(942)", "942.", "vLLM 42 % faster",
    "vLLM 42.5 % faster",
    "Python 3.11 is 42.5 times", "[lab 03, section 4](x.md) has 942",
    "[9.42, section 4](x.md)", "93,7", "42 loads",
    "[x](y.md) 42 % [deep dive, section 6](x.md)",
]  # fmt: skip
PLACES = [
    "It is {}", "- a\n  - {}\n", "1) {}", "+ {}", "> {}", "## It is {}",
    "| a | {} |\n|---|---|\n| b | c |", "| a | b |\n|---|---|\n| {} | c |",
    ":::{{dropdown}} It is {}\nText.\n:::", "```{{note}}\n{}\n```",
    "```{{dropdown}} It is {}\nText.\n```", ":::{{note}}\n{}\n:::",
    "````{{note}}\n```\nx = 1\n\ny = 999\n```\n{}\n````",
    "- a\n  ```{{tip}}\n  {}\n  ```",
    ":::{{glossary}}\nslot\n  It is {}\n:::", "slot\n: {}", "<p>{}</p>",
    "```python\nx = 1\n```\n{}\n```\nx = 1\n```",
    "- {}\n- LAB", "- LAB\n+ {}", "- LAB\n1) {}", "LAB\n\n{}",
    ":::{{tip}}\n{}\n:::\nLAB",
    "# {}\nLAB",
    "They say 57.9 {{cite:p}}`x`. We saw {}.",
    "We saw {}. See https://example.org.",
    "They say 9.81 {{cite:p}}`x`.\n\nAnd:\n\nWe saw {}.",
]  # fmt: skip
FREE = [
    LAB, "[guide, section 4](x.md) runs on one card",
    "[9.42](x.md) {cite:p}`x`",
    "Slots of rank 8, `max_loras=100`, `x = 942`, 0.32.0, v0.8.5, 8B, 123.5B",
    "vLLM 0.32.0, vLLM 0.32, PEFT 0.18 to 0.21, Python 3.11.", "2026-08-01",
    "[vLLM #17003](https://example.org/17003)", "Llama-3.1-8B, lab-03",
    "### 40. What is 80/20?", "```python\nx = 942\n```", "(at 942)=",
    "```{math}\n9.42\n```", "- a\n  ```\n  942 files\n  ```", "~~~\n942\n~~~",
    "They say 57.9 × {cite:p}`x`. The 57.9 is against vLLM.",
    "They say 57.9 × {cite:p}`x`.\n\nThe 57.9 is against vLLM.",
    "Up to 57.9 times, cf. the 1.8 by {cite:p}`x`.",
    "the 99th percentile, 7 of 9", "section 4 and page 12", "12 slots",
]  # fmt: skip


@pytest.mark.parametrize("number", HIDDEN)
def test_a_number_is_found_however_it_is_written(number):
    assert unsupported(f"It is {number} here", BOOK / "x.md")


def test_each_number_of_a_series_has_the_unit_of_the_last():
    assert claimed("8, 16 and 32 GiB, not 3; 40–41 ms") == {
        "8", "16", "32", "40", "41",
    }  # fmt: skip
    assert claimed("1,024.50 MiB, 26.00 s") == {"1024.5", "26"}
    apart = "1\u2009024 files, 1\u202f025, 1\xa0026, 1'027, 1\u2019028"
    assert claimed(apart) == {"1024", "1025", "1026", "1027", "1028"}


def test_each_unit_makes_a_claim():
    units = """% × x fold percent pp KB MiB TB s ms ns µs μs h k thousand
    million billion second minutes hour times tokens blocks requests
    start-ups runs files adapters engines GPUs checks loads hits steps rows
    layers dollars euros cents FLOPs""".split()
    assert [u for u in units if claimed(f"42 {u}") != {"42"}] == []
    assert [u for u in units if claimed(f"42{u}") != {"42"}] == []
    assert claimed("42 hitherto, 42 xylophones, 42 sets, 42 tenants") == set()


@pytest.mark.parametrize("place", PLACES)
def test_a_number_is_found_wherever_it_stands(place):
    """A lab that another block links to, or another's word, is no source."""
    text = place.format("9.81 GiB").replace("LAB", LAB)
    assert [n for n, _ in unsupported(text, BOOK / "x.md")] == ["9.81"]


@pytest.mark.parametrize("text", FREE)
def test_what_is_no_claim_is_free(text):
    assert unsupported(text, BOOK / "x.md") == []


def test_a_number_that_nobody_printed_is_found():
    """The rule itself: a changed digit is caught, and so is a lost link."""
    link = "[lab 03](../notebooks/lab-03-lora-economics.ipynb)"
    page = BOOK / "x.md"
    assert not unsupported(f"Slots take 9.81 GiB ({link}).", page)
    assert unsupported(f"Slots take 9.82 GiB ({link}).", page)
    assert unsupported("Slots take 9.81 GiB.", page)
    assert unsupported(f"- 9.81 GiB\n- {link}", page)
    assert unsupported(f"| a | 1,521 ms |\n| b | {link} |", page)
    assert not unsupported(f":::{{tip}} 9.81 GiB\n{link}\n:::", page)
