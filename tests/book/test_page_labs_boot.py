"""Starting Python in a page: late, once, and with a sentence if it fails.

Needs `make book`, playwright and a Chromium: make browser.
"""

from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

from multilora.labs.switch import NAMES
from workbenches import ANSWERS, HTML, Workbench

pytestmark = pytest.mark.browser
MOST_BYTES = 50_000  # of the workbench, before the first click
OWN_FILES = ("prism-code-editor.js", "python.js", "workbench.js",
             "layout.css", "inpage.css", "workbench.css")  # fmt: skip
LACKING = {
    "WebAssembly": "This browser has no WebAssembly",
    "DecompressionStream": "it has no DecompressionStream",
    "Worker": "This browser has no workers",
}
TWO = """
for (const box of document.querySelectorAll(".workbench[data-lab]")) {
  const other = box.cloneNode(true);
  other.id = "bench-99";
  box.after(other);
}
"""


def is_pythons(url):
    return "/_static/python/" in url


@pytest.mark.parametrize("lab", NAMES)
def test_before_the_first_click_little_is_loaded(open_lab, lab):
    bench = open_lab(lab, is_served=False)
    bench.page.wait_for_timeout(300)
    files = {Path(unquote(urlparse(url).path)) for url in bench.page.asked}
    assert not any(map(is_pythons, bench.page.asked))
    own = [file for file in files if file.name in OWN_FILES]
    assert len(own) == len(OWN_FILES)
    size = sum(file.stat().st_size for file in own)
    print(f"{size} bytes of the workbench before the first click")
    assert size < MOST_BYTES


@pytest.mark.parametrize("name", LACKING)
def test_a_browser_that_lacks_something_is_told_at_once(open_lab, name):
    bench = open_lab(script=f"delete window.{name};")
    assert LACKING[name] in bench.said
    assert bench.said.endswith("do the same on a computer.")
    assert bench.part("desk").locator("code").last.is_visible()
    assert "make grade LAB=01" in bench.part("desk").inner_text()
    assert not bench.part("grade").is_visible()
    bench.editor.press("Control+Enter")
    bench.page.wait_for_timeout(200)
    assert not any(map(is_pythons, bench.page.asked))


def test_without_javascript_the_starter_can_be_read(open_lab):
    bench = open_lab(java_script_enabled=False)
    assert "def lora_delta" in bench.part("code").input_value()
    assert not bench.part("grade").is_visible()


def hold(page, name):
    """Let the scripts of this name wait; return their routes."""
    held = []
    page.route(f"**/_static/python/{name}-*.js", lambda r: held.append(r))
    return held


BROKEN = {
    "missing": (lambda route: route.abort(), "is missing"),
    "an error's page": (
        lambda route: route.fulfill(body="<h1>404</h1>", status=200),
        "is damaged",
    ),
    "another script": (
        lambda route: route.fulfill(body="1;"), "is damaged",
    ),
    "cut": (
        lambda route: route.fulfill(body='InPage.take("numpy","H4sIAAAA");'),
        "is damaged",
    ),
    "no base64": (
        lambda route: route.fulfill(body='InPage.take("numpy","*");'),
        "is damaged",
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_part_is_named_and_asked_for_again(open_lab, how):
    act, sentence = BROKEN[how]
    bench = open_lab()
    pattern = "**/_static/python/numpy-*.js"
    bench.page.route(pattern, act)
    bench.click("grade")
    bench.wait()
    assert bench.said.startswith("numpy-") and sentence in bench.said
    if how == "missing":  # once is enough for the way back
        bench.page.unroute(pattern)
        assert len(bench.grade()) == 13


def test_clicks_while_python_is_on_its_way(open_lab):
    """A second click changes nothing; Stop ends the wait at once."""
    bench = open_lab()
    held = hold(bench.page, "wasm")
    bench.click("grade")
    bench.part("said").get_by_text("Loading Python").wait_for()
    bench.editor.press("Control+Enter")
    assert bench.part("grade").is_disabled()
    bench.page.wait_for_timeout(9000)  # longer than what runs is silent
    assert "Loading Python" in bench.said
    assert len(held) == 1
    bench.click("stop")
    bench.wait(1000)
    assert bench.said == "Stopped. What you typed is kept."
    bench.click("grade")
    held[0].continue_()
    bench.wait()
    assert bench.said == "0 of 13 tests pass."
    asked = [url for url in bench.page.asked if is_pythons(url)]
    assert len(asked) == len(set(asked)), "a part was asked for twice"


def test_stop_while_python_starts(open_lab):
    bench = open_lab()
    bench.click("grade")
    bench.part("said").get_by_text("Starting Python").wait_for()
    bench.click("stop")
    bench.wait(1000)
    assert bench.said == "Stopped. What you typed is kept."
    assert len(bench.grade()) == 13
    assert bench.page.problems == []


def test_two_editors_of_a_page_share_one_python(open_lab):
    """One waits for the other; Stop ends both."""
    bench = open_lab(
        script=f"document.addEventListener('readystatechange', () => {{"
        f"if (document.readyState === 'interactive') {{ {TWO} }} }});"
    )
    other = Workbench(bench.page, place=1)
    bench.click("grade")
    other.type(ANSWERS["01"])
    other.click("grade")
    bench.wait()
    other.wait()
    assert bench.said == "0 of 13 tests pass."
    assert other.said.startswith("13 of 13 tests pass.")
    bench.type("while True:\n    pass\n")
    bench.click("run")
    other.click("grade")
    bench.page.wait_for_timeout(300)
    other.click("stop")
    bench.wait(2000)
    other.wait(2000)
    assert bench.said == other.said == "Stopped. What you typed is kept."
    other.click("grade")
    other.wait()
    assert other.said.startswith("13 of 13 tests pass.")


def test_the_parts_in_the_folder_are_those_of_the_pages():
    folder = HTML / "_static/python"
    names = {path.name for path in folder.glob("*.js")}
    page = (HTML / "notebooks/lab-03-lora-economics.html").read_text("utf-8")
    assert names and all(name in page for name in names)
