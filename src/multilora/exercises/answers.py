"""What an answer may be, and how it is judged: a number, a set, a function.

A kind of answer is called with what the learner gave. It returns a sentence
on the right answer, raises SlipError with a reason for a wrong one, and
NotAttemptedError for None.
"""

import copy
import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from multilora.arguments import is_array
from multilora.exercises.compare import (
    distance,
    is_finite,
    is_number,
    same,
    told,
)
from multilora.labs.switch import NotAttemptedError, SlipError, require


@dataclass(frozen=True)
class Number:
    """One number. key() is right, slips() is {sentence: wrong number}.

    says is a sentence with {} for the number. within is the relative error
    that rounding may make; 0 asks for the number itself.
    """

    key: Callable
    says: str
    slips: Callable = dict
    within: float = 0.0

    def __call__(self, answer):
        value, right = one_number(answer), self.key()
        if self._is(value, right):
            digits = "," if isinstance(right, int) else ",.1f"
            return self.says.format(format(right, digits))
        for sentence, wrong in self.slips().items():
            if self._is(value, wrong):
                raise SlipError(sentence)
        raise SlipError(f"{told(answer)} is {distance(value, right)}")

    def _is(self, value, wanted):
        return math.isclose(value, wanted, rel_tol=self.within or 1e-12)


@dataclass(frozen=True)
class Items:
    """A list whose order counts, or a set of names.

    kind is list or set. key() is right, slips() is [(sentence, wrong)].
    """

    key: Callable
    says: str
    slips: Callable = list
    kind: type = list

    def __call__(self, answer):
        mine, right = several(answer, self.kind), self.key()
        if same(mine, right):
            return self.says
        for sentence, wrong in self.slips():
            if same(mine, self.kind(wrong)):
                raise SlipError(sentence)
        raise SlipError(self._difference(mine, right))

    def _difference(self, mine, right):
        if self.kind is set:
            num_right = len(mine & right)
            return (
                f"{num_right} of your {len(mine)} belong there, and "
                f"{len(right) - num_right} are missing"
            )
        if len(mine) != len(right):
            return f"{len(mine)} entries, but there should be {len(right)}"
        pairs = zip(mine, right, strict=True)
        place = [same(*pair) for pair in pairs].index(False)
        return f"entry {place} is {told(mine[place])}, and that is wrong"


@dataclass(frozen=True)
class Function:
    """A function that must return what key returns, case by case.

    cases() is [arguments], small ones first; slips [(sentence, a function
    with that mistake)]. says is the sentence for a right one.
    """

    key: Callable
    cases: Callable
    says: str
    slips: list = field(default_factory=list)

    def __call__(self, answer):
        cases = self.cases()
        mine = results(answer, cases)
        right = [self.key(*copy.deepcopy(case)) for case in cases]
        verdicts = list(map(same, mine, right))
        if all(verdicts):
            return f"{self.says} ({len(cases)} cases)"
        for sentence, wrong in self.slips:
            theirs = [wrong(*copy.deepcopy(case)) for case in cases]
            if all(map(same, mine, theirs)):
                raise SlipError(sentence)
        place = verdicts.index(False)
        call = f"{told(cases[place])} gave {told(mine[place])}"
        raise SlipError(f"{call}: {distance(mine[place], right[place])}")


def results(answer, cases):
    """Return what a learner's function gives for each case.

    It gets copies. Raises NotAttemptedError for an untouched stub, SlipError
    for what is no function, raises, returns nothing or changes its input.
    """
    if answer is None:
        raise NotAttemptedError("not attempted yet")
    is_function = callable(answer) and not inspect.isclass(answer)
    kind = "a class" if inspect.isclass(answer) else told(answer)
    require(is_function, f"{kind} is no function; hand over the function")
    found = [_result(answer, case) for case in cases]
    if all(result is None for result in found):
        if _is_stub(answer):
            raise NotAttemptedError("not attempted yet")
        raise SlipError("it returned nothing: is a `return` missing?")
    for case, result in zip(cases, found, strict=True):
        require(result is not None, f"{told(case)} gave None: no `return`")
    return found


def one_number(answer):
    """Return the answer if it is one finite number."""
    if answer is None or answer is Ellipsis:
        raise NotAttemptedError("not attempted yet")
    if callable(answer):
        raise SlipError("a number is wanted: call your function, or print it")
    if is_array(answer) or not hasattr(answer, "__float__"):
        raise SlipError(f"{told(answer)} is no number; one is wanted")
    value = answer.item() if hasattr(answer, "item") else answer
    require(is_number(value), f"{told(answer)} is no number; one is wanted")
    require(is_finite(value), f"{told(answer)} is not finite")
    return value


def several(answer, kind):
    """Return the answer as a list or a set, if it is one."""
    if answer is None or answer is Ellipsis:
        raise NotAttemptedError("not attempted yet")
    is_row = isinstance(answer, Iterable) and not inspect.isclass(answer)
    if isinstance(answer, str | bytes | Mapping) or not is_row:
        raise SlipError(f"{told(answer)} is no {kind.__name__}")
    if kind is list and isinstance(answer, set | frozenset):
        raise SlipError("that is a set, but the order counts: give a list")
    row = answer.tolist() if is_array(answer) else answer
    try:
        return kind(row)
    except TypeError:  # a set of lists
        raise SlipError(f"{told(answer)} is no set of names") from None


def _result(function, case):
    given = copy.deepcopy(case)
    try:
        result = function(*given)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # sys.exit() too
        reason = f"raised {type(error).__name__}: {error}"
        raise SlipError(f"{told(case)} {reason}") from None
    unchanged = all(map(same, given, case))
    require(unchanged, f"{told(case)}: an argument was changed in place")
    return result


def _stub():
    """A stub as the notebook has it."""
    ...


def _is_stub(function):
    code = getattr(inspect.unwrap(function), "__code__", None)
    is_empty = code is not None and not code.co_names
    return is_empty and len(code.co_code) <= len(_stub.__code__.co_code)
