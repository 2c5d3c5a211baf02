"""The code that a cell needs does alone what the whole notebook does."""

import contextlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora.book.slices import needed_code, statements_of

NAMES = st.sampled_from("abcd")
NUMBERS = st.integers(0, 9)


@st.composite
def lines(draw):
    """A statement on lists, in the ways in which cells set and change them."""
    one, two, number = draw(NAMES), draw(NAMES), draw(NUMBERS)
    return draw(
        st.sampled_from(
            [
                f"{one} = [{number}]",
                f"{one} = {two} + [{number}]",
                f"{one} = {two}",
                f"{one} = [item + 1 for item in {two}]",
                f"{one} += [len({two})]",
                f"{one}.append(len({two}))",
                f"{one}[0] = {number}",
                f"keep({one}, {number})",
                f"keep = make({number})",
                f"{one} = numbers(2)",
                f"for item in {one}:\n    {two} = {two} + [item]",
                f"for item in {one}[:2]:\n    {two}.append(item)",
                f"if sum({one}) % 2:\n    {two} = [{number}]",
                f"with open_(): {one} = [{number}]",
                f"def numbers(n):\n    {one}.append(n)\n    return {two} * n",
                f"{one}, {two} = {two}, {one}",
                f"{one} = (lambda {two}: {two} * 2)({one})",
                f"print({number}, {one})",
            ]
        )
    )


BEGIN = """
from contextlib import nullcontext as open_
a, b, c, d = [1], [2], [3], [4]
def numbers(n): return list(range(n))
def make(step):
    def keep(given, number): given.append(number + step)
    return keep
keep = make(0)
"""


def printed(source, names):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(source, names)
    return out.getvalue()


@given(
    st.lists(st.lists(lines(), max_size=4).map("\n".join), max_size=6), NAMES
)
def test_alone_a_cell_finds_what_it_found_after_all_others(cells, name):
    cells = [BEGIN, *cells, f"found = {name}"]
    whole, alone = {}, {}
    for cell in cells:
        printed(cell, whole)
    printed(needed_code(cells, len(cells) - 1), alone)
    assert alone["found"] == whole["found"]


@given(st.lists(lines(), max_size=8))
def test_what_is_left_stays_in_its_order_and_as_it_was_written(above):
    cells = [BEGIN, *above, "print(a)"]
    written = iter(text for cell in cells for _, text in statements_of(cell))
    left = needed_code(cells, len(cells) - 1)
    assert all(text in written for _, text in statements_of(left))


def test_what_a_cell_does_not_need_is_left_out():
    cells = [
        "import json\nimport numpy as np\nfrom math import (pi,\n    tau)",
        "x = np.ones(3)\ny = np.zeros(3)\nprint(x.sum(), y)",
        "for x in (1, 2):\n    y = x\n    print(np.arange(y))",
        "# Twice.\nprint(tau, np.ones(2))",
    ]
    assert needed_code(cells, 3) == (
        "import numpy as np\nfrom math import tau\n\n"
        "# Twice.\nprint(tau, np.ones(2))"
    )
    assert needed_code(cells, 2) == f"import numpy as np\n\n{cells[2]}"


def test_a_function_brings_what_it_reads_however_late_it_is_given():
    cells = [
        "def twice():\n    return 2 * once()",
        "def once():\n    return number\n\n\nnumber = 1",
        "other = 3",
        "@print\ndef shown():\n    return other",
        "twice()",
    ]
    assert needed_code(cells, 4) == (f"{cells[0]}\n\n\n{cells[1]}\n\ntwice()")


def test_an_argument_hides_a_name_of_the_notebook():
    cells = [
        "x = 1",
        "f = lambda x: [x for x in x]\ndef g(x): return x",
        "g(f)",
    ]
    assert "x = 1" not in needed_code(cells, 2)
    cells[1] = "y = [x for x in range(x)]\ndef g(n=x): return n"
    assert "x = 1" in needed_code(cells, 2)


def test_a_generator_draws_on_from_where_others_left_it():
    cells = [
        "import random\nrng = random.Random(0)",
        "first = rng.random()\nname = str(first)",
        "print(rng.random())",
    ]
    assert "first = rng.random()" in needed_code(cells, 2)
    assert "name" not in needed_code(cells, 2)


def test_an_empty_cell_needs_nothing():
    assert needed_code(["x = 1", "\n# Later.\n"], 1) == "# Later."


@pytest.mark.parametrize("number", [-1, 1, 0.5, None, "0"])
def test_a_number_of_no_cell_is_refused(number):
    with pytest.raises((ValueError, TypeError), match="number is"):
        needed_code(["x = 1"], number)


@pytest.mark.parametrize("source", ["%time x", "def f(:", "x = '\0'"])
def test_what_is_no_python_is_refused(source):
    with pytest.raises(ValueError, match=r"cells\[0\] is not Python"):
        needed_code([source, "x"], 1)
