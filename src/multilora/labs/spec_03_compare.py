"""Compare a learner's numbers with the right ones, and name the slip."""

import math
import numbers
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import SimpleNamespace

import numpy as np

from multilora.arguments import shown
from multilora.labs.slips import SlipError, require

DEFAULTS = {"targets": 4, "bytes_per_param": 2}


def compare(
    name: str,
    function: Callable,
    cases: Sequence[dict[str, int]],
    right: Callable,
    slips: Mapping[str, Callable],
) -> None:
    """Raise SlipError unless function gives the right number in each case.

    cases are dicts of arguments. right and the slips, {sentence: what gives
    the wrong number}, take a case as attributes, defaults filled in. A slip
    must explain every case. An argument that does nothing is named, then
    the first case that differs.
    """
    got = [_number(name, function(**case), case) for case in cases]
    filled = [SimpleNamespace(**DEFAULTS | case) for case in cases]
    wanted = [*map(right, filled)]
    if all(map(_same, got, wanted)):
        return
    for sentence, slip in slips.items():
        if all(map(_same, got, map(slip, filled, wanted))):
            raise SlipError(sentence)
    require(
        len(set(got)) > 1,
        f"{name} gives {got[0]:,} whatever it is asked: use its arguments",
    )
    _require_all_used(name, cases, got, wanted)
    for case, mine, answer in zip(cases, got, wanted, strict=True):
        require(
            _same(mine, answer),
            f"{_call(name, case)} is {answer:,}, not {mine:,}"
            + _left_out(case, cases[0]),
        )


def one_doubled(
    case: dict[str, int], names: Iterable[str]
) -> list[dict[str, int]]:
    """Return the case, and one more for each name with its value doubled."""
    return [case, *({**case, name: 2 * case[name]} for name in names)]


def _number(name, value, case):
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    require(
        is_number,
        f"{_call(name, case)} is a {type(value).__name__}, {shown(value)}, "
        "but must be a number",
    )
    return value


def _require_all_used(name, cases, got, wanted):
    """Blame the argument that changes the answer, but not the learner's."""
    first = cases[0]
    for case, mine, answer in zip(cases, got, wanted, strict=True):
        changed = [key for key in case if case[key] != first.get(key)]
        if len(changed) == 1 and answer != wanted[0]:
            require(
                mine != got[0],
                f"{changed[0]} is ignored: {_call(name, case)} is as large "
                f"as with {changed[0]}={first.get(changed[0])}",
            )


def _left_out(case, full):
    """Say which defaults the case relies on."""
    names = [f"{key}={DEFAULTS[key]}" for key in full if key not in case]
    return f"; the default is {' and '.join(names)}" if names else ""


def _call(name, case):
    return f"{name}({', '.join(f'{key}={case[key]}' for key in case)})"


def _same(mine, answer):
    return math.isclose(mine, answer, rel_tol=1e-12)
