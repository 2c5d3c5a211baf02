"""Whatever is typed, the page lives, says what happened, and asks nobody.

Needs `make book`, playwright and a Chromium: make browser.
"""

import time

import pytest

from hostile import ENDS, NO_END, ROADS
from served import Listener
from workbenches import ANSWERS

pytestmark = pytest.mark.browser
USABLE_S = 15


@pytest.fixture(scope="module")
def full(booted):
    return booted.grade(ANSWERS["01"])


@pytest.fixture
def listener():
    listener = Listener()
    yield listener
    listener.close()


def assert_usable(bench, full, source):
    """The typed code is still there, and full marks can be had again."""
    assert bench.editor.input_value() == source
    start = time.monotonic()
    assert bench.grade(ANSWERS["01"]) == full
    assert time.monotonic() - start < USABLE_S
    assert bench.part("out").text_content() == ""


@pytest.mark.parametrize("name", ENDS)
def test_code_that_ends_is_told_of(booted, full, name):
    source, sentence = ENDS[name]
    shown = booted.run(source)
    assert sentence in f"{booted.said}\n{shown}"
    assert "Traceback" not in booted.said
    assert len(shown) < 20_200
    assert_usable(booted, full, source.replace("\r\n", "\n"))


@pytest.mark.parametrize("name", NO_END)
def test_stop_ends_what_has_no_end(booted, full, name):
    source = NO_END[name]
    booted.type(source)
    booted.click("grade")
    said = booted.part("said")
    said.get_by_text("Running", exact=True).wait_for()
    booted.page.wait_for_timeout(500)
    booted.click("stop")
    booted.wait()
    assert booted.said == "Stopped. What you typed is kept."
    assert len(booted.part("out").text_content()) < 20_200
    assert_usable(booted, full, source)


def test_a_reader_is_told_that_it_still_runs(booted):
    booted.type(NO_END["an endless loop"])
    booted.click("run")
    booted.part("said").get_by_text("Still running. Stop ends it.").wait_for(
        timeout=12_000
    )
    booted.click("stop")
    booted.wait()


def test_no_road_leads_out_of_the_page(booted, full, listener):
    """By every road: the port hears nobody, and most roads raise at once."""
    silent = []
    for name, source in ROADS.items():
        source = source.replace("{port}", str(listener.port))
        booted.run(source)
        if booted.said == "Ran to its end.":
            silent.append(name)
    booted.page.wait_for_timeout(1000)  # what is awaited may come later
    assert listener.num_callers == 0
    assert set(silent) <= {
        "timer", "of all objects", "font", "buckets", "loadPyodide",
        "script of a blob", "loadPackage", "a posted message",
    }  # fmt: skip
    assert_usable(booted, full, source)


def test_the_port_would_hear(booted, listener):
    """The same road is open to a page without the policy."""
    page = booted.page.context.new_page()
    page.evaluate(f"fetch('http://127.0.0.1:{listener.port}').catch(() => 0)")
    page.wait_for_timeout(200)
    assert listener.num_callers > 0
    page.close()


def test_imports_of_the_doors_say_that_they_are_shut(booted):
    for module in ("js", "pyodide_js", "pyodide.code", "pyodide.http"):
        said = booted.run(f"import {module}\n")
        assert "cannot reach JavaScript or the network" in said


@pytest.mark.parametrize(
    "text", ["x = '\ud800'\n", "\0", "a" * 200_001, "# \U0001f600 \u202e\n"]
)
def test_odd_characters_are_a_sentence(booted, text):
    """A lone surrogate cannot be typed, but a page may send one."""
    try:
        found = booted.call("grade", lab="01", source=text)
        assert len(found["lines"]) == 13
        assert found["score"] == "0 of 13 tests pass"
    except Exception as error:
        assert "at most 200,000" in str(error)
        assert len(text) > 200_000
