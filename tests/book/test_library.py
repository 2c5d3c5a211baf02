"""The library's page: every public name of every room, as the code has it."""

import ast
import base64
import html
import re
import tomllib
from fnmatch import fnmatch

import pytest

from multilora.book.pages import built_folder
from repository import ROOT

CODE = ROOT / "src/multilora"
# {room: patterns of modules that its part of the page leaves out}
WITHOUT = {
    room: patterns.split()
    for room, patterns in re.findall(
        r"```\{room\} (\w+)\n:without: (.*)\n",
        (ROOT / "book/library.md").read_text("utf-8"),
    )
}
CONTRACT = next(
    contract["layers"]
    for contract in tomllib.loads(
        (ROOT / "pyproject.toml").read_text("utf-8")
    )["tool"]["importlinter"]["contracts"]
    if contract["id"] == "floors"
)
ROOMS = [
    room
    for room in (layer.strip("()") for layer in CONTRACT)
    if (CODE / room).is_dir() or (CODE / f"{room}.py").is_file()
]
pytestmark = pytest.mark.browser


def definitions():
    """Yield (module, class or "", node) of all that the page must show."""
    for path in sorted(CODE.rglob("*.py")):
        parts = path.relative_to(CODE).with_suffix("").parts
        left_out = WITHOUT.get(parts[0], ())
        if any(fnmatch(path.stem, pattern) for pattern in left_out):
            continue
        if path == CODE / "__init__.py":
            continue
        names = [part for part in parts if part != "__init__"]
        module = ".".join(["multilora", *names])
        for node in ast.parse(path.read_text("utf-8")).body:
            if not is_public(node):
                continue
            yield module, "", node
            for inner in getattr(node, "body", ()):
                if isinstance(node, ast.ClassDef) and is_public(inner):
                    yield module, f"{node.name}.", inner


def is_public(node):
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return isinstance(node, kinds) and not node.name.startswith("_")


def plain(markup):
    """A page as its words: no tags, one blank between words."""
    text = html.unescape(re.sub(r"<[^>]*>", "", markup))
    return " ".join(text.split())


@pytest.fixture(scope="module")
def page():
    file = built_folder(ROOT) / "book/library.html"
    if not file.is_file():
        pytest.skip("needs the built book: make browser")
    return file.read_text("utf-8")


def test_every_public_name_is_on_the_page_with_its_first_sentence(page):
    marked = page.split('<dt class="sig sig-object py" id="')
    parts = [part.split('">', 1) for part in marked[1:]]
    entries = {name: plain(text) for name, text in parts}
    found = list(definitions())
    assert len(found) > 500
    for module, owner, node in found:
        name = f"{module}.{owner}{node.name}"
        doc = (ast.get_docstring(node) or "").replace("`", "")
        said = " ".join(doc.split("\n\n")[0].split())
        assert said in entries[name], name
    assert len(parts) == len(entries) == len(found)


def test_the_rooms_are_headings_from_the_ground_up(page):
    headings = re.findall(r"<h2>(\w+)<a", page)
    assert headings == ROOMS[::-1]


def test_the_picture_of_the_page_names_every_room_in_order(page):
    (data, said) = re.search(
        r'<img class="dark-light" src="data:image/svg\+xml;base64,([^"]+)" '
        r'alt="([^"]+)"',
        page,
    ).groups()
    drawn = re.findall(r">(\w+)</text>", base64.b64decode(data).decode())
    assert sorted(drawn) == sorted(ROOMS * 2)
    rows = [name for number, name in enumerate(drawn) if number % 2 == 0]
    assert rows == ROOMS
    assert f"{len(ROOMS)} floors" in said and "no room imports" in said


def test_the_search_and_a_link_lead_into_a_fold(open_page):
    page = open_page("search", fragment="?q=slot_reservation_bytes")
    name = "multilora.memory.reservation.slot_reservation_bytes"
    link = page.locator(f'#search-results a[href*="#{name}"]').first
    link.wait_for()
    link.click()
    entry = page.locator(f'[id="{name}"]')
    entry.wait_for(state="visible")
    assert page.url.endswith(f"#{name}")
    said = entry.locator("+ dd").inner_text()
    assert said.startswith("Return the bytes that vLLM sets aside")
    assert "Raises ValueError" in said
    assert page.problems == []


def test_folds_open_without_javascript(open_page):
    page = open_page("book/library", java_script_enabled=False)
    fold = page.locator("details.module").first
    entry = fold.locator("dl").first
    assert not entry.is_visible()
    fold.locator("summary").click()
    assert entry.is_visible()
