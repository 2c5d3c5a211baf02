"""The labs in Firefox: graded, stopped, closed to the network.

Needs `make book` and a Firefox on the PATH.
"""

import time

import pytest

from firefox import FIREFOX, firefox
from hostile import ENDS, ROADS
from multilora.inpage.calls import grade
from multilora.labs.switch import NAMES
from served import Listener, served
from typed_slips import ours, typed_slips
from workbenches import ANSWERS, HTML, page_url

pytestmark = pytest.mark.browser
CLICK = "document.querySelector('[data-lab] .bench-' + arguments[0]).click();"
TYPE = """
const area = document.querySelector(".workbench[data-lab] textarea");
area.focus();
area.select();
document.execCommand("insertText", false, arguments[0]);
"""
DONE = """
const box = document.querySelector(".workbench[data-lab]");
return box.hasAttribute("data-busy") ? null : {
  said: box.querySelector(".bench-said").textContent,
  out: box.querySelector(".bench-out").textContent,
  lines: Array.from(box.querySelectorAll(".bench-lines li"),
                    row => row.textContent),
};
"""
SLIPS = ("test_slips_01", "test_slips_02", "test_slips_03", "test_slips_04")


@pytest.fixture(scope="module")
def fox(tmp_path_factory):
    if not FIREFOX:
        pytest.skip("needs a Firefox on the PATH: apt-get install firefox-esr")
    with firefox(tmp_path_factory.mktemp("firefox")) as fox:
        yield fox


@pytest.fixture(scope="module", params=["http", "file"])
def lab(fox, request):
    """Opens a lab's page, from a server and as a file."""
    if request.param == "file":
        yield lambda number: fox.open(page_url(number))
        return
    with served(HTML) as address:
        yield lambda number: fox.open(page_url(number, address))


def done(fox, button, source=None):
    """Type a source if there is one, click, return what came of it."""
    if source is not None:
        fox.run(TYPE, source)
    fox.run(CLICK, button)
    return fox.wait(DONE)


@pytest.mark.parametrize("number", NAMES)
def test_a_lab_from_the_starter_to_full_marks(fox, lab, number):
    lab(number)
    start = time.monotonic()
    found = done(fox, "grade")
    print(f"lab {number}: first grade {time.monotonic() - start:.1f} s")
    assert {line[0] for line in found["lines"]} == {"·"}
    assert found["said"].startswith("0 of ")
    found = done(fox, "grade", ANSWERS[number])
    assert {line[0] for line in found["lines"]} == {"✓"}
    assert f"Lab {number} is solved" in found["said"]
    (typed, *_) = typed_slips(SLIPS[list(NAMES).index(number)])
    found = done(fox, "grade", typed.source)
    assert ours(found["lines"]) == ours(grade(number, typed.source)["lines"])


def test_the_page_lives_and_keeps_what_was_typed(fox, lab):
    lab("03")
    full = done(fox, "grade", ANSWERS["03"])["lines"]
    fox.run(TYPE, "while True:\n    print('again')\n")
    fox.run(CLICK, "grade")
    fox.wait(
        "return document.querySelector('[data-lab] .bench-out').textContent;"
    )
    fox.run(CLICK, "stop")
    assert fox.wait(DONE, seconds=5)["said"].startswith("Stopped.")
    assert done(fox, "grade", ANSWERS["03"])["lines"] == full
    for name in ("recursion in json", "os._exit", "memory at once"):
        source, sentence = ENDS[name]
        found = done(fox, "run", source)
        assert sentence in found["said"] + found["out"], name
    assert done(fox, "grade", ANSWERS["03"])["lines"] == full
    lab("03")
    kept = "return document.querySelector('[data-lab] textarea').value;"
    assert fox.run(kept) == ANSWERS["03"]


def test_no_road_leads_out_of_the_page(fox, lab):
    lab("01")
    listener = Listener()
    for source in ROADS.values():
        source = source.replace("{port}", str(listener.port))
        done(fox, "run", source)
    time.sleep(1)  # what is awaited may come later
    assert listener.num_callers == 0
    listener.close()
    others = [
        url for url in fox.asked() if not url.startswith("http://127.0.0.1:")
    ]
    assert others == []
