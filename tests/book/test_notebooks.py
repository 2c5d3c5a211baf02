"""Normal form: what goes, what stays, and what a re-run keeps."""

import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from multilora.book.notebooks import execute, main, normal_form, to_text

WIDGET = "application/vnd.jupyter.widget-view+json"


def write(path, *cells, **metadata):
    notebook = new_notebook(cells=list(cells), metadata=metadata)
    nbformat.write(notebook, path)
    return path


def test_a_run_is_the_same_bytes_twice(tmp_path):
    path = write(
        tmp_path / "a.ipynb",
        new_markdown_cell("# Title"),
        new_code_cell("print(1)\nprint(2)"),
        new_code_cell(
            "import ipywidgets\n"
            "ipywidgets.IntSlider(description='rank')"
        ),
        widgets={"state": {}},
    )  # fmt: skip
    main(["run", str(path)])
    first = path.read_text()
    main(["run", str(path)])
    assert path.read_text() == first
    data = json.loads(first)
    assert WIDGET not in first
    assert "widgets" not in data["metadata"]
    assert [cell["id"] for cell in data["cells"]] == [
        "cell-00", "cell-01", "cell-02",
    ]  # fmt: skip
    assert data["cells"][1]["outputs"][0]["text"] == ["1\n", "2\n"]


def test_tags_and_book_metadata_stay(tmp_path):
    cell = new_code_cell("1", metadata={"tags": ["b", "a"], "collapsed": True})
    path = write(tmp_path / "a.ipynb", cell, book={"requires": ["vllm"]})
    normal = normal_form(nbformat.read(path, as_version=4))
    assert normal["metadata"]["book"] == {"requires": ["vllm"]}
    assert normal["cells"][0]["metadata"] == {"tags": ["a", "b"]}


def test_a_folded_cell_is_folded_in_jupyterlab_as_long_as_its_tag_says(
    tmp_path,
):
    """By metadata that a second pass keeps, and that goes with the tag."""
    path = write(
        tmp_path / "a.ipynb",
        new_code_cell("1", metadata={"tags": ["hide-cell", "a"]}),
        new_code_cell("2", metadata={"jupyter": {"source_hidden": True}}),
        new_markdown_cell("3", metadata={"tags": ["hide-input"]}),
        new_markdown_cell("4", metadata={"tags": ["hide-cell"]}),
    )
    main(["normalise", str(path)])
    first = path.read_text()
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    folded = {"outputs_hidden": True, "source_hidden": True}
    assert [cell["metadata"] for cell in notebook["cells"]] == [
        {"jupyter": folded, "tags": ["a", "hide-cell"]},
        {},
        {"tags": ["hide-input"]},
        {"jupyter": folded, "tags": ["hide-cell"]},
    ]
    main(["normalise", str(path)])
    assert path.read_text() == first
    notebook["cells"][0]["metadata"]["tags"] = ["a"]
    plain = normal_form(notebook)["cells"][0]
    assert plain["metadata"] == {"tags": ["a"]}


def test_a_measurement_is_kept_until_its_source_changes(tmp_path):
    tags = {"tags": ["nbval-ignore-output"]}
    path = tmp_path / "a.ipynb"
    source = "import time; print(time.time_ns())"
    write(path, new_code_cell(source, metadata=tags))
    main(["run", str(path)])
    first = path.read_text()
    main(["run", str(path)])
    assert path.read_text() == first
    write(path, new_code_cell(source + " ", metadata=tags))
    assert to_text(execute(path)) != first


def test_a_failing_cell_fails_the_run_and_changes_nothing(tmp_path):
    path = write(tmp_path / "a.ipynb", new_code_cell("1 / 0"))
    before = path.read_text()
    with pytest.raises(Exception, match="ZeroDivisionError"):
        main(["run", str(path)])
    assert path.read_text() == before


def test_the_command_line_says_what_is_wrong(tmp_path):
    with pytest.raises(SystemExit, match="normalise"):
        main(["run"])
    with pytest.raises(SystemExit, match=r"absent\.ipynb: no such file"):
        main(["run", str(tmp_path / "absent.ipynb")])
    broken = tmp_path / "broken.ipynb"
    for content in (b"{", b"", b"\xff\xfe\x00", b'{"a": 1}', b"[]"):
        broken.write_bytes(content)
        with pytest.raises(SystemExit, match=r"broken\.ipynb is not a note"):
            main(["normalise", str(broken)])
