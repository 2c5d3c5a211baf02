"""Every page is listed and built; one address, loud warnings."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from multilora.book.pages import main, pages_of
from repository import NOTEBOOKS, ROOT


def toc_pages():
    return pages_of(yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8")))


def test_the_toc_lists_every_page():
    pages = [*NOTEBOOKS, *(ROOT / "book").glob("*.md")]
    there = {str(p.relative_to(ROOT).with_suffix("")) for p in pages}
    assert set(toc_pages()) == there - {"notebooks/00-start-here"}


def test_jupyterlabs_start_page_lists_the_notebooks_in_reading_order():
    start = (ROOT / "notebooks/00-start-here.ipynb").read_text("utf-8")
    listed = re.findall(r"\| (\d+) \| \[[^\]]+\]\(([\w-]+)\.ipynb\)", start)
    wanted = [Path(p).name for p in toc_pages() if p.startswith("notebooks/")]
    assert listed == [(str(n), p) for n, p in enumerate(wanted, start=1)]
    how_to = (ROOT / "book/how-to-read.md").read_text("utf-8")
    minutes = re.findall(r"\]\(([\w-]+)\.ipynb\) \| (\d+) \|", start)
    assert len(minutes) == 5
    for page, number in minutes:
        assert f"(../notebooks/{page}.ipynb) | {number} |" in how_to


def test_a_page_that_was_not_built_is_named(tmp_path):
    (tmp_path / "_toc.yml").write_text("root: book/index")
    with pytest.raises(SystemExit, match=r"not built: index.html, book/index"):
        main(str(tmp_path))


def test_the_repositorys_address_stands_in_one_place():
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True
    ).stdout.split("\0")
    places = [
        name
        for name in tracked
        if name.endswith((".ipynb", ".py", ".toml", ".yml"))
        and not name.startswith(("tests/", "tools/"))
        and re.search(r"\bREPOSITORY = ", (ROOT / name).read_text("utf-8"))
    ]
    if not tracked[0]:
        pytest.skip("no git here: the tracked files are unknown")
    assert places == ["notebooks/lab-02-serve-many-loras.ipynb"]
    source = (ROOT / places[0]).read_text("utf-8")
    assert source.count("REPOSITORY = ") == 1


def test_the_config_keeps_warnings_loud_and_outputs_as_stored():
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    assert config["execute"]["execute_notebooks"] == "off"
    assert not config["sphinx"]["config"]["suppress_warnings"]
    assert "jupyter-book>=1.0.4,<2" in (ROOT / "requirements.txt").read_text()
