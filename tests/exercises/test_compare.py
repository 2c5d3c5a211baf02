"""What is the same, and how far off is the rest."""

import numpy as np
import pytest

from multilora.exercises.compare import distance, same


@pytest.mark.parametrize(
    ("mine", "right", "is_same"),
    [
        (True, 1, False),
        (1.0, 1, True),
        (10**15 + 1, 10**15, False),
        (0.1 + 0.2, 0.3, True),
        ([1, (2, 3)], [1, [2, 3]], True),
        ([1, 2], [1, 2, 3], False),
        ({1: 2}, {1: 2.0}, True),
        ({1: 2, 3: 4}, {1: 2}, False),
        ([[1.0, 2.0]], np.array([[1.0, 2.0]]), True),
        ([1.0, 2.0], np.array([[1.0, 2.0]]), False),
        ("a", "a", True),
        ("12", [1, 2], False),
        (float("nan"), 1.0, False),
    ],
)
def test_same_is_equal_up_to_rounding_and_form(mine, right, is_same):
    assert same(mine, right) is is_same


@pytest.mark.parametrize(
    ("mine", "words"),
    [
        (100.5, "a whole number is wanted"),
        (101, "too large, by less than 1 %"),
        (91, "too small, by less than 10 %"),
        (199, "too large, by less than a factor of 2"),
        (20, "too small, by a factor between 2 and 10"),
        (5_000, "too large, more than ten times"),
        (-100, "too small"),
        (float("inf"), "that is no finite number"),
        (10**400, "far too large"),
        (-(10**400), "far too small"),
        ("100", "a number is wanted"),
    ],
)
def test_how_far_off_is_said_in_bands(mine, words):
    assert distance(mine, 100) == words
