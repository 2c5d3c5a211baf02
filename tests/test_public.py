"""What a public repository is expected to have: licence, citation, badge."""

import json
import re
import shutil
import tomllib

import pytest
import yaml

import address
from repository import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))[
    "project"
]


@pytest.fixture
def filled(tmp_path):
    """The files that name the address, in a folder of their own."""

    def fill(value):
        (tmp_path / "notebooks").mkdir(exist_ok=True)
        for name in (*address.WRITTEN, address.NOTEBOOK):
            shutil.copy(ROOT / name, tmp_path / name)
        path = tmp_path / address.NOTEBOOK
        notebook = path.read_text("utf-8")
        empty = json.dumps('REPOSITORY", "")')[1:-1]
        assert notebook.count(empty) == 1
        value = json.dumps(f'REPOSITORY", "{value}")')[1:-1]
        path.write_text(notebook.replace(empty, value), "utf-8")
        return tmp_path

    return fill


@pytest.mark.parametrize("name", address.WRITTEN)
def test_the_address_is_the_one_that_lab_02_holds(name):
    text = (ROOT / name).read_text("utf-8")
    again = address.WRITTEN[name](text, address.repository())
    assert again == text, f"{name} names another address: make address"


@pytest.mark.parametrize("end", ["", "/", ".git"])
def test_a_filled_in_address_makes_the_badge_work(filled, end):
    folder = filled(f"https://github.com/some-one/multi.lora{end}")
    address.main(folder)
    readme = (folder / "README.md").read_text("utf-8")
    assert (
        "(https://colab.research.google.com/github/some-one/multi.lora/blob/"
        f"main/{address.NOTEBOOK})"
    ) in readme
    citation = yaml.safe_load((folder / "CITATION.cff").read_text("utf-8"))
    code = "https://github.com/some-one/multi.lora"
    assert citation["repository-code"] == code
    address.main(folder)  # a second time changes nothing
    assert readme == (folder / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    "value",
    ["https://example.org/a/b", "github.com/a/b", "https://github.com"],
)
def test_an_address_that_colab_cannot_open_is_refused(filled, value):
    folder = filled(value)
    before = (folder / "README.md").read_text("utf-8")
    with pytest.raises(SystemExit, match=r"Colab opens notebooks from"):
        address.main(folder)
    assert (folder / "README.md").read_text("utf-8") == before


def test_the_badge_stands_beside_lab_02_and_its_picture_is_there():
    readme = (ROOT / "README.md").read_text("utf-8")
    (line,) = (row for row in readme.splitlines() if address.PICTURE in row)
    assert line.startswith(f"| `{address.NOTEBOOK}`")
    assert (ROOT / "book/images/open-in-colab.svg").is_file()
    heading = address.HOW_TO.removeprefix("#").capitalize()
    assert re.search(rf"^#+ {heading}$", readme, re.M)


def test_licence_and_citation_say_what_the_package_says():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"] == "Apache-2.0"
    assert citation["authors"] and citation["message"] and citation["title"]
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert "Apache License\n" in text and "Version 2.0, January 2004" in text
    assert "[yyyy]" not in text


def workflows():
    return {
        path.stem: yaml.safe_load(path.read_text("utf-8"))
        for path in (ROOT / ".github/workflows").glob("*.yml")
    }


def steps():
    return [
        step
        for workflow in workflows().values()
        for job in workflow["jobs"].values()
        for step in job["steps"]
    ]


def test_the_workflows_run_targets_that_make_knows():
    run = [step["run"] for step in steps() if "run" in step]
    wanted = {re.match(r"make ([\w-]+)", command)[1] for command in run}
    assert wanted == {"test", "lint", "lint-workflows", "book"}
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert wanted <= set(re.findall(r"^([\w-]+):.*##", makefile, re.M))


def test_the_workflows_test_every_python_that_the_package_allows():
    job = workflows()["tests"]["jobs"]["test"]
    pythons = job["strategy"]["matrix"]["python"]
    assert pythons == ["3.11", "3.12", "3.13", "3.14"]
    assert PROJECT["requires-python"] == f">={pythons[0]}"
    readme = (ROOT / "README.md").read_text("utf-8")
    assert f"Python {pythons[0]} to {pythons[-1]}" in readme


def test_the_workflows_need_no_secret_and_no_gpu():
    for path in (ROOT / ".github/workflows").glob("*.yml"):
        text = path.read_text("utf-8")
        assert "secrets." not in text and "gpu" not in text.lower()
