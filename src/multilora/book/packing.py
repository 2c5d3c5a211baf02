"""The parts of Python for a page, packed as scripts.

A page from file:// may load scripts and nothing else, so that each part is
gzipped, written as base64 and handed over by a call of InPage.take.
"""

import base64
import gzip
import hashlib
import json
from functools import cache
from pathlib import Path

import multilora
from multilora.book.carried import carried_zip
from multilora.book.frames import write_whole

PACKAGE = Path(multilora.__file__).parent
VENDORED = {
    "loader": "pyodide.js",
    "asm": "pyodide.asm.js",
    "lock": "pyodide-lock.json",
    "stdlib": "python_stdlib.zip",
    "wasm": "pyodide.asm.wasm",
    "numpy": "numpy-2.0.2-cp312-cp312-pyodide_2024_0_wasm32.whl",
}


def parts_of(vendor, worker):
    """Return {name: bytes} of what a page needs to run Python.

    vendor is the folder of the vendored files, worker the worker's script;
    the library is packed from the package as it is now.
    """
    parts = {
        name: (Path(vendor) / "pyodide" / file).read_bytes()
        for name, file in VENDORED.items()
    }
    parts["lock"] = without_packages(parts["lock"])
    parts["worker"] = Path(worker).read_bytes()
    parts["library"] = carried_zip(PACKAGE)
    return parts


def without_packages(lock):
    """Return Pyodide's list of packages without any: a page fetches none."""
    info = json.loads(lock)["info"]
    return json.dumps({"info": info, "packages": {}}).encode()


def script_names(parts):
    """Return {part: its script's name}; the name changes with the part."""
    return {
        part: f"{part}-{hashlib.sha256(data).hexdigest()[:10]}.js"
        for part, data in parts.items()
    }


def publish(parts, folder, licences=()):
    """Make folder hold exactly the scripts of these parts, and licences.

    licences are paths of files, copied as they are.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    names = script_names(parts)
    beside = {Path(path).name: path for path in licences}
    for path in folder.iterdir():
        if path.name not in {*names.values(), *beside}:
            path.unlink()
    for part, name in names.items():
        if not (folder / name).is_file():
            write_whole(folder / name, script_of(part, parts[part]))
    for name, path in beside.items():
        write_whole(folder / name, Path(path).read_bytes())


def script_of(part, data):
    """Return the script that hands a part over."""
    text = base64.b64encode(_packed(data)).decode()
    return f'InPage.take("{part}","{text}");\n'.encode()


def part_of(script):
    """Return the bytes of the part that a script hands over."""
    text = script.decode().rpartition('","')[2].removesuffix('");\n')
    return gzip.decompress(base64.b64decode(text))


def loaded_bytes(parts):
    """Return how many bytes a page loads at the first click."""
    return sum(len(script_of(*item)) for item in parts.items())


@cache
def _packed(data):
    return gzip.compress(data, 9, mtime=0)
