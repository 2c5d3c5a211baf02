"""Links within the built book: does each lead somewhere?"""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class _Anchors(HTMLParser):
    """The ids of a page, and what its elements point to."""

    def __init__(self):
        super().__init__()
        self.ids, self.links = set(), []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids |= {attrs[key] for key in ("id", "name") if attrs.get(key)}
        link = attrs.get("href") or attrs.get("src")
        if link:
            self.links.append(link)


def broken_links(folder):
    """Return 'page: link' for each link that leads nowhere, sorted.

    folder holds the built pages. A link within it needs its file, and a
    fragment an element of that id; the stops of an explorer
    (#explore-name?axis=stop) are left out of the fragment. Links to other
    hosts are not followed. Raises ValueError for a folder without pages.
    """
    folder = Path(folder).resolve()
    # Sphinx copies the theme's own templates into _static; nobody opens them.
    pages = {
        path: _read(path)
        for path in sorted(folder.rglob("*.html"))
        if path.relative_to(folder).parts[0] != "_static"
    }
    if not pages:
        raise ValueError(f"folder is {str(folder)!r}, but holds no page")
    return sorted(
        {
            f"{path.relative_to(folder)}: {link}"
            for path, page in pages.items()
            for link in page.links
            if not _leads_somewhere(link, path, pages)
        }
    )


def _read(path):
    page = _Anchors()
    page.feed(path.read_text("utf-8"))
    return page


def _leads_somewhere(link, path, pages):
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True
    target = path
    if parts.path:
        target = (path.parent / unquote(parts.path)).resolve()
    fragment = unquote(parts.fragment).partition("?")[0]
    if fragment and target in pages:
        return fragment in pages[target].ids
    return target.is_file()
