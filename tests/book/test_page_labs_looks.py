"""A workbench is read and used by everybody: axe, keyboard, phone, paper.

Needs `make book`, playwright and a Chromium: make browser.
"""

import pytest

from workbenches import ANSWERS, LAB_BENCH

pytestmark = pytest.mark.browser
FLAT = ".bd-article * { background-image: none !important; }"
LONG = "# " + "x" * 400 + "\nprint('y' * 300)\n1 / 0\n"
# Parts of a workbench that leave its box and cannot be scrolled to.
CLIPPED = """box => [...box.querySelectorAll("*")].filter(part => {
  const style = getComputedStyle(part);
  return part.clientWidth && !["auto", "scroll"].includes(style.overflowX)
    && !part.closest(".prism-code-editor, .bench-out")
    && part.getBoundingClientRect().right
       > box.getBoundingClientRect().right + 1;
}).map(part => part.className)"""
SCROLL = "document.documentElement.scrollWidth"


def serious(page):
    """What axe-core finds serious in the workbench."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright",
        reason="needs axe-playwright-python: make browser",
    ).Axe()
    page.add_style_tag(content=FLAT)
    page.wait_for_timeout(300)  # the theme fades its colours in
    found = axe.run(page, context=LAB_BENCH).response
    assert len(found["passes"]) > 5, "axe did not look"
    return [
        (broken["id"], [node["html"][:200] for node in broken["nodes"]])
        for broken in found["violations"]
        if broken["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_before_and_after_grading(open_lab, scheme):
    bench = open_lab("03", color_scheme=scheme)
    assert serious(bench.page) == []
    bench.grade("def gpus_saved(tenants, max_loras):\n    return 1 / 0\n")
    assert serious(bench.page) == []
    bench.run(LONG)
    assert "ZeroDivisionError" in bench.part("out").text_content()
    assert serious(bench.page) == []
    for width in (390, 768):
        bench.page.set_viewport_size({"width": width, "height": 800})
        assert bench.page.evaluate(SCROLL) <= width
        assert bench.box.evaluate(CLIPPED) == []


@pytest.mark.parametrize("width", [390, 768])
def test_nothing_is_clipped_on_a_small_screen(open_lab, width):
    """The longest line of code wraps within the editor."""
    bench = open_lab("02", viewport={"width": width, "height": 800})
    assert bench.page.evaluate(SCROLL) <= width
    assert bench.box.evaluate(CLIPPED) == []
    bench.type("x = 1")
    low = bench.box.locator(".pce-line").first.bounding_box()["height"]
    bench.type(LONG)
    assert bench.box.evaluate(CLIPPED) == []
    line = bench.box.locator(".pce-line").first.bounding_box()
    assert line["height"] > 2 * low
    assert line["x"] + line["width"] <= width
    for button in bench.part("buttons").locator("button:visible").all():
        assert button.bounding_box()["height"] >= 24


def test_a_keyboard_is_enough(open_lab):
    """Tab indents in the editor; Escape, then Tab, leaves it."""
    bench = open_lab("03")
    press = bench.page.keyboard.press
    bench.type("if True:\nx = 1\n")
    press("Control+End")
    press("ArrowUp")
    press("Tab")
    assert bench.editor.input_value() == "if True:\n    x = 1\n"
    press("Shift+Tab")
    assert bench.editor.input_value() == "if True:\nx = 1\n"
    press("Control+a")
    bench.page.keyboard.insert_text(ANSWERS["03"])
    press("Control+Enter")
    bench.wait()
    assert bench.said.startswith("6 of 6 tests pass.")
    assert bench.editor.evaluate("area => document.activeElement === area")
    press("Escape")
    names = []
    for _ in range(8):
        press("Tab")
        names.append(
            bench.page.evaluate("document.activeElement.textContent.trim()")
        )
    assert names[:2] == ["Grade", "Run"]
    assert "Load…" in names and "On your own computer" in names
    assert bench.editor.input_value() == ANSWERS["03"]
    for _ in range(8):
        press("Shift+Tab")
    assert bench.editor.evaluate("area => document.activeElement === area")
    press("Tab")  # back in the editor, Tab indents again
    assert bench.editor.input_value() != ANSWERS["03"]


def test_a_run_by_keyboard_is_stopped_by_keyboard(open_lab):
    bench = open_lab("03")
    bench.type("while True:\n    pass\n")
    bench.page.keyboard.press("Control+Enter")
    bench.part("said").get_by_text("Running", exact=True).wait_for()
    bench.page.keyboard.press("Escape")
    names = []
    while "Stop" not in names and len(names) < 4:
        bench.page.keyboard.press("Tab")
        names.append(
            bench.page.evaluate("document.activeElement.textContent.trim()")
        )
    assert names == ["Grade", "Run", "Stop"]
    bench.page.keyboard.press("Enter")
    bench.wait()
    assert bench.said.startswith("Stopped.")
    # The button that was in focus is gone: the focus is back in the editor.
    assert bench.editor.evaluate("area => document.activeElement === area")


def test_what_is_said_is_a_status(open_lab):
    bench = open_lab("03")
    assert bench.part("said").get_attribute("role") == "status"
    for name in ("grade", "stop", "reset"):
        assert bench.part(name).get_attribute("type") == "button"
    assert bench.editor.get_attribute("aria-label").startswith("Your code")
    keys = bench.editor.get_attribute("aria-describedby")
    assert "Escape, then Tab" in bench.page.locator(f"#{keys}").inner_text()


def test_on_paper_the_code_is_whole_and_the_buttons_are_gone(open_lab):
    bench = open_lab("04", color_scheme="dark")
    bench.page.emulate_media(media="print")
    assert not bench.part("grade").is_visible()
    sizes = bench.box.locator(".prism-code-editor").evaluate(
        "box => [box.scrollHeight, box.clientHeight]"
    )
    assert sizes[0] <= sizes[1] + 1
