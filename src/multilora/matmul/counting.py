"""A matrix that records the matrix products it takes part in."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

_PRODUCTS = (np.dot, np.einsum, np.inner, np.outer, np.tensordot)
_CONVERSIONS = ("array", "asarray", "ascontiguousarray", "asfortranarray")


class Product(NamedTuple):
    """One matrix product: its numpy name, and the shapes in and out."""

    operation: str
    operands: tuple[tuple[int, ...], ...]
    result: tuple[int, ...]


class CountingMatrix(np.ndarray):
    """A view of a matrix whose `products` lists each product made with it.

    Transposes, slices, copies and what is computed from it item by item
    share the list. The result of a product is a plain array, or, where two
    of these take part, one with an empty list. Two that are multiplied item
    by item are a product too. Make one with counting(W).
    """

    _logs: tuple[list[Product], ...] = ()

    def __array_finalize__(self, parent):
        self._logs = getattr(parent, "_logs", ())

    @property
    def products(self) -> list[Product]:
        """Each Product so far, in order."""
        return [product for log in self._logs for product in log]

    @property
    def calls(self) -> list[str]:
        """The numpy name of each product so far, in order."""
        return [product.operation for product in self.products]

    def dot(self, other: npt.ArrayLike, out: np.ndarray | None = None) -> Any:
        """Do what ndarray.dot does, which numpy tells nobody about."""
        return np.dot(self, other, out=out)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        out = kwargs.get("out")
        if out is not None:
            kwargs["out"] = _plain(out)
        result = getattr(ufunc, method)(*_plain(inputs), **kwargs)
        found = _counting_in(inputs)
        of_two = ufunc is np.multiply and _differ(found)
        if of_two or ufunc.signature is not None:
            result = _recorded(ufunc.__name__, inputs, found, result)
        elif found:
            result = _counted(result, _logs_of(found))
        if out is None:
            return result
        return out[0] if len(out) == 1 else out

    def __array_function__(self, function, types, args, kwargs):
        found = _counting_in((args, kwargs))
        if function in _PRODUCTS:
            result = function(*_plain(args), **_plain(kwargs))
            return _recorded(function.__name__, args, found, result)
        logs = _logs_of(found)
        before = sum(map(len, logs))
        result = super().__array_function__(function, types, args, kwargs)
        has_multiplied = sum(map(len, logs)) > before
        return _counted(result, () if has_multiplied else logs)


def counting(matrix: npt.ArrayLike) -> CountingMatrix:
    """Return a CountingMatrix over an array, with no product so far."""
    return _counted(np.asarray(matrix), ([],))


@contextmanager
def conversions_kept() -> Iterator[None]:
    """Let np.asarray and np.array return a CountingMatrix as one.

    Without this, both return a plain array, whose products nobody counts.
    """
    usual = {name: getattr(np, name) for name in _CONVERSIONS}
    for name, convert in usual.items():
        setattr(np, name, _keeping(convert))
    try:
        yield
    finally:
        for name, convert in usual.items():
            setattr(np, name, convert)


def _keeping(convert):
    def keep(thing, *args, **kwargs):
        result = convert(thing, *args, **kwargs)
        found = _counting_in(thing)
        return _counted(result, _logs_of(found)) if found else result

    return keep


def _recorded(operation, operands, found, result):
    """List a product of the matrices found, and return its result."""
    shapes = tuple(
        np.shape(item) for item in operands if isinstance(item, np.ndarray)
    )
    for log in _logs_of(found):
        log.append(Product(operation, shapes, np.shape(result)))
    return _counted(result, ()) if len(found) > 1 else result


def _differ(found):
    """True if two of the matrices do not share their lists."""
    return len({tuple(map(id, matrix._logs)) for matrix in found}) > 1


def _counting_in(thing):
    """Return every CountingMatrix in nested arguments."""
    found, left = [], [thing]
    while left:
        item = left.pop()
        if isinstance(item, CountingMatrix):
            found.append(item)
        elif isinstance(item, dict):
            left += item.values()
        elif isinstance(item, list | tuple):
            left += item
    return found


def _logs_of(found):
    """Return the lists of some matrices, each once."""
    return tuple({id(log): log for m in found for log in m._logs}.values())


def _counted(result, logs):
    if not isinstance(result, np.ndarray) or not result.ndim:
        return result
    counted = result.view(CountingMatrix)
    counted._logs = logs
    return counted


def _plain(item):
    if isinstance(item, CountingMatrix):
        return item.view(np.ndarray)
    if isinstance(item, dict):
        return {key: _plain(value) for key, value in item.items()}
    if type(item) in (list, tuple):
        return type(item)(map(_plain, item))
    return item
