"""A matrix that counts the matrix products it takes part in."""

import numpy as np

_PRODUCTS = (np.dot, np.einsum, np.inner, np.tensordot)


class CountingMatrix(np.ndarray):
    """A view of a matrix whose `calls` lists each product made with it.

    Transposes and slices share the list; results are plain arrays. Make
    one with counting(W).
    """

    calls = None

    def __array_finalize__(self, parent):
        self.calls = getattr(parent, "calls", None)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        if ufunc is np.matmul and self.calls is not None:
            self.calls.append("matmul")
        if "out" in kwargs:
            kwargs["out"] = tuple(_plain(item) for item in kwargs["out"])
        plain = [_plain(item) for item in inputs]
        return getattr(ufunc, method)(*plain, **kwargs)

    def __array_function__(self, function, types, args, kwargs):
        if function in _PRODUCTS and self.calls is not None:
            self.calls.append(function.__name__)
        return _plain(
            super().__array_function__(function, types, args, kwargs)
        )


def counting(matrix):
    """Return a CountingMatrix over an array, with an empty list of calls."""
    counted = np.asarray(matrix).view(CountingMatrix)
    counted.calls = []
    return counted


def _plain(item):
    return item.view(np.ndarray) if isinstance(item, CountingMatrix) else item
