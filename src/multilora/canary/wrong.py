"""When a changed answer is a finding, and what is said of it.

A change is a finding where it comes in every repeat, or where the changed
answer is another model's own. While an adapter is loaded, one change is
enough if the server gives logprobs: there is one load. Every other change is
counted as unclear.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from multilora.canary.alike import (
    Noise,
    is_changed,
    is_same,
    looks_like,
    share_agreeing,
)
from multilora.canary.greedy import Reply

MAX_QUOTED = 60
# What each check compares, as a table says it.
CHECKS = {
    "base": "the base, in a batch with all",
    "company": "each adapter, in a batch with all",
    "prefix": "one prompt, by all in turn",
    "load": "the others, during a load",
    "loaded": "all, in a batch with the new one",
    "applied": "each adapter against the base",
    "twins": "adapters against each other",
}
MEANINGS = {
    "base": "requests of the base may get an adapter's weights",
    "company": "its requests may get the weights of others",
    "prefix": "it may read KV blocks that another model wrote",
    "load": "the load may have changed whose weights it gets",
    "loaded": "the new adapter may have taken its slot, or the base's",
    "applied": "the adapter may not be applied",
    "twins": "they may share an id or weights, if none is a copy",
}


class Finding(NamedTuple):
    """A check that a model fails. like is whose answer it gave, if known.

    num_changed of num_asked answers were changed. An example: after the
    prompt, expected is its own answer, got what came. is_hint: it may be
    meant so.
    """

    check: str
    model: str
    like: str | None
    num_changed: int
    num_asked: int
    prompt: str
    expected: str
    got: str
    is_hint: bool = False
    has_logprobs: bool = True

    @property
    def sentence(self) -> str:
        """What was seen, and what it may mean."""
        on_all = f" on all {self.num_asked} prompts"
        if self.has_logprobs:
            on_all += " with the same logprobs"
        if self.check == "applied":
            seen = f"{self.model} answers as {self.like}, the base,{on_all}"
        elif self.check == "twins":
            seen = f"{self.model} and {self.like} answer the same{on_all}"
        else:
            of = f"{self.num_changed} of {self.num_asked} answers"
            seen = f"{self.model}: {of} were not its own"
            if self.like is not None:
                seen += f", but those of {self.like}"
        return f"{seen}: {MEANINGS[self.check]}"


class Case(NamedTuple):
    """One answer of a check, beside a model's own, and those of others."""

    check: str
    model: str
    prompt: str
    reply: Reply
    own: Reply
    others: dict[str, Reply]


class Judged(NamedTuple):
    """Findings; unclear changes by check; the agreeing leading tokens."""

    findings: list[Finding]
    num_unclear: dict[str, int]
    agreeing: dict[str, float]


def judged(cases: Sequence[Case], noise: Noise, is_exact: bool) -> Judged:
    """Return what cases show; without is_exact only how far they agree."""
    findings, num_unclear = [], {}
    for check in _ordered(case.check for case in cases):
        mine = [case for case in cases if case.check == check]
        changed = []
        for model in _ordered(case.model for case in mine) if is_exact else ():
            theirs = [case for case in mine if case.model == model]
            found, num = _of_model(theirs, noise)
            findings += found
            changed.append(num)
        num_unclear[check] = sum(changed)
    return Judged(findings, num_unclear, _agreeing(cases))


def _of_model(cases, noise):
    """Return (findings of one model in one check, its unclear changes)."""
    like, wrong, num_unclear = None, [], 0
    for prompt in _ordered(case.prompt for case in cases):
        asked = [case for case in cases if case.prompt == prompt]
        changed = [c for c in asked if is_changed(c.reply, c.own, noise)]
        whose = [looks_like(c.reply, c.own, c.others, noise) for c in changed]
        named = [name for name in whose if name is not None]
        is_load = cases[0].check == "load" and bool(asked[0].own.logprobs)
        if changed and (named or is_load or len(changed) == len(asked)):
            wrong += changed
            like = like or next(iter(named), None)
        else:
            num_unclear += len(changed)
    if not wrong:
        return [], num_unclear
    worst = min(wrong, key=lambda c: share_agreeing(c.reply, c.own))
    found = Finding(
        worst.check, worst.model, like, len(wrong), len(cases), worst.prompt,
        quoted(worst.own), quoted(worst.reply),
    )  # fmt: skip
    return [found], num_unclear


def unapplied(
    base: str, answers: dict[str, dict[str, Reply]], noise: Noise
) -> list[Finding]:
    """Return the adapters that answer as the base, and those that are alike.

    answers are {model: {prompt: its own answer}}. Two that both answer as
    the base are not named as alike too.
    """
    findings: list[Finding] = []
    adapters = [name for name in answers if name != base]
    bare = [name for name in adapters if _alike(answers, name, base, noise)]
    findings += [_finding("applied", n, base, answers, False) for n in bare]
    applied = [name for name in adapters if name not in bare]
    for place, name in enumerate(applied):
        for other in applied[:place]:
            if _alike(answers, name, other, noise):
                row = _finding("twins", name, other, answers, True)
                findings.append(row)
                break
    return findings


def quoted(reply: Reply) -> str:
    """Return an answer on one line, shortened."""
    text = " ".join(reply.text.split())
    return text if len(text) <= MAX_QUOTED else text[:MAX_QUOTED] + "…"


def _alike(answers, name, other, noise):
    return all(
        is_same(reply, answers[other][prompt], noise)
        for prompt, reply in answers[name].items()
    )


def _finding(check, name, other, answers, is_hint):
    prompt, reply = next(iter(answers[name].items()))
    num, said = len(answers[name]), quoted(reply)
    return Finding(
        check, name, other, num, num, prompt, said, said, is_hint,
        bool(reply.logprobs),
    )  # fmt: skip


def _agreeing(cases):
    shares: dict[str, list[float]] = {}
    for case in cases:
        share = share_agreeing(case.reply, case.own)
        shares.setdefault(case.check, []).append(share)
    return {check: sum(all_) / len(all_) for check, all_ in shares.items()}


def _ordered(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
