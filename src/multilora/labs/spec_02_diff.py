"""The spec of lab 02, second part: two runs, token by token."""

from multilora.arguments import shown
from multilora.labs.slips import require
from multilora.labs.spec_02_models import (
    Said,
    plain_diff,
    random_runs,
    said,
    slips_of,
)

FIELDS = (
    "num_prompts",
    "num_equal",
    "first_differences",
    "max_logprob_difference",
)


def test_equal_runs_have_no_difference(eval_diff):
    run = [Said((5, 6, 2), (-0.5, -0.25, -0.125)), Said((2,), (-1.0,))]
    _require_diff(eval_diff, (run, list(run)), ([said()], [said()]))


def test_the_first_other_token_is_found(eval_diff):
    _require_diff(eval_diff, *map(random_runs, range(6)))
    left = [said(5, 6, 2), said(7, 8, 9, 2), said(2)]
    right = [said(5, 6, 2), said(7, 9, 8, 2), said(2)]
    _require_diff(eval_diff, (left, right))


def test_a_reply_that_stops_early_differs_where_it_stops(eval_diff):
    short, long = [said(5, 6)], [said(5, 6, 2)]
    for left, right in ((short, long), (long, short)):
        got = eval_diff(left, right)
        require(
            _field(got, "num_equal") == 0,
            "a reply that stops early was counted as equal: does zip stop "
            "at the shorter one?",
        )
        _require_diff(eval_diff, (left, right))


def test_logprobs_are_compared_up_to_the_first_other_token(eval_diff):
    left = [Said((5, 6, 7), (-0.5, -1.0, -8.0)), Said((2,), (-1.0,))]
    right = [Said((5, 6, 9), (-0.5, -0.75, -1.0)), Said((2,), (-1.5,))]
    got = eval_diff(left, right)
    require(
        _field(got, "max_logprob_difference") != 7.0,
        "logprobs of different tokens were compared: stop at the first "
        "other token",
    )
    require(
        _field(got, "max_logprob_difference") != -0.25,
        "a difference has no sign here: take its absolute value",
    )
    _require_diff(eval_diff, (left, right))


def _require_diff(eval_diff, *runs):
    """Raise SlipError for the first field that differs from the model's.

    A slip must explain what came back for all the runs; one or two of them
    would fit too many.
    """
    got = [_checked(eval_diff, *run) for run in runs]
    wanted = [plain_diff(*run) for run in runs]
    slips = [slips_of(*run) for run in runs]
    for place, field in enumerate(FIELDS):
        values = [_field(item, field) for item in got]
        rights: list = [item[place] for item in wanted]
        for sentence in slips[0][field] if len(runs) > 2 else ():
            wrong = [item[field][sentence] for item in slips]
            require(values == rights or values != wrong, sentence)
        for value, right in zip(values, rights, strict=True):
            is_extra = isinstance(value, dict) and right != value
            require(
                not is_extra or not right.items() <= value.items(),
                "first_differences holds prompts that are equal: leave them "
                "out",
            )
            require(value == right, f"{field} is {value}, but must be {right}")


def _checked(eval_diff, left, right):
    kept = list(left), list(right)
    got = eval_diff(left, right)
    require(
        (left, right) == kept,
        "a list of replies was changed in place: leave both as they are",
    )
    first = _field(got, "first_differences")
    require(
        isinstance(first, dict),
        f"first_differences is {shown(first)}, but must be a dict, "
        "{prompt's number: position}",
    )
    return got


def _field(got, name):
    kind = type(got).__name__
    require(hasattr(got, name), f"a {kind} came back: return an EvalDiff")
    return getattr(got, name)
