"""Exercises and cells to try of the built pages, in Chromium: no kernel.

Needs `make book`, playwright and a Chromium: make browser.
"""

import json
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from multilora.book.cells import STUB, TRIED, code_cells
from repository import ROOT

pytestmark = pytest.mark.browser

EXERCISES = "notebooks/exercises"
LABS = ["notebooks/lab-01-batched-lora-matmul",
        "notebooks/lab-04-adapter-slot-cache"]  # fmt: skip
BOOT_MS = 60_000
MOST_PAGE_BYTES, MOST_BENCH_BYTES = 1_500_000, 50_000


def stored(path):
    """Return the code cells of a notebook, each with what it printed."""
    notebook = json.loads((ROOT / f"{path}.ipynb").read_text("utf-8"))
    return [
        (cell, "".join("".join(one.get("text", "")) for one in outputs))
        for cell in code_cells(notebook)
        for outputs in [notebook["cells"][cell.place]["outputs"]]
    ]


def answers():
    """Return {exercise: (its worked solution, what the solution printed)}."""
    return {
        call[1]: (cell.source, printed)
        for cell, printed in stored(EXERCISES)
        if (call := STUB.search(cell.source)) and "hide-cell" in cell.tags
    }


def bench(page, name):
    return page.locator(f'.workbench[data-name="exercise:{name}"]')


def run(box):
    """Click on the bench's main button; return what it says then."""
    box.locator(".bench-run").click()
    return ended(box)


def ended(box):
    idle = box.locator("xpath=self::*[not(@data-busy)]")
    idle.wait_for(state="attached", timeout=BOOT_MS)
    return box.locator(".bench-said").inner_text()


def printed(box):
    out = box.locator(".bench-out")
    return out.inner_text() if out.is_visible() else ""


def assert_open_to_all(page):
    """As it is now the page fits a phone, and axe-core finds nothing serious.

    Both in dark and in light.
    """
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright",
        reason="needs axe-playwright-python: make browser",
    ).Axe()
    for scheme, width in (("dark", 1280), ("light", 390)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_timeout(300)  # the theme fades its colours in
        page.locator(f'html[data-theme="{scheme}"]').wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = axe.run(page, context=".workbench, .try-it, .exercise-count")
        assert len(found.response["passes"]) > 5, "axe did not look"
        assert [
            (broken["id"], [node["html"][:200] for node in broken["nodes"]])
            for broken in found.response["violations"]
            if broken["impact"] in ("serious", "critical")
        ] == []


def num_bytes(url):
    return Path(unquote(urlsplit(url).path)).stat().st_size


def test_every_exercise_is_checked_in_the_page(open_page):
    """Stub, then worked solution: the lines are those of the notebook."""
    page = open_page(EXERCISES)
    count = page.locator(".exercise-count")
    assert count.inner_text().startswith("0 of 31 are right so far.")
    assert page.locator(".workbench[data-kind=exercise]").count() == 31
    for number, (name, (solution, shown)) in enumerate(answers().items(), 1):
        box = bench(page, name)
        title = box.get_attribute("data-title")
        assert run(box) == f"· {title}: not attempted yet"
        box.locator("textarea").fill(solution)
        assert run(box) == shown.splitlines()[-1]
        assert printed(box).splitlines() == shown.splitlines()[:-1]
        assert count.inner_text().startswith(f"{number} of 31 ")
    parts = [url for url in page.asked if "/_static/python/" in url]
    assert len(parts) == len(set(parts)) > 5, "Python was loaded once"
    assert page.problems == []
    assert_open_to_all(page)
    page.reload()
    assert count.inner_text().startswith("31 of 31 are right so far.")
    kept = bench(page, "segments").locator("textarea")
    assert kept.input_value() == answers()["segments"][0]


@pytest.mark.parametrize("path", [EXERCISES, *LABS, "book/mini-build"])
def test_a_page_is_light_before_the_first_click(open_page, path):
    page = open_page(path)
    asked = {url for url in page.asked if url.startswith("file:")}
    assert sum(map(num_bytes, asked)) < MOST_PAGE_BYTES
    own = (
        "prism-code-editor.js",
        "python.js",
        "workbench",
        "cells.",
        "layout.",
        "inpage.",
    )
    for_benches = [url for url in asked if any(name in url for name in own)]
    assert len(for_benches) >= 6
    assert sum(map(num_bytes, for_benches)) < MOST_BENCH_BYTES
    assert not [url for url in asked if "/_static/python/" in url]


@pytest.mark.parametrize("path", LABS)
def test_a_cell_to_try_prints_what_the_page_shows(open_page, path):
    page = open_page(path)
    folds = page.locator("details.try-it")
    wanted = [shown for cell, shown in stored(path) if TRIED in cell.tags]
    assert folds.count() == len(wanted) >= 3
    assert folds.locator(".prism-code-editor").count() == 0
    for number, shown in enumerate(wanted):
        fold = folds.nth(number)
        fold.locator("summary").click()
        assert run(fold.locator(".workbench")) == "Ran to its end."
        assert printed(fold).splitlines() == shown.splitlines()
    assert page.problems == []
    if path == LABS[0]:  # the folds of both are alike; an error is shown too
        folds.first.locator("textarea").fill(f"print({'9' * 200})\n1 / 0")
        assert run(folds.first.locator(".workbench")) == "Ended with an error."
        assert_open_to_all(page)


def test_errors_slips_and_the_keyboard(open_page):
    page = open_page(EXERCISES)
    by_keyboard(page, bench(page, "cliff"))
    box = bench(page, "second_engine")
    box.locator("textarea").fill("print('Begun.')\nanswer = gib(None)\n")
    assert run(box) == "Ended with an error."
    assert 'File "second_engine.py", line 2' in printed(box)
    assert "Begun." in printed(box)
    box.locator("textarea").fill('answer = 49\ncheck_exercise("second_engine"'
                                 ", answer)\nprint('✓ Mine.')")  # fmt: skip
    said = box.locator(".bench-said")
    assert run(box).startswith("✗ Two engines, by rank: ")
    assert "is-wrong" in said.get_attribute("class")
    assert printed(box).strip() == "✓ Mine."
    box.locator("textarea").fill("answer = 50")
    assert run(box) == "Ran to its end, but check_exercise was not called."
    assert page.locator(".exercise-count").inner_text().startswith("1 of 31")
    page.on("dialog", lambda dialog: dialog.accept())
    box.get_by_role("button", name="Start again").click()
    assert run(box) == "· Two engines, by rank: not attempted yet"


def by_keyboard(page, box):
    """Correct a stub, check it and leave the editor, without a mouse."""
    box.locator("textarea").focus()
    for key in ("Control+Home", "End", *["Backspace"] * 4, *"588"):
        page.keyboard.press(key)
    page.keyboard.press("Control+Enter")
    assert ended(box).startswith("✓ The edge of the cliff: ")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    check = box.get_by_role("button", name="Check")
    assert check.evaluate("button => button === document.activeElement")


def test_a_fold_opens_by_keyboard_with_the_editor_next(open_page):
    page = open_page(LABS[1])
    fold = page.locator("details.try-it").first
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    fold.locator(".prism-code-editor").wait_for()
    editor = fold.locator("textarea")
    assert editor.evaluate("area => area === document.activeElement")


def test_the_mini_build_has_the_text_of_lab_01(open_page):
    page = open_page("book/mini-build")
    page.locator(".workbench textarea").fill("# Mine.")
    page.wait_for_timeout(1000)  # Chromium writes down what it keeps
    page.goto(page.url.replace("book/mini-build", LABS[0]))
    editor = page.locator('.workbench[data-lab="01"] textarea')
    assert editor.input_value() == "# Mine."


def test_a_browser_without_webassembly_is_told_where_else(open_page):
    page = open_page(EXERCISES)
    page.add_init_script("delete window.WebAssembly")
    page.reload()
    said = bench(page, "cliff").locator(".bench-said").inner_text()
    assert said.startswith("This browser has no WebAssembly")
    assert said.endswith("JupyterLab can: make lab.")
