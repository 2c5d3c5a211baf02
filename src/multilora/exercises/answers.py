"""What an answer may be, and how it is judged: a number, a set, a function.

A kind of answer is called with what the learner gave. It returns a sentence
on the right answer, raises SlipError with a reason for a wrong one, and
NotAttemptedError for None.
"""

import copy
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cached_property

from multilora.exercises.compare import distance, is_finite, same, told
from multilora.exercises.given import one_number, results, several
from multilora.labs.switch import SlipError, require


@dataclass(frozen=True)
class Number:
    """One number. key() is right, slips() is {sentence: wrong number}.

    says is a sentence with {} for the number. within is the relative error
    that rounding may make; 0 asks for the number itself.
    """

    key: Callable[[], float]
    says: str
    slips: Callable[[], dict[str, float]] = dict
    within: float = 0.0

    def __call__(self, answer: object) -> str:
        value, right = one_number(answer), self.key()
        if self._is(value, right):
            digits = "," if isinstance(right, int) else ",.1f"
            return self.says.format(format(right, digits))
        for sentence, wrong in self.slips().items():
            if self._is(value, wrong):
                raise SlipError(sentence)
        raise SlipError(f"{told(answer)}: {distance(value, right)}")

    def _is(self, value, wanted):
        if not is_finite(value):  # an int of hundreds of digits
            return False
        return math.isclose(value, wanted, rel_tol=self.within or 1e-12)


@dataclass(frozen=True)
class Items:
    """A list whose order counts, or a set of names.

    kind is list or set. key() is right, slips() is [(sentence, wrong)].
    among holds the names to choose from, if there are any.
    """

    key: Callable[[], Collection]
    says: str
    slips: Callable[[], list[tuple[str, Collection]]] = list
    kind: type[list] | type[set] = list
    among: tuple[str, ...] = ()

    def __call__(self, answer: object) -> str:
        mine, right = several(answer, self.kind), self.key()
        mine = self.kind(self._chosen(item) for item in mine)
        if same(mine, right):
            return self.says
        for sentence, wrong in self.slips():
            if same(mine, self.kind(wrong)):
                raise SlipError(sentence)
        raise SlipError(self._difference(mine, right))

    def _chosen(self, item):
        """Return the item, or the name that it is meant to be."""
        if not self.among:
            return item
        found = [name for name in self.among if same(item, name)]
        require(found, f"{told(item)} is none of the names to choose from")
        return found[0]

    def _difference(self, mine, right):
        if self.kind is set:
            num = len(mine & right)
            return f"{num} of {len(mine)} right, {len(right) - num} missing"
        if len(mine) != len(right):
            return distance(mine, right)
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
    cases: Callable[[], list[tuple]]
    says: str
    slips: list[tuple[str, Callable]] = field(default_factory=list)

    def __call__(self, answer: object) -> str:
        cases, right = self._right
        mine = results(answer, cases)
        verdicts = list(map(same, mine, right))
        if all(verdicts):
            return f"{self.says} ({len(cases)} cases)"
        for sentence, theirs in self._wrong:
            if all(map(same, mine, theirs)):
                raise SlipError(sentence)
        place = verdicts.index(False)
        call = f"{told(cases[place])} gave {told(mine[place])}"
        raise SlipError(f"{call}: {distance(mine[place], right[place])}")

    # Cases are the same each time, so what they give is kept.
    @cached_property
    def _right(self):
        cases = self.cases()
        return cases, _given_by(self.key, cases)

    @cached_property
    def _wrong(self):
        cases, _ = self._right
        return [(said, _given_by(wrong, cases)) for said, wrong in self.slips]


def _given_by(function, cases):
    return [function(*copy.deepcopy(case)) for case in cases]
