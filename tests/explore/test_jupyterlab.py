"""Sliders in a real JupyterLab, driven in Chromium: make browser."""

import shutil
from contextlib import suppress
from pathlib import Path

import pytest

import lab
import slider_speed
from built_pages import EXPLORED
from repository import ROOT

pytestmark = pytest.mark.browser
MAX_SHARE_OF_INTERACT = 0.35


@pytest.fixture(scope="module")
def jupyterlab(tmp_path_factory):
    """A JupyterLab on copies of the notebooks; gone when the tests are."""
    folder = tmp_path_factory.mktemp("lab")
    for path in EXPLORED:
        shutil.copy(ROOT / f"{path}.ipynb", folder)
    with lab.jupyterlab(folder) as address:
        yield address


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=pytest.mark.engine if "02" in path else ())
        for path in EXPLORED
    ],
)
def test_every_slider_moves_in_jupyterlab(browser, jupyterlab, path):
    """Run all cells; each slider, at both ends, changes its sentence."""
    from playwright.sync_api import expect

    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    page = context.new_page()
    lab.run_all(page, jupyterlab, f"{Path(path).name}.ipynb")
    boxes = page.locator(".jp-OutputArea .widget-vbox")
    source = (ROOT / f"{path}.ipynb").read_text("utf-8")
    num_explorers = source.count("data-explore=")
    # A cell has run before its widgets are there.
    boxes.nth(num_explorers - 1).wait_for()
    assert boxes.count() == num_explorers
    for index in range(boxes.count()):
        box = boxes.nth(index)
        box.scroll_into_view_if_needed()
        handles = box.locator(".noUi-handle")
        for number in range(handles.count()):
            caption = box.locator("figcaption")
            handle = handles.nth(number)
            before = caption.text_content()
            said = {before}
            for key in ("Home", "End"):
                last = caption.text_content()
                place = handle.get_attribute("aria-valuenow")
                handle.focus()
                page.keyboard.press(key)
                page.wait_for_timeout(500)
                # The key that comes next may lead back to where it was.
                page.wait_for_selector(lab.IDLE)
                if handle.get_attribute("aria-valuenow") != place:
                    # A browser may show it later than the kernel is idle.
                    with suppress(AssertionError):
                        expect(caption).not_to_have_text(last, timeout=10_000)
                said.add(caption.text_content())
            if len(said) < 2:  # a browser that is slow to show it
                which = f"slider {number} of explorer {index}"
                expect(caption, which).not_to_have_text(before, timeout=30_000)
            assert box.locator("svg").count() == 1
    context.close()


def test_a_log_that_a_reader_uploads_is_what_the_page_then_plans(
    browser, jupyterlab, tmp_path
):
    """Press the button, choose a file, run the cells below it again."""
    log = tmp_path / "mine.csv"
    rows = ["time,adapter,prompt_tokens,output_tokens"]
    rows += (f"{i / 4},team-{i % 3},{50 + i % 7},9" for i in range(600))
    log.write_text("\n".join(rows), "utf-8")
    page = browser.new_page()
    lab.run_all(page, jupyterlab, "own-case.ipynb")
    with page.expect_file_chooser() as chooser:
        page.click('button:has-text("Your log")')
    chooser.value.set_files(log)
    page.wait_for_selector('button:has-text("Your log (1)")')
    cell = page.locator('.jp-CodeCell:has-text("log = log_of(upload)")')
    cell.locator(".jp-InputArea-editor").click()
    lab.run_cells(page, "notebook:run-all-below")
    said = cell.locator(".jp-OutputArea").inner_text()
    assert "600 requests of 3 tenants in 2 minutes" in said
    assert not page.locator(lab.ERROR).count()
    assert "The example log" not in page.locator(".jp-Notebook").inner_text()
    page.close()


@pytest.mark.timed
def test_explore_answers_in_a_third_of_interact(browser):
    """As make lab serves it: same draw, same notebook, keys in turn."""
    draw = "lab03.draw_memory"
    with slider_speed.open_notebook(
        browser, draw, slider_speed.NODELAY
    ) as page:
        axes = slider_speed.EXPLORERS[draw]
        found = slider_speed.measure(page, axes, num_moves=14)
    print(found)
    assert found["ratio"] <= MAX_SHARE_OF_INTERACT
