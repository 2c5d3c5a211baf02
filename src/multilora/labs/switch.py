"""LAB_IMPL: whose code runs, the library's or the learner's."""

import importlib
import os
from collections.abc import Callable

from multilora.arguments import choice
from multilora.labs.guards import guard
from multilora.labs.places import told, where_in

# Elsewhere these three are imported from here.
from multilora.labs.slips import NotAttemptedError as NotAttemptedError
from multilora.labs.slips import SlipError
from multilora.labs.slips import require as require

# What each lab asks the learner to write, and where the answer lives.
NAMES = {
    "01": {
        "lora_delta": "multilora.matmul.lora",
        "apply_single": "multilora.matmul.lora",
        "apply_batched": "multilora.matmul.lora",
    },
    "02": {
        "merge_weights": "multilora.matmul.lora",
        "eval_diff": "multilora.adapters.diff",
        "base_fingerprint": "multilora.adapters.checkpoints",
    },
    "03": {
        "lora_params_per_layer": "multilora.memory.economics",
        "adapter_bytes": "multilora.memory.economics",
        "adapters_per_gib": "multilora.memory.economics",
        "shrink_ratio": "multilora.memory.economics",
        "gpus_saved": "multilora.memory.economics",
    },
    "04": {
        "AdapterSlotCache": "multilora.cache.slots",
        "schedule_step": "multilora.cache.slots",
        "lru_hit_curve": "multilora.cache.hitrate",
    },
}


def chosen_implementation() -> str:
    """Return "solution" or "starter", as the variable LAB_IMPL says."""
    value = os.environ.get("LAB_IMPL") or "solution"
    return choice("LAB_IMPL", value, ("solution", "starter"))


def lab_of(name: str) -> str:
    """Return the number of the lab that asks for this function."""
    every = {item: lab for lab, items in NAMES.items() for item in items}
    return every[choice("name", name, every)]


def library(name: str) -> Callable:
    """Return the library's own function or class: the answer key."""
    module = importlib.import_module(NAMES[lab_of(name)][name])
    return getattr(module, name)


def starter(name: str) -> Callable:
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


def implementation(name: str) -> Callable:
    """Return what LAB_IMPL chooses; a result of None means not attempted."""
    if chosen_implementation() == "solution":
        return library(name)
    return guarded(name, starter(name))


def guarded(name: str, thing: Callable) -> Callable:
    """Return thing, raising NotAttemptedError where it is still a stub.

    Where it returns None all the same, or does not take the lab's arguments,
    the SlipError names the learner's line.
    """
    return guard(name, thing, library(name))
