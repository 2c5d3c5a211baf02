"""Python in the page counts what Python on a computer counts, to the bit.

Needs `make book`, playwright and a Chromium: make browser.
"""

import contextlib
import io

import pytest

from numbers_script import PROGRAMS

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_page_counts_as_python_does_here(booted, name):
    source = PROGRAMS[name]
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(source, name, "exec"), {"__name__": "__main__"})
    here = out.getvalue().splitlines()
    there = booted.run(source).splitlines()
    assert booted.said == "Ran to its end.", there[-5:]
    assert len(here) > 50
    other = [
        pair for pair in zip(there, here, strict=True) if len({*pair}) > 1
    ]
    assert other == []
