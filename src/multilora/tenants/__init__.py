"""Our small base and its tenants: real weights, trained by our own code.

The weights are in the package; multilora.tenants.make trains them again.

recipe    what is trained and how; make, ladder and cross do it
corpus    prompts and answers; words and tokens make them
train     the base, and adapters on it with PEFT
score     replies by greedy decoding; accuracy which style they are in
"""

import copy
import json
from functools import cache
from importlib.resources import files
from pathlib import Path

from multilora.arguments import choice

FOLDER = Path(str(files("multilora").joinpath("data/tenants")))


@cache
def _read():
    return json.loads((FOLDER / "tenants.json").read_text("utf-8"))


def record() -> dict:
    """Return tenants.json: plans, seeds, accuracies, checksums, versions."""
    return copy.deepcopy(_read())


def tenant_names() -> list[str]:
    """Return the names of the adapters, sql first."""
    return ["sql", *sorted(set(_read()["tenants"]) - {"sql"})]


def base_names() -> list[str]:
    """Return the names of the bases, the tenants' own first."""
    return sorted(_read()["bases"])


def folder_of(name: str) -> Path:
    """Return the folder of a base or an adapter by its name.

    Raises ValueError for a name that is none of ours.
    """
    return FOLDER / choice("name", name, base_names() + tenant_names())
