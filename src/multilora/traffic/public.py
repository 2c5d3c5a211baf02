"""Public traces as files: GenTD26's uses of adapters, ServeGen's windows.

GenTD26 is Alibaba's cluster-trace-v2026-GenAI (diffusion, real adapter ids),
ServeGen its trace of language models by client. Each function reads one
form; columns.read_columns says what is refused.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from multilora.traffic.arrivals import MAX_S
from multilora.traffic.columns import Column, read_columns
from multilora.traffic.generators import MAX_ADAPTERS
from multilora.traffic.windows import MAX_CV, MAX_RATE, Windows, check_windows

_ID = (0, MAX_ADAPTERS - 1)
_SECONDS = Column("seconds", 0, MAX_S, is_whole=False, is_sorted=True)
_SEQUENCE = (
    Column("request", 0, 10**12, is_sorted=True),
    Column("base", *_ID),
    Column("adapter", *_ID),
)
_USES = (
    _SECONDS, Column("user", *_ID), Column("base", *_ID),
    Column("adapter", *_ID),
)  # fmt: skip
_WINDOWS = (
    Column("client", *_ID),
    Column("window_10min", 0, 10**6),
    Column("req_per_s", 0, MAX_RATE, is_whole=False),
    Column("cv", 0, MAX_CV, is_whole=False),
)


class Sequence(NamedTuple):
    """Uses of adapters in order, without times: an int64 array a column.

    A request with two adapters has two rows.
    """

    request_ids: np.ndarray
    base_ids: np.ndarray
    adapter_ids: np.ndarray


class Uses(NamedTuple):
    """Uses of adapters in order of time: float64 seconds, int64 ids."""

    times_s: np.ndarray
    user_ids: np.ndarray
    base_ids: np.ndarray
    adapter_ids: np.ndarray


def read_sequence(path: str | Path) -> Sequence:
    """Return the uses in a file with columns request,base,adapter.

    Ids are from 0 to MAX_ADAPTERS - 1, requests sorted. Raises as
    columns.read_columns does.
    """
    return Sequence._make(read_columns(path, _SEQUENCE))


def read_uses(path: str | Path) -> Uses:
    """Return the uses in a file with columns seconds,user,base,adapter.

    Seconds are from 0 to MAX_S, sorted; ids from 0 to MAX_ADAPTERS - 1.
    Raises as columns.read_columns does.
    """
    return Uses._make(read_columns(path, _USES))


def read_windows(path: str | Path) -> Windows:
    """Return the windows in a file with client,window_10min,req_per_s,cv.

    This is the form of ServeGen's clients, a row for each ten minutes in
    which a client sent requests. Raises as columns.read_columns does, and
    ValueError for a client with two rows for one window.
    """
    rows = Windows._make(read_columns(path, _WINDOWS))
    try:
        return check_windows(rows)
    except ValueError as error:
        raise ValueError(f"path is {path}: {error}") from None
