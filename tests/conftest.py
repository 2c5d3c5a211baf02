"""Findings of the engine's tests; a Chromium that opens the built pages."""

import json
import os
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path

import pytest
from lab import CHROMIUM, FLAGS

from multilora.published import published

HERE = Path(__file__).parent
HTML = HERE.parent / "_build/html"
RECORD = HERE.parent / "src/multilora/data/reconciliation.json"


def pytest_addoption(parser):
    parser.addoption(
        "--record",
        action="store_true",
        help="write what the engine's tests find into the book's data",
    )


class Findings:
    """Checks each finding; compares it with the page, or records it."""

    def __init__(self, is_recording):
        self.is_recording = is_recording
        self.rows = []

    @staticmethod
    def is_whole(session):
        """True if this session runs every test that records a finding."""
        every = {path.name for path in HERE.glob("test_recon_*.py")}
        ran = {item.path.name for item in session.items}
        return every <= ran and not session.config.getoption("keyword")

    def add(self, key, claim, ours, vllm, cases, difference=0, allowed=0,
            unit="", measured=None):  # fmt: skip
        difference, allowed = float(difference), float(allowed)
        assert difference <= allowed, (
            f"{claim}: differs by {difference}, allowed {allowed} {unit}"
        )
        row = {
            "key": key, "claim": claim, "ours": ours, "vllm": vllm,
            "cases": int(cases), "difference": difference,
            "allowed": allowed, "unit": unit, "measured": measured or {},
        }  # fmt: skip
        self.rows.append(row)
        if self.is_recording:
            return
        pages = {
            item["key"]: item
            for item in published("reconciliation")["findings"]
        }
        again = "the page says otherwise: run make reconcile"
        assert key in pages, again
        # Another CPU may round otherwise; what is exact must stay so.
        rounded = {"difference", "allowed"} if allowed else set()
        rounded.add("measured")
        assert bool(pages[key]["allowed"]) == bool(allowed), again
        for name in row.keys() - rounded:
            assert pages[key][name] == row[name], f"{name} of {key}: {again}"


@pytest.fixture(scope="session")
def findings(request):
    """Collects what the engine's tests compare; see make reconcile."""
    found = Findings(request.config.getoption("--record"))
    yield found
    if found.is_recording and not request.session.testsfailed:
        rows = {
            row["key"]: row for row in published("reconciliation")["findings"]
        }
        rows |= {row["key"]: row for row in found.rows}
        if found.is_whole(request.session):
            rows = {row["key"]: row for row in found.rows}
        data = {"conditions": _conditions(), "findings": list(rows.values())}
        text = json.dumps(data, indent=1, ensure_ascii=False)
        RECORD.write_text(text + "\n", encoding="utf-8")


def _conditions():
    import torch

    from multilora.engine.quiet import vllm_version

    return {
        "vLLM": " ".join(vllm_version()),
        "torch": torch.__version__,
        "PEFT": version("peft"),
        "Python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "date": date.today().isoformat(),
    }


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
