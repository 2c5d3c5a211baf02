"""The Sphinx extension: small books, built for real."""

import html
import json
import re
import shutil

import pytest
from nbformat.v4 import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    new_output,
)

from multilora.book.explorers import stored_explorers
from multilora.book.notebooks import KERNEL
from multilora.figures import lab03
from multilora.watch.symptoms import plain, symptom
from programs import sphinx
from repository import ROOT

LAB_03 = ROOT / "notebooks/lab-03-lora-economics.ipynb"


class Book:
    """A book of a front page and a notebook, built as Sphinx builds it."""

    def __init__(self, folder):
        self.folder = folder
        self.html = folder / "_build/html"
        shutil.copytree(ROOT / "book/static", folder / "static")
        (folder / "conf.py").write_text(
            "extensions = ['myst_nb', 'multilora.book']\n"
            "exclude_patterns = ['_build']\n"
            "html_static_path = ['static']\nnb_execution_mode = 'off'\n"
            "nb_mime_priority_overrides = [['html', 'text/html', 5]]\n"
            "html_math_renderer = 'mathml'\n"
        )

    def store(self, *pages):
        """Write the notebook, an output for each stored page."""
        cells = [new_markdown_cell("# Lab")] + [
            new_code_cell(
                "explore()",
                outputs=[new_output("display_data", {"text/html": page})],
            )
            for page in pages
        ]
        metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
        notebook = new_notebook(cells=cells, metadata=metadata)
        (self.folder / "lab.ipynb").write_text(json.dumps(notebook))

    def build(self, front):
        page = f"# Front\n\n```{{toctree}}\nlab\n```\n\n{front}\n"
        index = self.folder / "index.md"
        if not index.is_file() or index.read_text() != page:
            index.write_text(page)
        return sphinx(self.folder)

    def page(self, name):
        return (self.html / f"{name}.html").read_text("utf-8")

    def pictures(self):
        return {file.name for file in (self.html / "_frames").iterdir()}


@pytest.fixture
def book(tmp_path):
    book = Book(tmp_path)
    found = stored_explorers(LAB_03)
    book.store(*[p for e, p in found if e.draw is lab03.draw_savings])
    return book


SAVINGS = "```{explorer} lab.ipynb draw_savings\n```"


@pytest.mark.browser
def test_a_page_shows_a_notebooks_explorer_and_draws_it_once(book):
    done = book.build(SAVINGS)
    assert done.returncode == 0, done.stderr
    assert "36 frames drawn, 36 pictures in the book" in done.stdout
    for name in ("index", "lab"):
        text = book.page(name)
        assert text.count('id="explore-savings"') == 1
        assert "data-explore" not in text and "base64" not in text
        assert text.count('type="range"') == 2
        names = set(re.findall(r"[0-9a-f]{12}\.svg", text))
        assert names == book.pictures()
    again = book.build(f"{SAVINGS}\n\nMore.")
    assert "0 frames drawn, 36 pictures" in again.stdout


def explored(rank, address="figs.draw:draw_lines"):
    spec = {"draw": address, "axes": {"rank": rank}, "start": {}}
    return f'<figure data-explore="{html.escape(json.dumps(spec))}"></figure>'


@pytest.mark.browser
def test_pages_follow_what_they_are_made_of(book, figs):
    """A changed source, notebook, page: redrawn is what has changed."""
    asked = "```{explorer} lab.ipynb draw_lines\n```"
    book.store(explored([1, 2]), explored([3]))
    done = book.build(asked)
    assert done.returncode == 0, done.stderr
    assert "3 frames drawn, 3 pictures" in done.stdout
    assert 'id="explore-lines-2"' in book.page("lab")
    assert "Twice 2 is 4." in book.page("index")
    assert "0 frames drawn" in book.build(asked).stdout
    (figs / "sums.py").write_text("FACTOR = 3\n")
    assert "3 frames drawn" in book.build(asked).stdout
    for name in ("index", "lab"):
        assert "Twice 2 is 6." in book.page(name)
    book.store(explored([2, 4]))
    assert "2 frames drawn, 2 pictures" in book.build(asked).stdout
    assert "Twice 4 is 12." in book.page("index")
    book.store()
    assert "0 pictures" in book.build("No explorer.").stdout
    assert book.pictures() == set()


@pytest.mark.browser
@pytest.mark.parametrize(
    ("page", "said"),
    [
        (explored([1], "figs.draw:draw_gone"), "draw_gone"),
        (explored(["a"]), "drawn by figs.draw:draw_lines at {'rank': 'a'}"),
    ],
)
def test_an_explorer_that_cannot_be_drawn_names_its_page(
    book, figs, page, said
):
    book.store(page)
    done = book.build("")
    assert done.returncode != 0
    assert "an explorer of lab" in done.stderr and said in done.stderr


@pytest.mark.browser
def test_an_explorer_that_is_not_there_fails_the_build(book):
    asked = ["lab.ipynb draw_nothing", "none.ipynb draw_savings",
             "index.md draw_savings", "lab.ipynb"]  # fmt: skip
    done = book.build(
        "\n\n".join(f"```{{explorer}} {one}\n```" for one in asked)
    )
    assert done.returncode != 0
    for said in (
        "lab.ipynb stores no explorer of draw_nothing",
        "none.ipynb: ",
        "index.md: Expecting value",
        "2 argument(s) required, 1 supplied",
    ):
        assert said in done.stderr
    assert done.stderr.count("index.md:") >= 4


def test_lab03s_explorers_are_found_in_the_notebook():
    found = [explorer.draw for explorer, _ in stored_explorers(LAB_03)]
    assert lab03.draw_memory in found and lab03.draw_savings in found


@pytest.mark.browser
def test_a_page_shows_rows_of_the_operators_table_and_no_others(tmp_path):
    book = Book(tmp_path)
    book.store()
    done = book.build("```{symptoms} kv tier\n```")
    assert done.returncode == 0, done.stderr
    cells = re.findall("<td><p>(.*?)</p>", book.page("index"), re.DOTALL)
    words = [html.unescape(re.sub("<[^>]*>", "", cell)) for cell in cells]
    rows = [symptom("kv"), symptom("tier")]
    assert words == [
        plain(text) for row in rows for text in (row.symptom, row.short)
    ]
    done = book.build("```{symptoms} kv tear\n```")
    assert "key is 'tear', allowed: 'deferral'" in done.stderr
