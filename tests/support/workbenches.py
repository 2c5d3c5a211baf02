"""The workbenches of the built pages: typed into, run, graded."""

from contextlib import contextmanager

import pytest

from multilora.book.pages import built_folder
from multilora.labs.switch import NAMES
from repository import LABS, ROOT
from served import served

HTML = built_folder(ROOT)
PAGES = {
    path.stem.split("-")[1]: f"notebooks/{path.stem}.html" for path in LABS
}
# What a reader may type as an answer: the library's own.
ANSWERS = {
    lab: "\n".join(
        f"from {module} import {name}" for name, module in names.items()
    )
    for lab, names in NAMES.items()
}
BOOT_MS, GRADE_MS = 60_000, 30_000
NOT_BUSY = ":not([data-busy])"
LAB_BENCH = ".workbench[data-lab]"  # others are cells to try


def page_url(lab, address=None):
    """Return where a lab's page is: on a server, or as a file."""
    file = HTML / PAGES[lab]
    if not file.is_file():
        pytest.skip("needs the built book: make browser")
    return f"{address}/{PAGES[lab]}" if address else file.as_uri()


@contextmanager
def lab_opener(browser):
    """Yield a function that opens a lab's page; all are closed afterwards."""
    contexts = []

    def open_lab(lab="01", is_served=True, script="", context=None, **options):
        """Return the Workbench of a page; script runs before the page's."""
        if context is None:
            context = browser.new_context(**options)
            contexts.append(context)
        page = context.new_page()
        page.asked, page.problems = [], []
        context.on("request", lambda r: page.asked.append(r.url))
        page.on("pageerror", lambda e: page.problems.append(str(e)))
        if script:
            page.add_init_script(script)
        page.goto(page_url(lab, address if is_served else None))
        return Workbench(page)

    with served(HTML) as address:
        yield open_lab
        for context in contexts:
            context.close()


class Workbench:
    """The workbench of an open page."""

    def __init__(self, page, place=0):
        self.page = page
        self.box = page.locator(LAB_BENCH).nth(place)
        self.editor = self.box.locator("textarea")

    def part(self, name):
        return self.box.locator(f".bench-{name}")

    def type(self, source):
        """Put a source in the place of the editor's text, as if pasted."""
        self.editor.focus()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.press("Delete")
        self.page.keyboard.insert_text(source)

    def click(self, name):
        self.part(name).click()

    def wait(self, timeout=BOOT_MS):
        """Wait until nothing runs."""
        id_ = self.box.get_attribute("id")
        self.page.wait_for_selector(f"#{id_}{NOT_BUSY}", timeout=timeout)

    def grade(self, source=None):
        """Return the lines of the report, in the page's words."""
        return (
            self._done("grade", source)
            .part("lines")
            .locator("li")
            .all_inner_texts()
        )

    def run(self, source=None):
        """Return what a program printed."""
        return self._done("run", source).part("out").text_content()

    def _done(self, button, source):
        if source is not None:
            self.type(source)
        self.click(button)
        self.wait()
        return self

    def call(self, name, **arguments):
        """Return what a call by the page's own interface gives."""
        return self.page.evaluate(
            "([name, args]) => InPage.python().call(name, args)",
            [name, arguments],
        )

    @property
    def said(self):
        return self.part("said").inner_text()
