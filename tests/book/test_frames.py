"""The Sphinx extension: frames on disk, markup, pages built for real."""

import html
import json
import os
import re
import shutil
import subprocess
import sys
from functools import partial
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
from multilora.book.frames import FrameStore, name_of
from multilora.book.markup import figure
from multilora.book.notebooks import KERNEL
from multilora.book.theme import without_icon_script
from multilora.explore.explorer import Explorer
from multilora.figures import lab03
from twins import draw_twins

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LAB_03 = ROOT / "notebooks/lab-03-lora-economics.ipynb"


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


@pytest.fixture
def figs(tmp_path, monkeypatch):
    """A package of one's own: a draw module, what it imports, its data."""
    folder = tmp_path / "figs"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "sums.py").write_text("FACTOR = 2\n")
    (folder / "other.py").write_text("")
    (folder / "data.json").write_text("{}")
    (folder / "draw.py").write_text(
        "from figs import sums\n"
        "from multilora.figures.style import panels\n"
        "def draw_lines(fig, rank):\n"
        "    (axes,) = panels(fig, {'xlim': (0, 9)})\n"
        "    axes.axvline(rank + 0)\n"
        "    return f'Twice {rank} is {sums.FACTOR * rank}.'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.startswith("figs")]:
        monkeypatch.delitem(sys.modules, name)
    return folder


def key_of(module):
    for function in (sources._imports, sources._data, sources.code_of):
        function.cache_clear()
    return sources.digest(module)


CODE = "ONE = 1\n"
WORDS = '# a comment\n\n\ndef unused():\n    """A docstring."""\n'


@pytest.mark.parametrize(
    ("file", "added", "matters"),
    [("draw.py", CODE, True), ("sums.py", CODE, True),
     ("__init__.py", CODE, True), ("other.py", CODE, False),
     ("data.json", " ", True), ("draw.py", "# a comment", False),
     ("sums.py", "\n\n# a comment\n", False)],
)  # fmt: skip
def test_frames_hang_on_what_their_module_uses(figs, file, added, matters):
    before = key_of("figs.draw")
    assert key_of("figs.draw") == before
    with (figs / file).open("a") as source:
        source.write(added)
    assert (key_of("figs.draw") != before) == matters


def test_frames_do_not_hang_on_docstrings(figs):
    file = figs / "sums.py"
    file.write_text(WORDS + "FACTOR = 2\n")
    before = key_of("figs.draw")
    file.write_text(WORDS.replace("A docstring.", "Another.\n") + "FACTOR = 2")
    assert key_of("figs.draw") == before
    file.write_text(WORDS.replace('"""A docstring."""', "pass") + "FACTOR=2")
    assert key_of("figs.draw") != before


@pytest.mark.parametrize(
    "reader",
    ["print(unused.__doc__)", "getattr(unused, '__doc__')",
     "import inspect", "from inspect import getsource",
     "import os.path, traceback as t", "import sys", "open(__file__)"],
)  # fmt: skip
def test_a_module_that_could_read_its_docstrings_hangs_on_them(figs, reader):
    file = figs / "sums.py"
    file.write_text(WORDS + f"FACTOR = 2\n{reader}\n")
    before = key_of("figs.draw")
    file.write_text(file.read_text() + "# a comment")
    assert key_of("figs.draw") != before


def test_no_module_behind_a_picture_reads_itself():
    """Else a comment there would draw its pictures again."""
    drawn = {explorer.draw.__module__ for path in NOTEBOOKS
             for explorer, _ in stored_explorers(path)}  # fmt: skip
    behind = set().union(*map(sources.imported, drawn))
    assert len(drawn) > 8 and "multilora.cache.slots" in behind
    for name in behind:
        assert sources.code_of(name).startswith("Module("), name


def test_a_lost_or_broken_store_is_drawn_again(tmp_path, twins):
    store = FrameStore(tmp_path)
    found = store.frames_of(twins)
    (listing,) = tmp_path.glob("*.json")
    picture = tmp_path / found[0][0]
    for number, harm in enumerate(
        (picture.unlink, partial(picture.write_bytes, b""),
         partial(listing.write_text, "[["), partial(listing.write_text, "{}")),
        start=2,
    ):  # fmt: skip
        harm()
        assert store.frames_of(twins) == found
        assert store.num_drawn == 6 * number


def test_too_many_frames_are_refused_before_any_is_drawn(tmp_path):
    many = Explorer.of(draw_twins, {"one": range(1, 102), "two": range(20)})
    with pytest.raises(ValueError, match="2,020 combinations"):
        FrameStore(tmp_path).frames_of(many)


def test_a_published_folder_holds_these_pictures_only(tmp_path, twins):
    store = FrameStore(tmp_path / "store")
    names = [name for name, _ in store.frames_of(twins)]
    site = tmp_path / "site"
    site.mkdir()
    (site / "old.svg").write_text("old")
    (site / names[0]).write_text("cut short")
    store.publish(names, site)
    assert {file.name for file in site.iterdir()} == set(names)
    for file in site.iterdir():
        assert name_of(file.read_bytes()) == file.name


def test_a_picture_hangs_on_what_its_module_imports():
    found = sources.imported("multilora.figures.lab01")
    assert {"multilora.matmul.lora", "multilora.matmul.operands"} <= found
    assert "multilora.cache.slots" not in found
    assert "multilora.cache.slots" in sources.imported(
        "multilora.figures.lab04"
    )
    assert all(name.startswith("multilora") for name in found)


def test_a_sentence_cannot_break_out_of_the_page(twins, tmp_path):
    found = FrameStore(tmp_path).frames_of(twins)
    page = figure(twins, found, "../_frames")
    assert "<b>" not in page and page.count("</script>") == 1
    table = json.loads(re.search(r"json\">(.*)</script>", page, re.DOTALL)[1])
    assert table["frames"] == found
    longest = max((said for _, said in found), key=len)
    room = f'class="room" aria-hidden="true">{html.escape(longest)}<'
    assert room in page
    assert table["values"] == [["1", "2"], ["1", "2", "3"]]


def test_a_stops_text_cannot_break_out_either(tmp_path):
    stops = ["<i>", '"', "a & b"]
    quoted = Explorer.of(draw_twins, {"one": [1], "two": stops})
    found = FrameStore(tmp_path).frames_of(quoted)
    for start in stops:
        at = Explorer.of(draw_twins, quoted.axes, {"two": start})
        page = figure(at, found, "")
        assert "<i>" not in page
        assert f'valuetext="{html.escape(start)}"' in page


def test_the_icons_script_goes_and_no_other():
    kept = '<script defer src="a/bootstrap.js"></script>'
    icons = '<script defer src="a/fontawesome.js?digest=1"></script>'
    assert without_icon_script(icons + kept) == kept


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
        return subprocess.run(
            [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-b",
             "html", "-d", self.folder / "_build/trees", self.folder,
             self.html],
            capture_output=True, text=True,
            env=os.environ | {"PYTHONPATH": str(self.folder)},
        )  # fmt: skip

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
