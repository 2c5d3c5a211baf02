"""CPU seconds of a call, and those of them spent in the base matmul."""

import ctypes
import time
from contextlib import contextmanager

import numpy as np


class Stopwatch:
    """Adds up the CPU seconds spent in what it is wrapped around."""

    def __init__(self):
        self.seconds = 0.0

    def around(self, function):
        def timed(*args, **kwargs):
            start = time.process_time()
            result = function(*args, **kwargs)
            self.seconds += time.process_time() - start
            return result

        return timed


class TimedMatrix(np.ndarray):
    """A view of W that lets a Stopwatch run during its matrix product."""

    stopwatch = None

    def __array_finalize__(self, parent):
        self.stopwatch = getattr(parent, "stopwatch", None)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        plain = [np.asarray(item) for item in inputs]
        run = self.stopwatch.around(getattr(ufunc, method))
        return run(*plain, **kwargs)


def watched(W, stopwatch):
    """Return a view of W whose products run the stopwatch."""
    view = W.view(TimedMatrix)
    view.stopwatch = stopwatch
    return view


def seconds(functions, stopwatch, num_rounds):
    """Return ({name: CPU seconds a round}, {name: those in the base})."""
    total = {name: np.empty(num_rounds) for name in functions}
    inside = {name: np.empty(num_rounds) for name in functions}
    rng = np.random.default_rng(0)
    for turn in range(num_rounds):
        for name in rng.permutation(list(functions)).tolist():
            stopwatch.seconds, start = 0.0, time.process_time()
            functions[name]()
            total[name][turn] = time.process_time() - start
            inside[name][turn] = stopwatch.seconds
    return total, inside


@contextmanager
def kept_memory():
    """Have glibc keep what is freed: no page faults, for anyone.

    By default a process pays them or not by the history of its heap, which
    doubles PEFT's delta by chance and vLLM's at 256 rows four times over.
    """
    keep, default = ((-4, 0), (-1, 2**31 - 1)), ((-4, 65536), (-1, 2**17))
    mallopt = getattr(ctypes.CDLL(None), "mallopt", lambda *_: 0)
    for setting in keep:  # M_MMAP_MAX, M_TRIM_THRESHOLD
        mallopt(*setting)
    try:
        yield
    finally:
        for setting in default:
            mallopt(*setting)
