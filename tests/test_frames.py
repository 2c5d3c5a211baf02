"""The Sphinx extension: frames on disk, markup, pages built for real."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from nbformat.v4 import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    new_output,
)

from multilora.book import sources
from multilora.book.explorers import stored_explorers
from multilora.book.frames import FrameStore
from multilora.book.markup import figure
from multilora.book.theme import without_icon_script
from multilora.explorer import Explorer
from multilora.figures import lab03
from multilora.figures.style import panels
from multilora.notebooks import KERNEL

ROOT = Path(__file__).parents[1]
LAB_03 = ROOT / "notebooks/lab-03-lora-economics.ipynb"


def draw_twins(fig, one, two):
    panels(fig, {"title": "the same, whatever two is", "xlim": (0, one)})
    return f"</script><b>{one}</b> & {two}"


@pytest.fixture
def twins():
    return Explorer.of(draw_twins, {"one": [1, 2], "two": [1, 2, 3]})


def test_equal_frames_are_one_file_and_are_drawn_once(tmp_path, twins):
    store = FrameStore(tmp_path)
    found = store.frames_of(twins)
    assert [said for _, said in found][:2] == [
        "</script><b>1</b> & 1",
        "</script><b>1</b> & 2",
    ]
    assert len({name for name, _ in found}) == 2
    assert len(list(tmp_path.glob("*.svg"))) == 2
    assert store.num_drawn == 6
    again = FrameStore(tmp_path)
    assert again.frames_of(twins) == found and again.num_drawn == 0


def test_other_sources_mean_other_frames(tmp_path, twins, monkeypatch):
    store = FrameStore(tmp_path)
    before = store.key(twins)
    monkeypatch.setattr("multilora.book.frames.digest", lambda module: "new")
    assert store.key(twins) != before


def test_a_lost_or_broken_store_is_drawn_again(tmp_path, twins):
    store = FrameStore(tmp_path)
    found = store.frames_of(twins)
    (tmp_path / found[0][0]).unlink()
    assert store.frames_of(twins) == found and store.num_drawn == 12
    (listing,) = tmp_path.glob("*.json")
    listing.write_text("[[")
    assert store.frames_of(twins) == found and store.num_drawn == 18


def test_a_published_folder_holds_these_pictures_only(tmp_path, twins):
    store = FrameStore(tmp_path / "store")
    names = [name for name, _ in store.frames_of(twins)]
    site = tmp_path / "site"
    site.mkdir()
    (site / "old.svg").write_text("old")
    store.publish(names, site)
    assert {file.name for file in site.iterdir()} == set(names)


def test_a_picture_hangs_on_what_its_module_imports():
    found = sources.imported("multilora.figures.lab01")
    assert {"multilora.lora", "multilora.operands"} <= found
    assert "multilora.slots" not in found
    assert "multilora.slots" in sources.imported("multilora.figures.lab04")
    assert all(name.startswith("multilora") for name in found)


def test_a_sentence_cannot_break_out_of_the_page(twins, tmp_path):
    found = FrameStore(tmp_path).frames_of(twins)
    page = figure(twins, found, "../_frames")
    assert "<b>" not in page and page.count("</script>") == 1
    table = json.loads(re.search(r"json\">(.*)</script>", page, re.DOTALL)[1])
    assert table["frames"] == found
    assert table["values"] == [["1", "2"], ["1", "2", "3"]]


def test_the_icons_script_goes_and_no_other():
    kept = '<script defer src="a/bootstrap.js"></script>'
    icons = '<script defer src="a/fontawesome.js?digest=1"></script>'
    assert without_icon_script(icons + kept) == kept


@pytest.fixture
def book(tmp_path):
    """A book of one page and one notebook, built as Sphinx builds it."""
    output = new_output(
        "display_data",
        {"text/html": stored_explorers(LAB_03)[2][1], "text/plain": "x"},
    )
    cells = [
        new_markdown_cell("# Lab"),
        new_code_cell("explore()", outputs=[output]),
    ]
    metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    notebook = new_notebook(cells=cells, metadata=metadata)
    (tmp_path / "lab.ipynb").write_text(json.dumps(notebook))
    shutil.copytree(ROOT / "book/static", tmp_path / "static")
    (tmp_path / "conf.py").write_text(
        "extensions = ['myst_nb', 'multilora.book']\n"
        "exclude_patterns = ['_build']\n"
        "html_static_path = ['static']\nnb_execution_mode = 'off'\n"
        "nb_mime_priority_overrides = [['html', 'text/html', 5]]\n"
        "html_math_renderer = 'mathml'\n"
    )

    def build(front):
        page = f"# Front\n\n```{{toctree}}\nlab\n```\n\n{front}\n"
        (tmp_path / "index.md").write_text(page)
        return subprocess.run(
            [sys.executable, "-m", "sphinx", "-W", "-b", "html", tmp_path,
             tmp_path / "_build/html", "-d", tmp_path / "_build/trees"],
            capture_output=True, text=True,
        )  # fmt: skip

    build.html = tmp_path / "_build/html"
    return build


def test_a_page_shows_a_notebooks_explorer_and_draws_it_once(book):
    asked = "```{explorer} lab.ipynb draw_savings\n```"
    done = book(asked)
    assert done.returncode == 0, done.stderr
    assert "36 frames drawn, 36 pictures in the book" in done.stdout
    for page in ("index.html", "lab.html"):
        text = (book.html / page).read_text("utf-8")
        assert text.count('id="explore-savings"') == 1
        assert "data-explore" not in text and "base64" not in text
        assert text.count('type="range"') == 2
        names = set(re.findall(r"[0-9a-f]{12}\.svg", text))
        assert names == {p.name for p in (book.html / "_frames").iterdir()}
    again = book(asked + "\n\nMore.")
    assert "0 frames drawn, 36 pictures" in again.stdout


@pytest.mark.parametrize(
    ("front", "said"),
    [
        ("```{explorer} lab.ipynb draw_nothing\n```", "stores no explorer"),
        ("```{explorer} none.ipynb draw_savings\n```", "none.ipynb"),
        ("```{explorer} lab.ipynb\n```", "2 argument"),
    ],
)
def test_an_explorer_that_is_not_there_fails_the_build(book, front, said):
    done = book(front)
    assert done.returncode != 0
    assert said in done.stderr and "index.md" in done.stderr


def test_lab03s_explorers_are_found_in_the_notebook():
    found = [explorer.draw for explorer, _ in stored_explorers(LAB_03)]
    assert lab03.draw_memory in found and lab03.draw_savings in found
