"""Lab 02 opened alone, as on Colab: an empty folder and a fresh Python."""

import json
import os
import shutil
import subprocess
import sys

import nbformat
import pytest

from repository import ROOT

pytestmark = pytest.mark.colab
NOTEBOOK = "lab-02-serve-many-loras.ipynb"
EXECUTE = """
import nbformat
from nbclient import NotebookClient
notebook = nbformat.read({name!r}, as_version=4)
NotebookClient(notebook, timeout=1200).execute()
nbformat.write(notebook, "executed.ipynb")
"""


def run(*command, **options):
    done = subprocess.run(
        [str(item) for item in command],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        **options,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


def texts(notebook):
    """The printed text of each code cell that is not a measurement."""
    return [
        "".join(
            "".join(item.get("text", item.get("data", {}).get("text/plain")))
            for item in cell["outputs"]
            if item.get("name") != "stderr"
        )
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
        and "nbval-ignore-output" not in cell["metadata"].get("tags", [])
    ]


def test_the_notebook_alone_in_a_fresh_environment(tmp_path):
    clone, empty = tmp_path / "clone", tmp_path / "empty"
    run("git", "clone", "--quiet", ROOT, clone)
    stand_in = tmp_path / "stand-in/google/colab"
    stand_in.mkdir(parents=True)
    (stand_in / "__init__.py").touch()
    empty.mkdir()
    shutil.copy(ROOT / "notebooks" / NOTEBOOK, empty)
    base = os.environ.get("COLAB_PYTHON", sys.executable)
    run(base, "-m", "venv", tmp_path / "env")
    python = tmp_path / "env/bin/python"
    # What Colab brings: a Jupyter kernel. Nothing of ours.
    run(python, "-m", "pip", "install", "--quiet", "nbclient", "ipykernel")
    missing = subprocess.run([python, "-c", "import multilora"], cwd=empty,
                             capture_output=True)  # fmt: skip
    assert missing.returncode != 0
    run(
        python,
        "-c",
        EXECUTE.format(name=NOTEBOOK),
        cwd=empty,
        env={
            **os.environ,
            "PATH": f"{python.parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(tmp_path / "stand-in"),
            "MULTILORA_REPOSITORY": f"file://{clone}",
        },
    )
    executed = nbformat.read(empty / "executed.ipynb", as_version=4)
    stored = json.loads((ROOT / "notebooks" / NOTEBOOK).read_text("utf-8"))
    assert texts(executed) == texts(stored)
