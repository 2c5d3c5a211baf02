"""What a reader typed is kept, taken away and brought back.

Needs `make book`, playwright and a Chromium: make browser.
"""

import pytest

from multilora.labs.switch import NAMES
from workbenches import ANSWERS

pytestmark = pytest.mark.browser
TYPED = "# mine: ü, 🦙\ndef lora_delta(x, A, B, scaling):\n\treturn None\n"
# As in a browser whose storage is switched off, or full.
NO_STORAGE = """
Object.defineProperty(window, "localStorage", {
  get() { throw new DOMException("denied", "SecurityError"); } });
"""
FULL_STORAGE = """
Storage.prototype.setItem = () => {
  throw new DOMException("full", "QuotaExceededError"); };
"""


@pytest.mark.parametrize("is_served", [True, False], ids=["http", "file"])
def test_a_reload_keeps_what_was_typed(open_lab, is_served):
    bench = open_lab(is_served=is_served)
    starter = bench.editor.input_value()
    bench.type(TYPED)
    bench.page.reload()
    assert bench.editor.input_value() == TYPED
    other = open_lab("02", is_served, context=bench.page.context)
    assert other.editor.input_value() not in (TYPED, starter)
    bench.page.once("dialog", lambda dialog: dialog.dismiss())
    bench.click("reset")
    assert bench.editor.input_value() == TYPED
    bench.page.once("dialog", lambda dialog: dialog.accept())
    bench.click("reset")
    assert bench.said == "The starter is back."
    assert bench.editor.input_value() == starter
    bench.page.reload()
    assert bench.editor.input_value() == starter


@pytest.mark.parametrize("lab", NAMES)
def test_a_download_holds_the_text_under_the_starters_name(open_lab, lab):
    bench = open_lab(lab, accept_downloads=True)
    bench.type(TYPED)
    with bench.page.expect_download() as download:
        bench.click("download")
    assert download.value.suggested_filename == f"starter_{lab}.py"
    with open(download.value.path(), "rb") as file:
        assert file.read().decode("utf-8") == TYPED


LOADED = [
    ("starter_01.py", ANSWERS["01"].encode(), "starter_01.py is loaded."),
    ("empty.py", b"", "empty.py is loaded."),
    ("bom.py", b"\xef\xbb\xbfx = 1\n", "bom.py is loaded."),
    ("crlf.py", b"x = 1\r\ny = 2\r\n", "crlf.py is loaded."),
    ("long.py", b"#" * 300_000, "long.py has 300,000 bytes, but an editor"),
    ("latin.py", "# ü\n".encode("latin-1"), "latin.py is no text in UTF-8"),
    ("numpy.so", b"\x7fELF\0\0\xff\xfe", "numpy.so is no text in UTF-8"),
    ("nul.py", b"x = 1\0\n", "nul.py is no text"),
]


@pytest.mark.parametrize(
    ("name", "data", "said"), LOADED, ids=[item[0] for item in LOADED]
)
def test_a_file_is_loaded_or_refused_in_a_sentence(open_lab, name, data, said):
    bench = open_lab()
    bench.type(TYPED)
    bench.part("file").set_input_files(
        {"name": name, "mimeType": "text/x-python", "buffer": data}
    )
    bench.part("said").get_by_text(said).wait_for()
    if "is loaded" in said:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
        assert bench.editor.input_value() == text
    else:
        assert bench.editor.input_value() == TYPED
    # The same file again is a change too.
    bench.type("")
    bench.part("file").set_input_files(
        {"name": name, "mimeType": "text/x-python", "buffer": data}
    )
    bench.part("said").get_by_text(said).wait_for()
    assert bench.page.problems == []


@pytest.mark.parametrize("script", [NO_STORAGE, FULL_STORAGE],
                         ids=["forbidden", "full"])  # fmt: skip
def test_without_storage_it_works_all_the_same(open_lab, script):
    bench = open_lab("03", script=script)
    bench.type(TYPED)
    assert {line[0] for line in bench.grade(ANSWERS["03"])} == {"✓"}
    assert "Lab 03 is solved" in bench.said


def test_a_full_storage_is_said_before_work_is_lost(open_lab):
    bench = open_lab(script=FULL_STORAGE)
    bench.type(TYPED)
    assert "is not kept" in bench.said
