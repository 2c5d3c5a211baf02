"""Run a lab's spec: on one function from a cell, or as a grade."""

import importlib
import inspect
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import NamedTuple

from multilora.arguments import choice, shown
from multilora.labs.places import told, where
from multilora.labs.switch import (
    NAMES,
    NotAttemptedError,
    SlipError,
    chosen_implementation,
    guarded,
    lab_of,
    library,
    starter,
)

MARKS = {"pass": "✓", "not attempted yet": "·", "wrong": "✗"}


class Outcome(NamedTuple):
    """One test of a spec: verdict is a key of MARKS."""

    test: str
    verdict: str
    reason: str


def check(function: Callable, name: str | None = None) -> bool:
    """Grade one function against the spec and print a line a test.

    function stands for the one of its own __name__, or of `name`; the rest
    of the lab is the library. Returns True if every test passes.
    """
    if not callable(function):
        raise TypeError(
            f"function is {shown(function)}, but must be a function or class"
        )
    name = name or function.__name__
    choice("name", name, [item for lab in NAMES.values() for item in lab])
    outcomes = grade_function(name, function)
    print(report(outcomes))
    return all(outcome.verdict == "pass" for outcome in outcomes)


def grade_function(name: str, function: Callable) -> list[Outcome]:
    """Return the Outcomes of the tests that use this one function."""
    parts = {item: library(item) for item in NAMES[lab_of(name)]}
    parts[name] = guarded(name, function)
    return [
        _run(test, parts)
        for test in spec_tests(lab_of(name))
        if name in inspect.signature(test).parameters
    ]


def grade_lab(lab: str) -> list[Outcome]:
    """Return the Outcomes of the learner's starter file on a whole spec."""
    parts = {}
    for name in NAMES[choice("lab", lab, NAMES)]:
        try:
            parts[name] = guarded(name, starter(name))
        except SlipError as slip:
            parts[name] = _always(slip)
    return [_run(test, parts) for test in spec_tests(lab)]


def is_attempted(name: str, function: Callable) -> bool:
    """True unless every test finds that the function returns nothing."""
    verdicts = {item.verdict for item in grade_function(name, function)}
    return verdicts != {"not attempted yet"}


def for_notebook(lab: str) -> SimpleNamespace:
    """Return a lab's functions for its notebook, as a namespace.

    Under LAB_IMPL=starter it is the learner's code; what is not attempted
    yet is filled in by the library, with a note that says so.
    """
    choice("lab", lab, NAMES)
    found = {name: library(name) for name in NAMES[lab]}
    if chosen_implementation() == "starter":
        for name in found:
            if is_attempted(name, starter(name)):
                found[name] = starter(name)
                print(f"{name}: your code")
            else:
                print(f"{name}: not attempted yet, the library stands in")
    return SimpleNamespace(**found)


def spec_tests(lab: str) -> list[Callable]:
    """Return the test functions of a lab's spec, in order."""
    choice("lab", lab, NAMES)
    module = importlib.import_module(f"multilora.labs.spec_{lab}")
    return [
        value for key, value in vars(module).items() if key.startswith("test_")
    ]


def report(outcomes: Sequence[Outcome]) -> str:
    """Return the outcomes as text, a score in the last line."""
    lines = [
        f"{MARKS[item.verdict]} {item.test.removeprefix('test_')}"
        + (f": {item.reason}" if item.reason else "")
        for item in outcomes
    ]
    passed = sum(item.verdict == "pass" for item in outcomes)
    return "\n".join([*lines, f"{passed} of {len(outcomes)} tests pass"])


def _always(slip):
    """Stand in for a function that cannot be had: raise why, when called."""

    def raise_slip(*args, **kwargs):
        raise slip

    return raise_slip


def _run(test, parts):
    wanted = inspect.signature(test).parameters
    try:
        test(**{name: parts[name] for name in wanted})
    except NotAttemptedError as stub:
        return Outcome(test.__name__, "not attempted yet", str(stub))
    except SlipError as slip:
        return Outcome(test.__name__, "wrong", str(slip))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # sys.exit() in a starter too
        place = where(error)
        reason = (
            f"raised {told(error)}, {place}"
            if place
            else f"what came back cannot be used: {told(error)}"
        )
        return Outcome(test.__name__, "wrong", reason)
    return Outcome(test.__name__, "pass", "")
