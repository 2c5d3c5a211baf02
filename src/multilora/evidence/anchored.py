"""Hold the anchors against the vLLM that is installed; pin them anew.

    python -m multilora.evidence.anchored

writes the lines of the installed version and names what is gone.
"""

import ast
import json
import sys
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from multilora.engine.quiet import require_installed, vllm_version
from multilora.evidence import anchors


def lines_of(item: anchors.Anchor) -> list[int]:
    """Return the lines where an Anchor's place is now, none if it is gone.

    Several only where `says` stands more than once in the symbol.
    """
    path = package() / item.file
    if not path.is_file():
        return []
    source = path.read_text("utf-8")
    first, last = _extent(ast.parse(source), item.symbol.split("."))
    if first is None:
        return []
    if item.says is None:
        return [first]
    lines = source.splitlines()
    return [n for n in range(first, last + 1) if item.says in lines[n - 1]]


def moved() -> list[str]:
    """Return one sentence for each anchor that is not where it was."""
    said = []
    for item in anchors.anchors():
        now = lines_of(item)
        what = f"{item.file}: {item.says or item.symbol!r} ({item.key})"
        if not now:
            said.append(f"{what} is gone; it was at line {item.line}")
        elif item.line not in now:
            said.append(f"{what} moved from line {item.line} to {now[0]}")
    return said


def package() -> Path:
    """Return the folder of the installed vllm package, not imported."""
    require_installed()
    spec = find_spec("vllm")
    assert spec and spec.submodule_search_locations, "vllm is a package"
    return Path(spec.submodule_search_locations[0])


def _extent(tree, names):
    """First and last line of a definition by its dotted name, or Nones."""
    node = tree
    for name in names:
        node = next((n for n in _children(node) if _name(n) == name), None)
        if node is None:
            return None, None
    return node.lineno, node.end_lineno


def _children(node):
    """Definitions and assignments in a body, also behind an if or a try."""
    for child in ast.iter_child_nodes(node):
        if _name(child):
            yield child
        elif isinstance(child, ast.If | ast.Try):
            yield from _children(child)


def _name(node):
    if isinstance(node, ast.Assign):
        (target, *_) = node.targets
        return getattr(target, "id", None)
    return getattr(node, "name", None)


def main() -> None:
    """Write the installed version's lines into the data file."""
    path = Path(str(files("multilora"))) / "data/anchors.json"
    data = json.loads(path.read_text("utf-8"))
    data["version"] = vllm_version()[1]
    gone = 0
    for row in (row for stop in data["stops"] for row in stop["anchors"]):
        item = anchors.Anchor(**row)
        now = lines_of(item)
        if now:
            row["line"] = now[0]
        else:
            gone += 1
            print(f"gone: {item.place} ({item.key})")
    text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8")
    sys.exit(
        f"{gone} anchors are gone: find what took their place" if gone else 0
    )


if __name__ == "__main__":
    main()
