"""What lab 01's spec hands to a learner's function, and takes back."""

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from multilora.labs.slips import SlipError, require, shape_slip
from multilora.matmul.counting import CountingMatrix

SCALING = 3.0
Pair = tuple[np.ndarray, ...]  # (A, B)


def numbers(*shapes: tuple[int, ...], seed: int = 0) -> list[np.ndarray]:
    """Return whole numbers as floats: their sums are exact in any order."""
    rng = np.random.default_rng(seed)
    return [rng.integers(-4, 5, shape).astype(float) for shape in shapes]


def square(width: int, rank: int) -> tuple[np.ndarray, np.ndarray, Pair]:
    """Return x, W and (A, B) of a square layer, for four rows."""
    x, W, A, B = numbers(
        (4, width), (width, width), (rank, width), (width, rank)
    )
    return x, W, (A, B)


def batch() -> tuple[
    np.ndarray, np.ndarray, list[Pair], list[int], list[float]
]:
    """Return x, W, adapters, ids and scalings: seven rows, three ranks."""
    x, W = numbers((7, 5), (6, 5))
    adapters = [
        tuple(numbers((rank, 5), (6, rank), seed=rank)) for rank in (1, 2, 3)
    ]
    return x, W, adapters, [2, 0, -1, 1, 0, -1, 2], [2.0, 1.0, 4.0]


def pick(adapters: Sequence[Pair | None], adapter_id: int) -> Pair | None:
    """Return the adapter of an id, None for the base."""
    return None if adapter_id == -1 else adapters[adapter_id]


def of(scalings: Sequence[float], ids: Iterable[int]) -> list[float]:
    """Return the scaling of each row; that of a base row means nothing."""
    return [scalings[adapter_id] for adapter_id in ids]


def loop(
    x: np.ndarray,
    W: np.ndarray,
    pairs: Iterable[Pair | None],
    scalings: Iterable[float],
) -> np.ndarray:
    """Return what apply_batched must, row by row."""
    rows = [
        row @ W.T + (0 if pair is None else s * row @ pair[0].T @ pair[1].T)
        for row, pair, s in zip(x, pairs, scalings, strict=True)
    ]
    return np.array(rows)


def call(function: Callable, *arguments: object) -> np.ndarray:
    """Return the result, an array; the arguments must stay as given."""
    before = copy.deepcopy([_plain(item) for item in arguments])
    try:
        with np.errstate(all="ignore"):  # some specs hand over NaN
            result = function(*arguments)
    except ValueError as error:
        raise shape_slip(
            error,
            "A is (r, in) and shrinks, B is (out, r) and expands: are A and "
            "B swapped, or .T missing?",
        ) from None
    for given, kept in zip(arguments, before, strict=True):
        require(
            _is_same(given, kept),
            "an argument was changed in place: work on a copy",
        )
    _require_array(result)
    return result.view(np.ndarray)


def name_slip(
    got: np.ndarray,
    slips: Mapping[str, np.ndarray],
    wanted: np.ndarray,
    what: str,
) -> None:
    """Raise the sentence of the slip that gives these numbers, if any."""
    if got.shape == wanted.shape and np.array_equal(got, wanted):
        return
    for sentence, wrong in slips.items():
        if got.shape == wrong.shape and np.allclose(got, wrong):
            raise SlipError(sentence)
    require(
        got.shape == wanted.shape,
        f"{what} returns shape {got.shape}, but must return {wanted.shape}",
    )
    require(np.isfinite(got).all(), f"{what} returns NaN or infinity")
    require(
        np.allclose(got, wanted, rtol=1e-9, atol=1e-9),
        f"{what} is off by up to {np.abs(got - wanted).max():.3g}",
    )


def _require_array(result):
    require(
        type(result) in (np.ndarray, CountingMatrix),
        f"the result is a {type(result).__name__}, but must be a numpy array "
        "of shape (rows, out)",
    )
    require(
        result.dtype == np.float64,
        f"the result's numbers are of type {result.dtype}, but must be "
        "float64, as those of x @ W.T here",
    )


def _plain(item):
    return np.array(item) if isinstance(item, np.ndarray) else item


def _is_same(given, kept):
    if isinstance(given, np.ndarray):
        return np.array_equal(given, kept, equal_nan=True)
    if isinstance(given, list | tuple):
        return len(given) == len(kept) and all(map(_is_same, given, kept))
    return given is kept or given == kept
