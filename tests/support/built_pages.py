"""The pages of the table of contents, and those of the theme."""

import pytest
import yaml

from multilora.book.pages import pages_of
from repository import ROOT

TOC = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
PAGES = pages_of(TOC)
THEMES_OWN = ["search", "genindex"]
EXPLORED = [
    page
    for page in PAGES
    if page.startswith("notebooks/")
    and "data-explore=" in (ROOT / f"{page}.ipynb").read_text("utf-8")
]
each_page = pytest.mark.parametrize("path", PAGES + THEMES_OWN)
