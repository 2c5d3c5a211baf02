"""The labs in the page are graded as `make grade` grades them.

Needs `make book`, playwright and a Chromium: make browser.
"""

import time

import pytest

from multilora.book.benches import lab_bench
from multilora.inpage.calls import grade
from multilora.labs.switch import NAMES
from typed_slips import MODULES, ours, typed_slips
from workbenches import ANSWERS, page_url

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("is_served", [True, False], ids=["http", "file"])
def test_each_lab_from_the_starter_to_full_marks(open_lab, is_served):
    """The page says so at each lab, and after the fourth of all."""
    bench, solved = None, []
    for lab in NAMES:
        context = bench and bench.page.context
        bench = open_lab(lab, is_served, context=context)
        start = time.monotonic()
        lines = bench.grade()
        print(f"lab {lab}: first grade {time.monotonic() - start:.1f} s")
        assert {line[0] for line in lines} == {"·"}
        assert all("not attempted yet" in line for line in lines)
        assert bench.said == f"0 of {len(lines)} tests pass."
        start = time.monotonic()
        lines = bench.grade(ANSWERS[lab])
        print(f"lab {lab}: full marks in {time.monotonic() - start:.1f} s")
        assert {line[0] for line in lines} == {"✓"}
        solved.append(lab)
        assert f"{len(lines)} of {len(lines)} tests pass." in bench.said
        assert f"Lab {lab} is solved" in bench.said
        still_open = ", ".join(one for one in NAMES if one not in solved)
        assert bench.said.endswith(
            f"Still open: {still_open}." if still_open else "all 4 labs."
        )
        assert bench.part("out").text_content() == ""
        assert bench.page.problems == []


def test_every_known_slip_gets_its_lines(booted):
    """One Python in the page, all slips of the labs one after the other."""
    typed = {module: typed_slips(module) for module in MODULES}
    every = [(m, item) for m, items in typed.items() for item in items]
    assert len(every) > 150
    start = time.monotonic()
    booted.page.evaluate(
        "sources => { window.graded = Promise.all(sources.map("
        "args => InPage.python().call('grade', args))); }",
        [{"lab": one.lab, "source": one.source} for _, one in every],
    )
    here = [grade(one.lab, one.source) for _, one in every]  # meanwhile
    there = booted.page.evaluate("window.graded")
    print(f"{len(every)} starters in {time.monotonic() - start:.0f} s")
    num_exact = 0
    for (module, one), page, desk in zip(every, there, here, strict=True):
        assert ours(page["lines"]) == ours(desk["lines"]), module
        assert page["verdicts"] == desk["verdicts"]
        assert page["score"] == desk["score"]
        num_exact += page["lines"] == desk["lines"]
        said = "\n".join(page["lines"])
        for sentence in one.sentences:
            assert sentence.replace(module, f"starter_{one.lab}") in said
    assert num_exact > 0.97 * len(every)


def test_a_line_of_a_slip_leads_into_the_editor(booted):
    source = (
        "\n" * 40 + "def lora_delta(x, A, B, scaling):\n    return x @ 7\n"
    )
    lines = booted.grade(source)
    assert lines == grade("01", source)["lines"]
    marks = (
        booted.part("lines")
        .locator("li")
        .evaluate_all("rows => rows.map(row => row.className)")
    )
    assert marks[0] == "is-wrong"
    booted.part("lines").get_by_role("button").first.click()
    chosen = booted.editor.evaluate(
        "area => [document.activeElement === area,"
        " area.value.slice(area.selectionStart, area.selectionEnd)]"
    )
    assert chosen == [True, "    return x @ 7"]


def test_the_starter_of_a_page_is_the_desks(open_lab):
    for lab in NAMES:
        bench = open_lab(lab)
        source = lab_bench(lab, bench.editor.input_value()).starter
        path = page_url(lab)
        assert source.startswith(f'"""Lab {lab}, your part'), path
