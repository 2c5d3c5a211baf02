"""Guards around a learner's code: stubs and wrong signatures are sentences."""

import functools
import inspect
from collections.abc import Callable

from multilora.labs.places import definition, keep_place
from multilora.labs.slips import NotAttemptedError, SlipError, require


def guard(name: str, thing: Callable, answer: Callable) -> Callable:
    """Return thing, a function or class, guarded; answer is the library's."""
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
    try:
        return type(name, (thing,), members)
    except TypeError:  # a class that cannot be extended, as bool
        return thing


def _guarded_start(name, thing, answer):
    """Guard __init__, which returns None and may be absent."""

    @functools.wraps(thing.__init__)
    def start(self, *args, **kwargs):
        starts = thing.__new__, thing.__init__
        if starts == (object.__new__, object.__init__):
            raise SlipError(
                f"{definition(thing)}: {name} has no __init__; wanted is "
                f"def __init__{bare_signature(answer.__init__)}"
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


def is_stub(function: object) -> bool:
    """True for a function whose whole body is `return None` or `pass`."""
    code = getattr(function, "__code__", None)
    if code is None or code.co_names:
        return False
    return len(code.co_code) <= len(_stub.__code__.co_code)


def _stub():
    return None


def _called(name, function, answer, args, kwargs):
    """Call it; a TypeError of the call itself names the def line."""
    try:
        return function(*args, **kwargs)
    except BaseException as error:
        is_call = isinstance(error, TypeError)
        misfit = _misfit(function, args, kwargs) if is_call else None
        if misfit is None:  # the error comes from within
            keep_place(error, function)
            raise
    short = name.rpartition(".")[2]
    wanted = getattr(answer, "fget", answer)
    raise SlipError(
        f"{definition(function)}: {name} cannot be called as the lab calls "
        f"it, {misfit}; wanted is def {short}{bare_signature(wanted)}"
    )


def bare_signature(function: Callable) -> inspect.Signature:
    """Return a function's signature without types, as a starter has it."""
    signature = inspect.signature(function)
    bare = [
        item.replace(annotation=inspect.Parameter.empty)
        for item in signature.parameters.values()
    ]
    return signature.replace(
        parameters=bare, return_annotation=inspect.Signature.empty
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
