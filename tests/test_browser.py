"""The built pages and a real JupyterLab, in headless Chromium.

Needs `make book`, playwright and a Chromium: make browser.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
import yaml

from multilora.book import pages_of

ROOT = Path(__file__).parents[1]
HTML = ROOT / "_build/html"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
PAGES = pages_of(TOC)
# Pages with explorers: every lab, and a chapter.
LABS = [
    page
    for page in PAGES
    if page.startswith("notebooks/")
    and "data-explore=" in (ROOT / f"{page}.ipynb").read_text("utf-8")
]

try:
    from playwright.sync_api import TimeoutError as PlaywrightTimeout
except ImportError:  # the fixture `browser` skips, and says why
    PlaywrightTimeout = ()

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium on the PATH"),
]


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed"
    )
    with api.sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)


@pytest.fixture
def open_page(browser):
    contexts = []

    def open_page(path, scheme="light", width=1280, **options):
        if not (HTML / f"{path}.html").is_file():
            pytest.skip("the book is not built: make book")
        context = browser.new_context(
            color_scheme=scheme,
            viewport={"width": width, "height": 800},
            offline=True,
            **options,
        )
        contexts.append(context)
        page = context.new_page()
        page.problems = []
        page.on("pageerror", lambda e: page.problems.append(str(e)))
        page.on("console", lambda m: _note_error(page, m))
        page.on("request", lambda r: _note_request(page, r))
        page.goto((HTML / f"{path}.html").as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()


def _note_error(page, message):
    if message.type == "error":
        page.problems.append(message.text)


def _note_request(page, request):
    if not request.url.startswith(("file:", "data:", "blob:")):
        page.problems.append(request.url)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_stands_alone(open_page, path, scheme, width):
    """No error, no other host, no sideways scroll, with the network cut."""
    page = open_page(path, scheme, width)
    page.wait_for_timeout(200)
    assert page.problems == []
    scroll = page.evaluate("document.documentElement.scrollWidth")
    assert scroll <= width
    shown = page.evaluate("document.documentElement.dataset.theme")
    assert shown == scheme


@pytest.mark.parametrize("path", LABS)
def test_pictures_and_sentences_stand_without_javascript(open_page, path):
    page = open_page(path, java_script_enabled=False)
    figures = page.locator("figure.multilora")
    assert figures.count() >= 3
    for index in range(figures.count()):
        picture = figures.nth(index).locator("img")
        sentence = figures.nth(index).locator("figcaption").inner_text()
        assert picture.bounding_box()["height"] > 100
        assert sentence.startswith(picture.get_attribute("alt")[:20])


def test_every_lab_has_explorers():
    every = [page for page in PAGES if page.startswith("notebooks/lab-")]
    assert len(every) == 4 and set(every) < set(LABS)
    assert "notebooks/the-cascade" in LABS


def test_formulas_are_mathml_and_drawn(open_page):
    page = open_page("notebooks/lab-01-batched-lora-matmul")
    formula = page.locator("math[display=block]").first
    assert formula.bounding_box()["height"] > 20
    assert page.locator("text=\\top").count() == 0


@pytest.fixture(scope="module")
def jupyterlab(tmp_path_factory):
    """A JupyterLab on copies of the notebooks; gone when the tests are."""
    folder = tmp_path_factory.mktemp("lab")
    for path in LABS:
        shutil.copy(ROOT / f"{path}.ipynb", folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
        f"--port={port}", "--IdentityProvider.token=", str(folder),
    ]  # fmt: skip
    server = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_up(f"{address}/api/status")
        yield address
    finally:
        server.terminate()
        server.wait(20)


def _wait_until_up(address):
    for _ in range(120):
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    raise TimeoutError(f"{address} did not come up in a minute")


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=pytest.mark.engine if "02" in path else ())
        for path in LABS
    ],
)
def test_every_slider_moves_in_jupyterlab(browser, jupyterlab, path):
    """Run all cells; each slider, at both ends, changes its sentence."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    page = context.new_page()
    name = Path(path).name
    page.goto(f"{jupyterlab}/lab/tree/{name}.ipynb?reset")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
    _run_all(page)
    boxes = page.locator(".jp-OutputArea .widget-vbox")
    source = (ROOT / f"{path}.ipynb").read_text("utf-8")
    assert boxes.count() == source.count("data-explore=")
    for index in range(boxes.count()):
        box = boxes.nth(index)
        box.scroll_into_view_if_needed()
        handles = box.locator(".noUi-handle")
        for number in range(handles.count()):
            said = {box.locator("figcaption").inner_text()}
            for key in ("Home", "End"):
                handles.nth(number).focus()
                page.keyboard.press(key)
                page.wait_for_timeout(500)
                said.add(box.locator("figcaption").inner_text())
            assert len(said) >= 2, f"slider {number} of explorer {index}"
            assert box.locator("svg").count() == 1
    context.close()


def _run_all(page):
    """Run every cell and wait until the last one has run.

    JupyterLab drops the command while the kernel connects, and says idle
    before it does, so it is given again until the first prompt is back.
    """
    prompts = page.locator(".jp-CodeCell .jp-InputPrompt")
    for _ in range(10):
        page.wait_for_selector('text="Python 3 (ipykernel) | Idle"')
        page.click('.lm-MenuBar-item:has-text("Run")')
        page.click('.lm-Menu-item[data-command="runmenu:run-all"]')
        try:
            running = '.jp-InputPrompt:has-text("[*]")'
            page.wait_for_selector(running, timeout=15_000)
            break
        except PlaywrightTimeout:
            continue
    page.wait_for_function(
        """() => [...document.querySelectorAll('.jp-CodeCell')].every(
             cell => /\\[\\d+\\]/.test(
               cell.querySelector('.jp-InputPrompt').textContent))""",
        timeout=500_000,
    )
    assert prompts.count() > 10
