"""What a frame hangs on: its module's code, imports and data."""

import pytest

from explored import EXPLORERS
from multilora.book import sources


def key_of(module):
    for function in (
        sources.named,
        sources._imports,
        sources._data,
        sources.code_of,
    ):
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
    drawn = {explorer.draw.__module__ for _, explorer, _ in EXPLORERS}
    behind = set().union(*map(sources.imported, drawn))
    assert len(drawn) > 8 and "multilora.cache.slots" in behind
    for name in behind:
        assert sources.code_of(name).startswith("Module("), name


def test_a_picture_hangs_on_what_its_module_imports():
    found = sources.imported("multilora.figures.lab01")
    assert {"multilora.matmul.lora", "multilora.matmul.operands"} <= found
    assert "multilora.cache.slots" not in found
    assert "multilora.cache.slots" in sources.imported(
        "multilora.figures.lab04"
    )
    assert all(name.startswith("multilora") for name in found)
