"""The repository's own notebooks, as stored: make lint.

A learner may run, change and save theirs; `make test` accepts that.
"""

import base64
import json
import re
from importlib.metadata import version

import nbformat
import pytest

from explored import each_explorer
from multilora.book.notebooks import to_text
from multilora.explore.player import Player
from pictures_compared import first_difference
from repository import LABS, NOTEBOOKS, ROOT
from spoken_numbers import numbers, output_text

MAX_BYTES = 500_000
PICTURE = re.compile(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)")
pytestmark = pytest.mark.stored
each_notebook = pytest.mark.parametrize(
    "path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS]
)


def load(path):
    return json.loads(path.read_text("utf-8"))


def code_cells(path):
    cells = [c for c in load(path)["cells"] if c["cell_type"] == "code"]
    return [cell for cell in cells if "".join(cell["source"]).strip()]


@each_notebook
def test_is_in_normal_form(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    is_normal = path.read_text("utf-8") == to_text(notebook)
    assert is_normal, f"{path.name} is not in normal form: make normalise"


@each_notebook
def test_is_executed_from_one(path):
    counts = [cell["execution_count"] for cell in code_cells(path)]
    assert counts == list(range(1, len(counts) + 1)), (
        f"{path.name} has cells that did not run, or not in order: "
        "make notebooks (with vLLM: make notebook-engine)"
    )


@each_notebook
def test_stores_no_error_and_no_path_of_a_machine(path):
    for cell in code_cells(path):
        kinds = {output["output_type"] for output in cell["outputs"]}
        assert "error" not in kinds
        assert not re.search(r"/(home|root|work|tmp|Users)/", str(cell))
        assert all(
            output.get("name") != "stderr" for output in cell["outputs"]
        )


@each_notebook
def test_is_small_and_its_cells_are_short(path):
    assert path.stat().st_size < MAX_BYTES
    sizes = sorted(len(cell["source"]) for cell in code_cells(path)) or [0]
    assert sizes[-1] <= 25
    assert sizes[len(sizes) // 2] <= 8
    for cell in code_cells(path):
        assert all(len(line.rstrip("\n")) <= 79 for line in cell["source"])


@each_notebook
def test_needs_nothing_but_the_package(path):
    source = "\n".join("".join(cell["source"]) for cell in code_cells(path))
    for forbidden in ("sys.path", "!pip", "%pip", "http://", "https://",
                      "interact(", "Output("):  # fmt: skip
        assert forbidden not in source


@each_notebook
def test_a_takeaway_holds_numbers_that_were_printed(path):
    """Each number of a takeaway stands in an output or the code above it.

    Reported figures stand in a table with their source instead.
    """
    seen, takeaways = "", 0
    for cell in load(path)["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "code":
            seen += "\n" + text + "\n" + output_text(cell)
            continue
        text = re.sub(r"^> ", "", text, flags=re.MULTILINE)
        seen += "\n".join(re.findall(r"^\|.*https://.*$", text, re.MULTILINE))
        for takeaway in re.findall(
            r"\*\*Takeaway\.\*\*(.*?)(?:\n\n|\Z)", text, re.DOTALL
        ):
            takeaways += 1
            wanted = numbers(takeaway)
            assert wanted, f"a takeaway without a number: {takeaway}"
            missing = wanted - numbers(seen)
            assert not missing, f"{missing} not printed: {takeaway}"
    if code_cells(path):
        assert takeaways >= (5 if path in LABS else 2)


@each_notebook
def test_every_link_is_https(path):
    text = path.read_text("utf-8")
    assert "http://" not in text.replace("http://www.w3.org", "")


@each_notebook
def test_every_explorer_stands_under_a_question(path):
    cells = load(path)["cells"]
    for number, cell in enumerate(cells):
        is_explorer = "explore(" in "".join(cell["source"])
        if cell["cell_type"] == "code" and is_explorer:
            above = "".join(cells[number - 1]["source"])
            assert cells[number - 1]["cell_type"] == "markdown"
            assert "?" in above, above


def pinned(package):
    """Return the version that requirements.lock names."""
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    return re.search(rf"^{package}==(\S+)", lock, re.M)[1]


@pytest.fixture(scope="module")
def is_pinned():
    """Skip where another library than the stored pictures' would draw."""
    for package in ("matplotlib", "numpy"):
        here, wanted = version(package), pinned(package)
        if here != wanted:
            pytest.skip(
                f"pictures are stored by {package} {wanted}, this is {here}: "
                "make lint CONSTRAINTS=requirements.lock"
            )


@each_explorer
def test_a_stored_picture_is_the_one_drawn_now(explorer, page, is_pinned):
    now, _ = Player(explorer.draw).frame(explorer.start)
    stored = base64.b64decode(PICTURE.search(page)[1]).decode()
    difference = first_difference(stored, now)
    if difference:
        pytest.fail(
            f"{explorer.address} at {explorer.start} draws another picture "
            f"than its notebook stores: make notebooks\n{difference}",
            pytrace=False,
        )
