"""Rows sorted by adapter once a step, for every layer of the step."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from multilora.arguments import (
    any_array,
    is_integer,
    items,
    matrix,
    shown,
)
from multilora.matmul.groups import apply_groups, group_rows
from multilora.matmul.operands import (
    BASE,
    Adapters,
    Scalings,
    check_adapter,
    check_base,
)


@dataclass(frozen=True, eq=False)
class Segments:
    """A batch's rows adapter by adapter; make one with segments_of.

    order is (rows,): the batch's row numbers, segment after segment. spans
    is ((adapter_id, start, stop), …) in that order, -1 for base rows. Both
    are checked here, once, so that no layer has to do it again: ValueError
    when order misses a row or the spans leave a gap, TypeError for spans
    that are no sequence of tuples.
    """

    order: np.ndarray
    spans: tuple[tuple[int, int, int], ...]

    def __post_init__(self):
        order = any_array(self.order)
        is_order = order.dtype.kind in "iu" and order.ndim == 1
        if not is_order or sorted(order.tolist()) != [*range(order.size)]:
            raise ValueError(
                f"order is {shown(self.order)}, but must hold each row "
                "number of a batch once"
            )
        object.__setattr__(self, "order", order)
        object.__setattr__(self, "spans", _spans(self.spans, order.size))

    @cached_property
    def groups(self) -> list[tuple[int, slice]]:
        """[(adapter_id, slice)]: what multilora.matmul.groups takes."""
        return [
            (adapter_id, slice(start, stop))
            for adapter_id, start, stop in self.spans
        ]

    def sort(self, x: npt.ArrayLike) -> np.ndarray:
        """Return x, one row a request, in the order of the segments.

        Raises ValueError when x has another number of rows.
        """
        return self._fitting("x", x)[self.order]

    def unsort(self, y: npt.ArrayLike) -> np.ndarray:
        """Return the rows of y where they stood before sort."""
        y = self._fitting("y", y)
        rows = np.empty_like(y)
        rows[self.order] = y
        return rows

    def _fitting(self, name, array):
        array = any_array(array)
        if array.shape[:1] != self.order.shape:
            raise ValueError(
                f"{name} is {shown(array)}, but must have "
                f"{len(self.order)} rows, as these segments"
            )
        return array


def segments_of(adapter_ids: npt.ArrayLike) -> Segments:
    """Return the Segments of a batch: one stable sort of its ids.

    adapter_ids is (rows,), integers of at least -1 (base), a row at least.
    Raises ValueError or TypeError for anything else.
    """
    num_rows = any_array(adapter_ids).size
    if num_rows == 0:
        raise ValueError(
            f"adapter_ids is {shown(adapter_ids)}, "
            "but must hold one id a row, at least one"
        )
    groups = group_rows(adapter_ids, num_rows)
    stops = np.cumsum([len(rows) for _, rows in groups]).tolist()
    starts = [0, *stops[:-1]]
    distinct = [adapter_id for adapter_id, _ in groups]
    return Segments(
        np.concatenate([rows for _, rows in groups]),
        tuple(zip(distinct, starts, stops, strict=True)),
    )


def fast_layout(
    A: npt.ArrayLike, B: npt.ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Return the same (A, B), with B.T contiguous in memory.

    Equal shapes and values, so it goes wherever the pair goes. The expand
    reads B.T row by row; r long rows are read faster than `out` short ones.
    Errors as multilora.matmul.lora.lora_delta.
    """
    A, B = check_adapter(A, B)
    return np.ascontiguousarray(A), np.ascontiguousarray(B.T).T


def apply_segments(
    x: npt.ArrayLike,
    W: npt.ArrayLike,
    adapters: Adapters,
    segments: Segments,
    scalings: Scalings,
) -> np.ndarray:
    """Do the same as apply_batched, for rows in segment order: no gather.

    x is (rows, in) as segments.sort gives it, and so is the result, (rows,
    out). Each adapter's rows are one slice of x and of the result. Other
    arguments and errors as matmul.lora.apply_batched; the segments are those
    of SGMV (Chen et al. 2023, Punica, section 4).
    """
    x, W = check_base(x, W)
    _check_segments(segments, x)
    return apply_groups(x, W, adapters, segments.groups, scalings)


def apply_layers(
    x: npt.ArrayLike,
    Ws: Iterable[npt.ArrayLike],
    adapters_by_layer: Iterable[Adapters],
    adapter_ids: npt.ArrayLike,
    scalings: Scalings,
) -> np.ndarray:
    """Run a batch through linear layers: sort once, unsort once.

    Ws holds one W (out, in) a layer, each taking what the last one gives;
    adapters_by_layer one table of (A, B) a layer, indexed by adapter id as
    in apply_batched. The result is (rows, out of the last layer), rows in
    the caller's order. Raises ValueError or TypeError naming the layer.
    """
    Ws = items("Ws", Ws, object)
    tables = items("adapters_by_layer", adapters_by_layer, object)
    if not Ws or len(Ws) != len(tables):
        raise ValueError(
            f"Ws holds {len(Ws)} layers and adapters_by_layer {len(tables)}, "
            "but both must hold as many, at least one"
        )
    segments = segments_of(adapter_ids)
    x = segments.sort(matrix("x", x, "(rows, in)"))
    for layer, (W, adapters) in enumerate(zip(Ws, tables, strict=True)):
        try:
            x = apply_segments(x, W, adapters, segments, scalings)
        except (ValueError, TypeError) as error:
            where = f"layer {layer} of Ws and adapters_by_layer"
            raise type(error)(f"{where}: {error}") from None
    return segments.unsort(x)


def _spans(spans, num_rows):
    """Return spans as a tuple if they cut num_rows rows into pieces."""
    spans, end = items("spans", spans, tuple), 0
    for span in spans:
        is_span = len(span) == 3 and all(map(is_integer, span))
        if not is_span or span[0] < BASE or not end == span[1] < span[2]:
            raise ValueError(
                f"spans holds {shown(span)} after row {end}, but must hold "
                "(adapter_id, start, stop), each from the last one's stop"
            )
        end = span[2]
    if end != num_rows:
        raise ValueError(f"spans end at row {end}, but must at {num_rows}")
    return tuple(spans)


def _check_segments(segments, x):
    if not isinstance(segments, Segments):
        raise TypeError(
            f"segments is {shown(segments)}, but must be Segments, "
            "as segments_of gives them"
        )
    if len(segments.order) != len(x):
        raise ValueError(
            f"segments holds {len(segments.order)} rows, but x has {len(x)}"
        )
