"""The exercises' notebook: whole, folded, and its solutions work."""

import contextlib
import io
import json
import re

import pytest

from multilora.adapters.misfits import MISFITS
from multilora.exercises.checking import ENTRIES, PARTS
from multilora.exercises.trouble import HALF_LOADS, LOADS_SILENTLY
from repository import ROOT

NOTEBOOKS = ROOT / "notebooks"
DOTS = {1: "●○○", 2: "●●○", 3: "●●●"}
CHECKED = [name for name, entry in ENTRIES.items() if entry.answer]


def cells():
    path = NOTEBOOKS / "exercises.ipynb"
    return json.loads(path.read_text("utf-8"))["cells"]


def source(cell):
    return "".join(cell["source"])


def printed(cell):
    return "".join("".join(out.get("text", "")) for out in cell["outputs"])


def is_solution(cell):
    return "hide-cell" in cell["metadata"].get("tags", [])


def section(entry):
    """Return the cells of one exercise: from its heading to the next."""
    found, is_inside = [], False
    for cell in cells():
        if cell["cell_type"] == "markdown" and source(cell).startswith("#"):
            is_inside = source(cell).startswith(f"### {entry.number}. ")
        if is_inside:
            found.append(cell)
    return found


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_the_notebook_holds_every_exercise_whole(entry):
    found = section(entry)
    question = source(found[0])
    assert question.startswith(f"### {entry.number}. {entry.title}\n\n")
    minutes = f"{DOTS[entry.difficulty]} · {entry.minutes} minutes\n"
    assert minutes in question
    assert "<details><summary>Hint</summary>\n\n" in question
    text = "\n".join(source(cell) for cell in found)
    assert "Worked solution" in text
    solutions = [cell for cell in found if is_solution(cell)]
    assert bool(solutions) == bool(entry.answer)


def figures(text):
    """Return the numbers of a text that must have been printed."""
    text = re.sub(r"exercise \d+|0\.32\.0|section \d+", "", text)
    found = re.findall(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?", text)
    plain = {item.replace(",", "").rstrip(".") for item in found}
    return {item for item in plain if "." in item or float(item) >= 13}


@pytest.mark.parametrize("name", CHECKED)
def test_a_reading_speaks_of_numbers_that_were_printed(name):
    found = section(ENTRIES[name])
    code = [cell for cell in found if cell["cell_type"] == "code"]
    seen = "\n".join(source(cell) + printed(cell) for cell in code)
    seen += source(found[0])
    reading = source(found[-1])
    if "**Takeaway.**" in reading:  # a part's takeaway follows
        reading = source(found[-2])
    assert reading.startswith("<details><summary>What exercise ")
    assert figures(reading) <= figures(seen)


@pytest.mark.stored
@pytest.mark.parametrize("name", CHECKED)
def test_the_notebook_ships_a_stub_and_a_solution_that_passes(name):
    call = f'check_exercise("{name}", '
    entry = ENTRIES[name]
    code = [cell for cell in section(entry) if cell["cell_type"] == "code"]
    asking = [cell for cell in code if call in source(cell)]
    stub, solution = asking
    assert not is_solution(stub) and is_solution(solution)
    assert printed(stub) == f"· {entry.title}: not attempted yet\n"
    assert printed(solution).splitlines()[-1].startswith("✓ " + entry.title)


def test_each_worked_solution_works_on_its_own(monkeypatch):
    """A part's imports are enough: no solution needs another one."""
    monkeypatch.chdir(NOTEBOOKS)
    imports = {}
    for cell in cells():
        if cell["cell_type"] != "code":
            continue
        if "check_exercise(" not in source(cell) and is_solution(cell):
            continue  # goes on from the cell above it
        if "import check_exercise" in source(cell):
            imports = {}
            exec(source(cell), imports)
        elif is_solution(cell):
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(source(cell), dict(imports))
            assert out.getvalue() == printed(cell)


@pytest.mark.stored
def test_what_is_printed_fits_the_page():
    """A line of 80 characters is cut off, in the book as in JupyterLab."""
    lines = [line for cell in cells() if cell["cell_type"] == "code"
             for line in printed(cell).splitlines()]  # fmt: skip
    assert not [line for line in lines if len(line) > 79]


def test_no_answer_can_be_read_before_something_is_unfolded():
    """JupyterLab shows the first line of folded code; takeaways tell."""
    first = [source(cell).splitlines()[0] for cell in cells()
             if is_solution(cell)]  # fmt: skip
    assert not [
        line for line in first if re.match(r"answer = .*\d|\w+ = [\d(]", line)
    ]
    for cell in cells():
        before = source(cell).partition("**Takeaway.**")
        assert not before[1] or before[0].startswith("<details><summary>")


def test_the_short_way_takes_an_hour():
    text = " ".join("\n".join(map(source, cells())).split())
    (chosen,) = re.findall(r"Only an hour\? Take ([\d, and]+)\.", text)
    numbers = set(map(int, re.findall(r"\d+", chosen)))
    short = [item for item in ENTRIES.values() if item.number in numbers]
    assert {item.part for item in short} == set(PARTS)
    assert sum(item.minutes for item in short) == 60


def test_the_table_and_the_opener_say_what_the_registry_says():
    text = "\n".join(map(source, cells()))
    rows = re.findall(r"^\| (\d+) \| (.+?) \| (\S+) \| (\d+) \|", text, re.M)
    assert rows == [
        (str(e.number), e.title, DOTS[e.difficulty], str(e.minutes))
        for e in ENTRIES.values()
    ]
    total = sum(entry.minutes for entry in ENTRIES.values())
    assert f"{len(ENTRIES)} exercises, {total} minutes in all" in text
    assert f"{len(CHECKED)} of them\n  are checked by code" in text


def test_the_silent_misfits_are_those_that_lab_02_saw():
    path = NOTEBOOKS / "lab-02-serve-many-loras.ipynb"
    notebook = json.loads(path.read_text("utf-8"))
    (cell,) = (
        cell for cell in notebook["cells"] if "try_misfits(" in source(cell)
    )
    said = {
        line[:31].strip(): line[31:].split(maxsplit=1)[0]
        for line in printed(cell).splitlines()
        if line[:31].strip() in MISFITS
    }
    assert len(said) == len(MISFITS)
    silent = {kind for kind, verdict in said.items() if verdict == "loads"}
    assert silent == LOADS_SILENTLY
    half = {kind for kind, verdict in said.items() if verdict == "half-loads"}
    assert half == HALF_LOADS
