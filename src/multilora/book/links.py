"""Links within the built book: does each lead somewhere?"""

import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

WEB = ("", "http", "https")  # these need a host, others are not for readers
NO_PLACE = ("data", "mailto")


class _Page(HTMLParser):
    """The ids of a page, what it points to, and its explorers' stops."""

    def __init__(self):
        super().__init__()
        self.ids, self.links, self.stops = set(), [], {}
        self._num_templates = 0  # an open <template> is not on the page
        self._figure, self._is_table = None, False

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self._num_templates += tag == "template"
        if self._num_templates:
            return
        names = ("id", "name") if tag == "a" else ("id",)
        self.ids |= {attrs[key] for key in names if attrs.get(key)}
        links = [attrs.get(key) for key in ("href", "src", "action")]
        self.links += [link for link in (*links, _refresh(attrs)) if link]
        if tag == "figure":
            self._figure = self.stops.setdefault(attrs.get("id"), {})
        elif tag == "input" and self._figure is not None:
            self._figure[attrs.get("name")] = ()
        kind = attrs.get("type")
        self._is_table = (tag, kind) == ("script", "application/json")

    def handle_endtag(self, tag):
        if tag == "template" and self._num_templates:
            self._num_templates -= 1
        self._is_table = False
        if tag == "figure":
            self._figure = None

    def handle_data(self, data):
        """Put the stops of an explorer, as markup writes them, by axis."""
        if self._is_table and self._figure:
            table = zip(self._figure, json.loads(data)["stops"], strict=True)
            self._figure |= {axis: tuple(stops) for axis, stops in table}


def _refresh(attrs):
    """Return where a <meta http-equiv="refresh"> leads, or None."""
    if (attrs.get("http-equiv") or "").lower() != "refresh":
        return None
    found = re.search(r"url\s*=\s*(\S+)", attrs.get("content") or "", re.I)
    return found and found[1].strip("'\"")


def broken_links(folder):
    """Return 'page: link' for each link that leads nowhere, sorted.

    folder holds the built pages. A link within it needs its file, in the
    folder and by its exact name, and a fragment an element of that id; to
    an explorer (#explore-name?axis=stop) also that axis and stop. Links to
    other hosts are not followed. Raises ValueError for a folder without
    pages.
    """
    folder = Path(folder).resolve()
    files = {path for path in folder.rglob("*") if path.is_file()}
    pages = {path: _read(path) for path in files if _is_page(path, folder)}
    if not pages:
        raise ValueError(f"folder is {str(folder)!r}, but holds no page")
    return sorted(
        {
            f"{path.relative_to(folder)}: {link}"
            for path, page in pages.items()
            for link in page.links
            if not _leads_somewhere(link, path, files, pages)
        }
    )


def _is_page(path, folder):
    # Sphinx copies the theme's own templates into _static; nobody opens them.
    top = path.relative_to(folder).parts[0]
    return path.suffix == ".html" and top != "_static"


def _read(path):
    page = _Page()
    page.feed(path.read_text("utf-8"))
    page.close()
    return page


def _leads_somewhere(link, path, files, pages):
    try:
        parts = urlsplit(link.strip())
    except ValueError:  # such as a [ in the host
        return False
    if parts.scheme or parts.netloc:
        has_host = parts.scheme in WEB and bool(parts.netloc)
        return has_host or parts.scheme in NO_PLACE
    target = path
    if parts.path:
        # Not resolve(): where case does not count, it may mend a wrong one.
        target = Path(os.path.normpath(path.parent / unquote(parts.path)))
    if target not in files or parts.path.endswith("/"):
        return False
    if not parts.fragment or target not in pages:
        return True
    return _is_on(pages[target], parts.fragment)


def _is_on(page, fragment):
    """True if a page has that fragment, and an explorer its stops."""
    if unquote(fragment) in page.ids:
        return True
    name, _, query = fragment.partition("?")
    if name not in page.ids or name not in page.stops:
        return False
    axes = page.stops[name]
    return all(
        any(_is_stop(text, stop) for stop in axes.get(axis, ()))
        for axis, text in parse_qsl(query, keep_blank_values=True)
    )


def _is_stop(text, stop):
    """True if explorer.js takes a text for that stop: 1 is also 1.0."""
    if isinstance(stop, str):
        return text == stop
    try:
        return float(text) == stop
    except ValueError:
        return False
