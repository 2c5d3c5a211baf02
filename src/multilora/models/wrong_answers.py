"""Wrong answers without an error: which releases have them, and when.

The table is data/wrong_answers.json, each row with its source and with the
check of `multilora canary` that finds it.
"""

import operator
from collections.abc import Mapping
from functools import cache
from math import expm1, lgamma, log, log1p
from typing import Any, Literal, NamedTuple

from multilora.arguments import choice, integer, shown
from multilora.models.version_rule import release_numbers
from multilora.published import shared

Standing = Literal["known", "not known", "fixed"]
OPERATORS = {"=": operator.eq, ">=": operator.ge, ">": operator.gt}


class WrongAnswer(NamedTuple):
    """A way in which vLLM answers wrong and reports no error.

    known are the first and the last release that have it, None for any;
    fixed_from is the first of which we read that it is mended, None where
    we did not. how is "reported", "read" or "run". check is the part of
    `multilora canary` that finds it, None where none does.
    """

    id: str
    what: str
    known: tuple[str | None, str | None]
    fixed_from: str | None
    condition: tuple[tuple[str, str, Any], ...]
    sources: tuple[str, ...]
    how: str
    checked: str
    do: str
    check: str | None
    canary: str

    def standing(self, vllm_version: str) -> Standing:
        """Return whether a release has it, as far as we know.

        Raises TypeError for no str, ValueError for no version.
        """
        asked = release_numbers(vllm_version)
        first, last = self.known
        if self.fixed_from and asked >= release_numbers(self.fixed_from):
            return "fixed"
        is_early = first is not None and asked < release_numbers(first)
        is_late = last is not None and asked > release_numbers(last)
        return "not known" if is_early or is_late else "known"

    def is_met(self, facts: Mapping[str, Any]) -> bool | None:
        """True if a server's facts meet the condition.

        None where a fact is missing that decides. facts are vLLM's
        arguments by name, and is_moe, is_wrapper, device ("cuda", "cpu"),
        num_adapters, loads_at_run_time, reuses_names, ids_from_hash.
        Raises TypeError for facts that are no mapping, or of a wrong kind.
        """
        if not isinstance(facts, Mapping):
            raise TypeError(f"facts is {shown(facts)}, but must be a mapping")
        found = [_holds(facts, *part) for part in self.condition]
        if False in found:
            return False
        return None if None in found else True


def wrong_answers(
    vllm_version: str | None = None, with_unknown: bool = False
) -> tuple[WrongAnswer, ...]:
    """Return the wrong answers that a release is known to have; None: all.

    with_unknown adds those of which we do not know whether the release has
    them: it lies outside of what was reported, and no fix was read.
    Raises TypeError for no str, ValueError for no version.
    """
    with_unknown = choice("with_unknown", with_unknown, (False, True))
    wanted = {"known", "not known"} if with_unknown else {"known"}
    if vllm_version is None:
        return _rows()
    return tuple(r for r in _rows() if r.standing(vllm_version) in wanted)


def shared_id_probability(num_names: int, num_ids: int = 10_000) -> float:
    """Return how likely two of num_names share one of num_ids random ids.

    10,000 is for ids made with hash(name) % 10000.
    Raises TypeError and ValueError for counts that are none.
    """
    num_names = integer("num_names", num_names, 0, 10**9)
    num_ids = integer("num_ids", num_ids, 1, 10**9)
    if num_names > num_ids:
        return 1.0
    if num_names < 1000:  # exact; the other form loses digits near 0
        alone = sum(log1p(-i / num_ids) for i in range(num_names))
    else:
        alone = lgamma(num_ids + 1) - lgamma(num_ids - num_names + 1)
        alone -= num_names * log(num_ids)
    return abs(expm1(min(0.0, alone)))


@cache
def _rows():
    tuples = ("known", "sources")
    return tuple(
        WrongAnswer(**{
            **row,
            **{key: tuple(row[key]) for key in tuples},
            "condition": tuple(tuple(part) for part in row["condition"]),
        })
        for row in shared("wrong_answers")["rows"]
    )  # fmt: skip


def _holds(facts, name, sign, value):
    """True or False, or None where a fact is missing."""
    found = facts.get(name)
    # A word is another fact's name, but where words are compared.
    is_name = isinstance(value, str) and sign != "="
    wanted = facts.get(value) if is_name else value
    if found is None or wanted is None:
        return None
    try:
        return bool(OPERATORS[sign](found, wanted))
    except (TypeError, ValueError):
        raise TypeError(
            f"facts holds {name} = {shown(found)}, which does not compare "
            f"with {shown(wanted)}"
        ) from None
