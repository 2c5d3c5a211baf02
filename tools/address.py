"""Write the repository's address where it is needed: make address.

The address lies in one place, REPOSITORY in lab 02's first code cell, where
Colab reads it. From there it goes into the README's badge and CITATION.cff.
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = "notebooks/lab-02-serve-many-loras.ipynb"
PICTURE = "![Open in Colab](book/images/open-in-colab.svg)"
COLAB = "https://colab.research.google.com/github"
# How to fill in the address; the badge leads there while there is none.
HOW_TO = "#colab"
ADDRESS = r"https://github\.com/[\w.-]+/[\w.-]+?(?:\.git)?/?"


def repository(root=ROOT):
    """Return the address that lab 02 holds, "" while there is none.

    Raises ValueError for one that Colab could not open.
    """
    cells = json.loads((root / NOTEBOOK).read_text("utf-8"))["cells"]
    source = "\n".join("".join(cell["source"]) for cell in cells)
    (found,) = re.findall(
        r'^REPOSITORY = os\.environ\.get\("\w+", "([^"]*)"\)', source, re.M
    )
    if found and not re.fullmatch(ADDRESS, found):
        raise ValueError(
            f"REPOSITORY is {found!r}, but Colab opens notebooks from "
            "https://github.com/OWNER/NAME"
        )
    return found.removesuffix("/").removesuffix(".git")


def with_badge(readme, address):
    """Return the README's text with the badge that fits the address."""
    target = HOW_TO
    if address:
        path = address.removeprefix("https://github.com/")
        target = f"{COLAB}/{path}/blob/main/{NOTEBOOK}"
    badge = f"[{PICTURE}]({target})"
    return re.sub(rf"\[{re.escape(PICTURE)}\]\([^)]*\)", badge, readme)


def with_code(citation, address):
    """Return CITATION.cff's text with the address, or without a line of it."""
    citation = re.sub(r"^repository-code: .*\n", "", citation, flags=re.M)
    if not address:
        return citation
    line = f"repository-code: {address}\n"
    return citation.replace("license:", f"{line}license:", 1)


WRITTEN = {"README.md": with_badge, "CITATION.cff": with_code}


def main(root=ROOT):
    """Rewrite the files that name the address."""
    try:
        address = repository(root)
    except ValueError as error:
        sys.exit(str(error))
    for name, write in WRITTEN.items():
        path = root / name
        path.write_text(write(path.read_text("utf-8"), address), "utf-8")
        print(f"{name}: {address or 'no address yet'}")


if __name__ == "__main__":
    main()
