"""A book of one page about a made-up package, as Sphinx builds it."""

import re
import shutil
from html import unescape

from programs import sphinx
from repository import ROOT

ENTRY = re.compile(r'<dt class="sig[^>]*id="([^"]+)">(.*?)</dt>', re.DOTALL)


class Book:
    """A book of one page about a made-up package, as Sphinx builds it."""

    def __init__(self, folder):
        self.folder = folder
        shutil.copytree(ROOT / "book/static", folder / "static")
        self.write(
            "conf.py",
            "extensions = ['myst_parser', 'multilora.book']\n"
            "exclude_patterns = ['_build']\n"
            "html_static_path = ['static']\n"
            "html_math_renderer = 'mathml'\n",
        )
        self.write(
            "pyproject.toml",
            '[tool.importlinter]\nroot_package = "house"\n'
            '[[tool.importlinter.contracts]]\ntype = "layers"\n'
            'layers = ["roof", "cellar"]\n',
        )
        self.write("house/__init__.py", "")
        self.write("house/roof/__init__.py", "")
        self.write("house/roof/tiles.py", 'def tile():\n    """A tile."""\n')
        self.write("house/cellar.py", '"""Below."""\n')

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def build(self):
        return sphinx(self.folder, "-n")

    def entries(self):
        """{name: its signature as text} of what the page lists."""
        return {
            name: unescape(re.sub("<[^>]*>", "", markup)).strip()
            for name, markup in ENTRY.findall(self.page())
        }

    def page(self):
        return (self.folder / "_build/html/index.html").read_text("utf-8")
