"""What a page carries is enough, is the same each time, and is no more."""

import io
import zipfile
from pathlib import Path

import pytest

import multilora
import page_calls
from multilora.book.carried import (
    NOT_CARRIED,
    carried_files,
    carried_zip,
)
from multilora.exercises.checking import ENTRIES
from multilora.labs.switch import NAMES
from multilora.tenants import tenant_names
from page_python import PagePython
from starters import skip_if_attempted

PACKAGE = Path(multilora.__file__).parent
MIB = 2**20


@pytest.fixture(scope="module")
def archive():
    return carried_zip(PACKAGE)


def unzipped(archive, folder):
    zipfile.ZipFile(io.BytesIO(archive)).extractall(folder)
    return folder


@pytest.fixture(scope="module")
def page(archive, tmp_path_factory):
    """A Python with what the archive holds, starters as they come."""
    page = PagePython(unzipped(archive, tmp_path_factory.mktemp("page")))
    yield page
    page.end()


@pytest.fixture(scope="module")
def solved(archive, tmp_path_factory):
    """The same with the library's own answers in the starters."""
    folder = unzipped(archive, tmp_path_factory.mktemp("solved"))
    for lab, names in NAMES.items():
        lines = [f"from {names[name]} import {name}" for name in names]
        starter = folder / f"multilora/labs/starter_{lab}.py"
        starter.write_text("\n".join(lines) + "\n")
    page = PagePython(folder)
    yield page
    page.end()


@pytest.mark.parametrize("lab", NAMES)
def test_a_starter_as_it_comes_is_not_attempted_yet(page, lab):
    skip_if_attempted(lab)
    graded = page.call("graded", lab=lab)
    assert graded == page_calls.graded(lab)
    assert {verdict for verdict, _ in graded} == {"not attempted yet"}


@pytest.mark.parametrize("lab", NAMES)
def test_the_librarys_answers_get_full_marks(solved, lab):
    graded = solved.call("graded", lab=lab)
    assert len(graded) > 3
    assert {verdict for verdict, _ in graded} == {"pass"}


@pytest.mark.parametrize(
    "name",
    [name for name, entry in ENTRIES.items() if hasattr(entry.answer, "key")],
)
def test_every_exercise_is_checked(page, name):
    assert page.call("checked", name=name).startswith("✓")


def test_rooms_work_as_at_the_desk(page):
    case = {"num_tenants": 3, "rate": 1.0, "seconds": 60}
    line = "vllm serve M --enable-lora --max-loras 8"
    fit = {"line": line, "model": "Llama-3.1-8B", "card_gib": 22.0}
    assert page.call("planned", case=case) == page_calls.planned(case)
    assert page.call("fitted", **fit) == page_calls.fitted(**fit)
    assert page.call("num_logged") == page_calls.num_logged()


def test_the_page_imports_nothing_from_the_repository(page):
    (where,) = page.call("files_of", names=["multilora.arguments"])
    assert not where.startswith(str(PACKAGE))
    with pytest.raises(RuntimeError, match="No module named"):
        page.call("files_of", names=["multilora.figures"])


def test_every_module_that_is_carried_can_be_imported(page, archive):
    files = zipfile.ZipFile(io.BytesIO(archive)).namelist()
    names = [
        name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for name in files
        if name.endswith(".py") and "stand_ins" not in name
    ]
    assert len(page.call("files_of", names=names)) > 200


def test_the_archive_is_small_and_the_same_each_time(archive):
    assert archive == carried_zip(PACKAGE)
    assert len(archive) < 1.25 * MIB  # half a MiB is the adapters
    names = zipfile.ZipFile(io.BytesIO(archive)).namelist()
    assert names == sorted(names)
    rooms = {name.split("/")[1] for name in names}
    assert not rooms & {room.partition(".")[2] for room in NOT_CARRIED}
    weights = [name for name in names if name.endswith(".safetensors")]
    assert {name.split("/")[3] for name in weights} == {*tenant_names()}


HOUSE = {
    "__init__.py": "",
    "units.py": "import json",
    "lazy.py": "def f():\n    import multilora.units",
    "named.py": "WHERE = 'multilora.units'",
    "typed.py": "from typing import TYPE_CHECKING\n"
    "if TYPE_CHECKING:\n    import torch, multilora.forks",
    "within.py": "class A:\n    import yaml",
    "forks.py": "from multiprocessing.connection import Client",
    "draws.py": "from multilora.figures import style",
    "broken/__init__.py": "import multilora.within",
    "broken/fine.py": "import math",
    "asks.py": "def f():\n    from multilora import forks, broken, lazy",
    "shaped.py": "import numpy.linalg, tqdm",
    "figures/style.py": "",
    "inpage/stand_ins/tqdm.py": "",
    "data/cards.json": "[]",
    "data/figures.svg": "",
}
ALWAYS = {"__init__.py", "inpage/stand_ins/tqdm.py", "data/cards.json"}


@pytest.fixture
def house(tmp_path):
    for name, text in HOUSE.items():
        path = tmp_path / "multilora" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "multilora"


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        ("units", {"units.py"}),
        ("lazy", {"lazy.py", "units.py"}),
        ("named", {"named.py", "units.py"}),
        ("typed", {"typed.py"}),
        ("asks", {"asks.py", "lazy.py", "units.py"}),
        ("shaped", {"shaped.py"}),
        ("lazy*", {"lazy.py", "units.py"}),
    ],
)
def test_what_is_imported_and_can_be_is_carried(house, root, expected):
    found = carried_files(house, [f"multilora.{root}"])
    assert {*found} == {f"multilora/{name}" for name in ALWAYS | expected}
    for name, content in found.items():
        assert content == (house.parent / name).read_bytes()


@pytest.mark.parametrize(
    ("root", "why"),
    [
        ("within", "cannot import: yaml"),
        ("w*", "cannot import: yaml"),
        ("forks", "cannot import: multiprocessing"),
        ("draws", r"cannot import: multilora\.figures"),
        (
            "broken.fine",
            r"multilora\.broken, which imports multilora\.within, which "
            "imports yaml",
        ),
        ("figures.style", "no module is called so"),
        ("absent*", "no module is called so"),
    ],
)
def test_a_root_that_a_page_cannot_import_is_refused(house, root, why):
    with pytest.raises(ValueError, match=f"roots holds 'multilora.*{why}"):
        carried_files(house, [f"multilora.{root}"])
