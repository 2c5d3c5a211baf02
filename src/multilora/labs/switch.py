"""LAB_IMPL: whose code runs, the library's or the learner's."""

import functools
import importlib
import inspect
import os

from multilora.arguments import choice

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
        raise SlipError(
            f"starter_{lab_of(name)}.py does not import: "
            f"{type(error).__name__}: {error}"
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
    """Return thing, raising NotAttemptedError where it returns None."""
    if not inspect.isclass(thing):
        return _guarded_function(name, thing)
    members = {}
    for key, value in vars(thing).items():
        if inspect.isfunction(value) and not key.startswith("_"):
            members[key] = _guarded_function(f"{name}.{key}", value)
        elif isinstance(value, property):
            getter = _guarded_function(f"{name}.{key}", value.fget)
            members[key] = property(getter)
    return type(name, (thing,), members)


def _guarded_function(name, function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        result = function(*args, **kwargs)
        if result is None:
            raise NotAttemptedError(f"{name}: not attempted yet")
        return result

    return wrapper
