"""LAB_IMPL: whose code runs, the library's or the learner's."""

import functools
import importlib
import inspect
import os

from multilora.arguments import choice
from multilora.labs.places import definition, told, where_in

# What each lab asks the learner to write, and where the answer lives.
NAMES = {
    "01": {
        "lora_delta": "multilora.lora",
        "apply_single": "multilora.lora",
        "apply_batched": "multilora.lora",
    },
    "02": {
        "merge_weights": "multilora.lora",
        "eval_diff": "multilora.evaluation",
        "base_fingerprint": "multilora.checkpoints",
    },
    "03": {
        "lora_params_per_layer": "multilora.economics",
        "adapter_bytes": "multilora.economics",
        "adapters_per_gib": "multilora.economics",
        "shrink_ratio": "multilora.economics",
        "gpus_saved": "multilora.economics",
    },
    "04": {
        "AdapterSlotCache": "multilora.slots",
        "schedule_step": "multilora.slots",
        "lru_hit_curve": "multilora.hitrate",
    },
}


class NotAttemptedError(AssertionError):
    """The learner's function still returns nothing."""


class SlipError(AssertionError):
    """The function is wrong; the message names the slip."""


def require(condition, sentence):
    """Raise SlipError with the sentence unless the condition holds."""
    if not condition:
        raise SlipError(sentence)


def chosen_implementation():
    """Return "solution" or "starter", as the variable LAB_IMPL says."""
    value = os.environ.get("LAB_IMPL") or "solution"
    return choice("LAB_IMPL", value, ("solution", "starter"))


def lab_of(name):
    """Return the number of the lab that asks for this function."""
    every = {item: lab for lab, items in NAMES.items() for item in items}
    return every[choice("name", name, every)]


def library(name):
    """Return the library's own function or class: the answer key."""
    module = importlib.import_module(NAMES[lab_of(name)][name])
    return getattr(module, name)


def starter(name):
    """Return the learner's function or class.

    Raises SlipError when the file does not import or lacks the name.
    """
    path = f"multilora.labs.starter_{lab_of(name)}"
    try:
        module = importlib.import_module(path)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # sys.exit() in a starter too
        file = f"starter_{lab_of(name)}.py"
        place = where_in(error, file)
        raise SlipError(
            f"{file} does not import: {told(error)}"
            + (f", {place}" if place else "")
        ) from None
    if not hasattr(module, name):
        raise SlipError(f"starter_{lab_of(name)}.py does not define {name}")
    return getattr(module, name)


def implementation(name):
    """Return what LAB_IMPL chooses; a result of None means not attempted."""
    if chosen_implementation() == "solution":
        return library(name)
    return guarded(name, starter(name))


def guarded(name, thing):
    """Return thing, raising NotAttemptedError where it is still a stub.

    Where it returns None all the same, or does not take the lab's arguments,
    the SlipError names the learner's line.
    """
    answer = library(name)
    if inspect.isclass(thing) and inspect.isclass(answer):
        return _guarded_class(name, thing, answer)
    return _guarded_function(name, thing, answer)


def _guarded_class(name, thing, answer):
    members = {"__init__": _guarded_start(name, thing, answer)}
    for key in vars(answer):
        value = inspect.getattr_static(thing, key, None)
        path, wanted = f"{name}.{key}", inspect.getattr_static(answer, key)
        if key.startswith("_"):
            continue
        if isinstance(value, property) and isinstance(wanted, property):
            getter = _guarded_function(path, value.fget, wanted.fget)
            members[key] = property(getter, value.fset, value.fdel)
        elif inspect.isfunction(value):
            members[key] = _guarded_function(path, value, wanted)
    return type(name, (thing,), members)


def _guarded_start(name, thing, answer):
    """Guard __init__, which returns None and may be absent."""

    @functools.wraps(thing.__init__)
    def start(self, *args, **kwargs):
        if thing.__init__ is object.__init__:
            raise SlipError(
                f"{definition(thing)}: {name} has no __init__; wanted is "
                f"def __init__{inspect.signature(answer.__init__)}"
            )
        path = f"{name}.__init__"
        _called(path, thing.__init__, answer.__init__, (self, *args), kwargs)

    return start


def _guarded_function(name, function, answer):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        result = _called(name, function, answer, args, kwargs)
        if result is None and is_stub(function):
            raise NotAttemptedError(f"{name}: not attempted yet")
        require(
            result is not None,
            f"{definition(function)}: {name} returned nothing: is a "
            "`return` missing?",
        )
        return result

    return wrapper


def is_stub(function):
    """True for a function whose whole body is `return None` or `pass`."""
    code = getattr(function, "__code__", None)
    is_empty = code is not None and not code.co_names
    return is_empty and len(code.co_code) <= len(_stub.__code__.co_code)


def _stub():
    return None


def _called(name, function, answer, args, kwargs):
    """Call it; a TypeError of the call itself names the def line."""
    try:
        return function(*args, **kwargs)
    except TypeError:
        misfit = _misfit(function, args, kwargs)
        if misfit is None:
            raise  # the error comes from within
    short = name.rpartition(".")[2]
    wanted = getattr(answer, "fget", answer)
    raise SlipError(
        f"{definition(function)}: {name} cannot be called as the lab calls "
        f"it, {misfit}; wanted is def {short}{inspect.signature(wanted)}"
    )


def _misfit(function, args, kwargs):
    """Return why arguments do not fit a function's signature, or None."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        return str(error)
    return None
