"""The pages of the book, and whether they were built."""

import sys
from pathlib import Path

import yaml

from multilora.book.links import broken_links


def pages_of(toc):
    """Return the pages that a _toc.yml lists, as paths without suffix."""
    parts = toc.get("parts", [])
    return [toc["root"]] + [
        chapter["file"] for part in parts for chapter in part["chapters"]
    ]


def built_folder(folder):
    """Return where the pages of the book in this folder are built."""
    return Path(folder).resolve() / "_build/html"


def main(folder):
    """Exit with the pages that are missing or empty, and broken links."""
    toc = yaml.safe_load((Path(folder) / "_toc.yml").read_text("utf-8"))
    built = built_folder(folder)
    files = [built / f"{page}.html" for page in ("index", *pages_of(toc))]
    missing = [
        str(file.relative_to(built))
        for file in files
        if not file.is_file() or not file.stat().st_size
    ]
    if missing:
        sys.exit(f"not built: {', '.join(missing)}")
    broken = broken_links(built)
    if broken:
        sys.exit("links that lead nowhere:\n" + "\n".join(broken))
    print(f"{len(files)} pages built. Open {files[0]}")
