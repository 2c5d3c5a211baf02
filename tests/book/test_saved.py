"""A lab opened, run and saved in JupyterLab leaves `make test` green."""

import json
import shutil

import pytest

import lab
from programs import python
from repository import LABS, ROOT

LABS_WITH = [path.stem for path in LABS if "lab-02" in path.stem]
LABS_WITHOUT = [path.stem for path in LABS if path.stem not in LABS_WITH]
# As in the Makefile.
MAKE_LAB = [
    "--ServerApp.contents_manager_class=multilora.book.contents.FilledIn",
    "--LabApp.default_url=/lab/tree/00-start-here.ipynb",
]
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The repository in a folder of its own, whose notebooks may change."""
    folder = tmp_path_factory.mktemp("repository")
    for name in ("book", "notebooks", "tests", "tools", "benchmarks"):
        shutil.copytree(ROOT / name, folder / name)
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    return folder


def open_lab(browser, address, name):
    """Open a notebook; return the page once its kernel is idle."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    page = context.new_page()
    page.goto(f"{address}/lab/tree/{name}.ipynb?reset")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
    page.wait_for_selector('text="Python 3 (ipykernel) | Idle"')
    page.wait_for_timeout(2000)  # what the kernel says of itself is written
    return page


def save(page, path):
    """Press Ctrl+S; wait until the file is written."""
    before = path.stat().st_mtime_ns
    page.keyboard.press("Control+s")
    for _ in range(100):
        page.wait_for_timeout(100)
        if path.stat().st_mtime_ns != before:
            break
    else:
        raise TimeoutError(f"{path} was not saved")
    page.wait_for_selector(".jp-mod-dirty", state="detached")


def run(folder, *command):
    done = python("-m", *command, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def use(browser, address, path):
    """Open a lab, save it, run all, save it again: what a learner does."""
    stored = path.read_text("utf-8")
    page = open_lab(browser, address, path.stem)
    was_dirty = page.locator(".jp-mod-dirty").count() > 0
    save(page, path)
    assert path.read_text("utf-8") != stored  # JupyterLab's own form
    lab.run_cells(page)
    if path.stem not in LABS_WITH:  # whose engine runs by now
        lab.run_cells(page)  # the counts of cells do not begin with 1
    save(page, path)
    page.context.close()
    cells = json.loads(path.read_text("utf-8"))["cells"]
    counts = [c["execution_count"] for c in cells if "outputs" in c]
    assert None not in counts
    assert path.stem in LABS_WITH or counts[0] > len(counts)
    return was_dirty


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(LABS_WITHOUT, id="without vLLM"),
        pytest.param(LABS_WITH, id="with vLLM", marks=pytest.mark.engine),
    ],
)
def test_labs_opened_run_and_saved_leave_make_test_green(browser, copy, names):
    """As make lab serves them; then what make test does with notebooks."""
    paths = [copy / f"notebooks/{name}.ipynb" for name in names]
    with lab.jupyterlab(copy / "notebooks", *MAKE_LAB) as address:
        were_dirty = [use(browser, address, path) for path in paths]
    assert not any(were_dirty)
    said = run(
        copy, "pytest", "--nbval", "-q", "-p", "no:cacheprovider",
        "tests/book/test_explorers.py", "tests/book/test_contents.py",
        "tests/book/test_front_page.py", "tests/book/test_references.py",
        "tests/figures/test_guide.py", *map(str, paths),
    )  # fmt: skip
    assert "failed" not in said and "cells ran again" in said
    in_order(copy, names)


def in_order(folder, names):
    """make normalise repairs what JupyterLab changed, as make lint sees."""
    paths = [str(folder / f"notebooks/{name}.ipynb") for name in names]
    run(folder, "multilora.book.notebooks", "normalise", *paths)
    run(
        folder, "pytest", "-q", "-p", "no:cacheprovider", "-m", "stored",
        "tests/book/test_stored.py", "-k", " or ".join(names),
    )  # fmt: skip


def test_a_stock_jupyterlab_does_no_harm_either(browser, copy):
    name = LABS_WITHOUT[-1]
    path = copy / f"notebooks/{name}.ipynb"
    with lab.jupyterlab(copy / "notebooks") as address:
        use(browser, address, path)
    run(copy, "pytest", "--nbval", "-q", "-p", "no:cacheprovider", str(path))
    in_order(copy, [name])


def test_make_lab_opens_a_page_in_reading_order(browser, copy):
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert all(option in makefile for option in MAKE_LAB)
    with lab.jupyterlab(copy / "notebooks", *MAKE_LAB) as address:
        context = browser.new_context(viewport={"width": 1400, "height": 1000})
        page = context.new_page()
        page.goto(address)
        page.wait_for_selector('h1:has-text("Start here")', timeout=60_000)
        page.click('.jp-RenderedMarkdown a:has-text("Lab 03")')
        page.wait_for_selector('h1:has-text("Lab 03")', timeout=60_000)
        context.close()
