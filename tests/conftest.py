"""An option for the findings; a Chromium that opens the built pages."""

import pytest

from lab import CHROMIUM, FLAGS
from repository import ROOT

HTML = ROOT / "_build/html"


def pytest_addoption(parser):
    parser.addoption(
        "--record",
        action="store_true",
        help="write what the engine's tests find into the book's data",
    )


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium."""
    api = pytest.importorskip(
        "playwright.sync_api", reason="needs playwright: make browser"
    )
    if not CHROMIUM:
        pytest.skip("needs a Chromium on the PATH: make browser")
    with api.sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)


@pytest.fixture
def open_page(browser):
    """Opens a built page as a file, the network cut; notes what is wrong."""
    contexts = []

    def open_page(path, scheme="light", width=1280, fragment="", **options):
        file = HTML / f"{path}.html"
        if not file.is_file():
            pytest.skip("needs the built book: make browser")
        context = browser.new_context(
            color_scheme=scheme,
            viewport={"width": width, "height": 800},
            offline=True,
            **options,
        )
        contexts.append(context)
        page = context.new_page()
        page.problems, page.asked = [], []
        page.on("pageerror", lambda e: page.problems.append(str(e)))
        page.on("console", lambda m: _note_error(page, m))
        page.on("request", lambda r: _note_request(page, r))
        page.on("requestfailed", lambda r: page.problems.append(r.url))
        page.goto(file.as_uri() + fragment)
        return page

    yield open_page
    for context in contexts:
        context.close()


def _note_error(page, message):
    if message.type in ("error", "warning"):
        page.problems.append(message.text)


def _note_request(page, request):
    page.asked.append(request.url)
    if not request.url.startswith(("file:", "data:", "blob:")):
        page.problems.append(request.url)
