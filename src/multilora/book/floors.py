"""The floors of the library: its rooms, and who imports from whom.

The order of the rooms is the contract that `make lint` checks,
[tool.importlinter] in pyproject.toml; the imports are read in the code.
"""

import re
import tomllib
from pathlib import Path
from typing import NamedTuple

from multilora.book.sources import modules, named


class House(NamedTuple):
    """A package as floors: its rooms, the top one first, and their imports.

    `uses` is {room: set of the rooms that it imports from}.
    """

    package: str
    rooms: tuple
    uses: dict


def house_of(pyproject):
    """Return the House that a pyproject.toml describes.

    A floor in brackets whose room is not there is left out. Raises OSError
    for a file that cannot be read; ValueError, which names the file, where
    it is no TOML, lacks the contract of the floors, or gives a room of the
    package no floor or names one that is not there; ModuleNotFoundError
    for a package that is not installed.
    """
    package, floors = contract_of(pyproject)
    code = modules(package)
    there = {_room(name) for name in code} - {None}
    rooms = [
        floor.strip("()")
        for floor in floors
        if floor.strip("()") in there or not floor.startswith("(")
    ]
    odd = there.symmetric_difference(rooms)
    odd |= {room for room in rooms if rooms.count(room) > 1}
    if odd:
        raise ValueError(
            f"the layers of {pyproject} must name each room of {package} "
            f"once, but do not for: {', '.join(sorted(odd))}"
        )
    uses = {room: set() for room in rooms}
    for name in code:
        if room := _room(name):
            uses[room] |= {_room(other) for other in named(name, package)}
            uses[room] &= there - {room}
    return House(package, tuple(rooms), uses)


def contract_of(pyproject):
    """Return (package, its floors from the top down) as the file says.

    A floor that need not be there keeps its brackets. Raises OSError or
    ValueError as house_of does, for the file alone.
    """
    try:
        settings = tomllib.loads(Path(pyproject).read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{pyproject} is no TOML: {error}") from None
    section = settings.get("tool", {}).get("importlinter")
    if not section:
        raise ValueError(f"{pyproject} has no section [tool.importlinter]")
    package = section.get("root_package")
    found = [
        contract["layers"]
        for contract in section.get("contracts", [])
        if contract.get("type") == "layers" and contract.get("layers")
    ]
    if not package or len(found) != 1:
        raise ValueError(
            f"[tool.importlinter] of {pyproject} must have a root_package and "
            f"one contract of type 'layers', but has root_package {package!r} "
            f"and {len(found)} such contracts"
        )
    # Rooms that share a floor have | or : between them.
    floors = [re.split(r"\s*[|:]\s*", layer.strip()) for layer in found[0]]
    return package, [room for floor in floors for room in floor]


def _room(module):
    """Return the room of a module's name; None for the package itself."""
    return ([*module.split("."), None])[1]
