"""What comes from others is what the stored hashes say, byte for byte."""

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from multilora.book.packing import (
    VENDORED,
    part_of,
    parts_of,
    publish,
    script_names,
)

ROOT = Path(__file__).parents[2]
VENDOR = ROOT / "vendor"
WORKER = ROOT / "book/static/worker.js"
SUMS = dict(
    reversed(line.split(" *"))
    for line in (VENDOR / "SHA256SUMS").read_text().splitlines()
)


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_every_file_has_its_stored_hash():
    found = {
        path.relative_to(VENDOR).as_posix(): sha256(path)
        for path in VENDOR.glob("*/*")
    }
    assert found == SUMS


def test_numpys_hash_is_the_one_that_pyodide_asks_for():
    lock = json.loads((VENDOR / "pyodide/pyodide-lock.json").read_bytes())
    wheel = lock["packages"]["numpy"]
    assert wheel["file_name"] == VENDORED["numpy"]
    assert sha256(VENDOR / "pyodide" / VENDORED["numpy"]) == wheel["sha256"]


def test_the_readme_names_each_file_and_licence():
    text = (VENDOR / "README.md").read_text()
    missing = [name for name in SUMS if name.split("/")[1] not in text]
    assert missing == []


@pytest.fixture(scope="module")
def parts():
    return parts_of(VENDOR, WORKER)


def test_a_page_gets_the_library_as_it_is_now(parts, tmp_path):
    publish(parts, tmp_path)
    script = tmp_path / script_names(parts)["library"]
    (tmp_path / "library.zip").write_bytes(part_of(script.read_bytes()))
    with zipfile.ZipFile(tmp_path / "library.zip") as library:
        names = [n for n in library.namelist() if n.startswith("multilora/")]
        assert "multilora/labs/spec_04.py" in names
        for name in names:
            source = ROOT / "src" / name
            assert library.read(name) == source.read_bytes(), name


def test_a_changed_part_has_another_script(parts):
    other = {**parts, "library": parts["library"] + b" "}
    before, after = script_names(parts), script_names(other)
    assert {p for p in before if before[p] != after[p]} == {"library"}


def test_old_scripts_are_removed_and_licences_lie_beside(parts, tmp_path):
    (tmp_path / "library-0000000000.js").write_text("old")
    licence = VENDOR / "pyodide/LICENSE-numpy"
    publish({"lock": parts["lock"]}, tmp_path, [licence])
    assert {path.name for path in tmp_path.iterdir()} == {
        script_names(parts)["lock"],
        "LICENSE-numpy",
    }
    assert sha256(tmp_path / "LICENSE-numpy") == sha256(licence)
