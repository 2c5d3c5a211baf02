"""Wrong arguments of what the quizzes offer work or are named."""

import pytest

from bad_input import each_wrong_value
from multilora.quiz import quiz_of
from multilora.quiz.question import Choice, right, rounded, wrong

GOOD = {quiz_of: ("guide",), rounded: (1255.1,)}

test_each_wrong_value_works_or_is_named = each_wrong_value(GOOD)


@pytest.mark.parametrize(
    ("options", "num"),
    [
        ((), 0),
        ((wrong("a", "b"),), 0),
        ((right("a", "b"), wrong("c", "d"), right("e", "f")), 2),
    ],
)
def test_a_choice_without_exactly_one_right_option_is_refused(options, num):
    with pytest.raises(ValueError, match=f"options has {num} right") as error:
        Choice("Which one?", options)
    assert "Which one?" in str(error.value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (16911, "16,911"), (0, "0"), (0.0, "0.0"), (1255.1, "1,255"),
        (0.71875, "0.719"), (-2.5, "-2.50"), (99.96, "100.0"),
    ],
)  # fmt: skip
def test_a_number_is_rounded_to_three_digits(value, text):
    assert rounded(value) == text
