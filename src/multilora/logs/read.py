"""A log of requests, as a server or a gateway wrote it: who asked, when."""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np

from multilora.arguments import integer, items, shown, text
from multilora.logs.columns import (
    Columns,
    check_columns,
)
from multilora.logs.fields import BASE, WORDS, Fields
from multilora.logs.lines import Progress, Source
from multilora.logs.names import known_format
from multilora.logs.notes import (
    default_notes,
    tenant_notes,
    time_notes,
)
from multilora.logs.table import Table, open_table, require_tokens
from multilora.logs.tally import Skipped, Tally
from multilora.logs.times import (
    check_unit,
    iso_text,
    moments,
    unit_in,
    unit_notes,
)
from multilora.traffic.lengths import MAX_TOKENS

HASH_DIGITS = 12


class Log(NamedTuple):
    """Requests in order of time, and what was not read.

    times_s (float64) starts at 0. adapter_ids (int64) are places in tenants,
    those with most requests first, of equal ones the first seen; -1 is the
    base model. prompt_tokens and output_tokens (int64) are at least 1. start
    is the first request's time as ISO 8601 in UTC, None where times count
    from 0. format says how the file was understood, columns which of its
    columns were taken. skipped is {reason: how many lines, the first one};
    notes are sentences that a reader should know.
    """

    times_s: np.ndarray
    adapter_ids: np.ndarray
    tenants: tuple[str, ...]
    prompt_tokens: np.ndarray
    output_tokens: np.ndarray
    start: str | None
    format: str
    columns: Columns
    skipped: dict[str, Skipped]
    notes: tuple[str, ...]

    @property
    def num_requests(self) -> int:
        return len(self.times_s)

    @property
    def seconds(self) -> float:
        """From the first request to the last one."""
        return float(self.times_s[-1])

    @property
    def num_skipped(self) -> int:
        return sum(skipped.num for skipped in self.skipped.values())

    def moment(self, seconds: float) -> str:
        """Return when that was, seconds after the first request."""
        if self.start is None:
            return f"{seconds:,.0f} s after the first request"
        start = datetime.fromisoformat(self.start)
        moment = start + timedelta(seconds=seconds)
        return moment.strftime("%Y-%m-%d %H:%M:%S UTC")

    def name_of(self, adapter_id: int) -> str:
        """Return the name of an adapter id's tenant, of -1 "(base)"."""
        return "(base)" if adapter_id == BASE else self.tenants[adapter_id]


def read_log(
    path: str | Path,
    columns: Columns | None = None,
    time_unit: str | None = None,
    prompt_default: int | None = None,
    output_default: int | None = None,
    base_names: Iterable[str] = (),
    salt: str | None = None,
    *,
    is_hashed: bool = False,
    progress: Progress | None = None,
) -> Log:
    """Return the Log of a file: CSV, TSV, JSON lines or a JSON array.

    The file may be gzipped. columns names the columns that are not found by
    their names (log_names.KNOWN); of a JSON object within an object the name
    has dots. Without a column of tenants all requests are of one, "all".
    time_unit (s, ms, us or ns) is for times that count from 0; epoch times
    are known by their size. prompt_default and output_default are the tokens
    where a field is empty or not there. base_names are tenants that are the
    base model. With is_hashed a tenant is 12 hex digits of the SHA-256 of
    salt and name; without a salt one is drawn. progress(num_bytes, total) is
    called now and then.
    Lines that cannot be read are counted, not guessed. Raises ValueError for
    a file that holds no request, no time, or times without a likely unit.
    """
    asked, time_unit = check_columns(columns), check_unit(time_unit)
    if not isinstance(is_hashed, bool):
        raise TypeError(f"is_hashed is {shown(is_hashed)}, but must be a bool")
    salt = secrets.token_hex(16) if salt is None else text("salt", salt)
    defaults = _default(prompt_default, 0), _default(output_default, 1)
    base_names = items("base_names", base_names, str)
    tally = Tally()
    source = Source(path, tally, progress)
    try:
        table = open_table(source, asked)
        require_tokens(source, table, defaults)
        fields = Fields(table.columns, defaults, base_names, tally)
        add, pick = fields.add, table.pick
        for line, row in table.rows:
            add(line, *pick(row))
    finally:
        source.close()
    log = _log(source, table, fields, time_unit)
    if is_hashed:
        log = log._replace(tenants=tuple(_hash(salt, t) for t in log.tenants))
    return log


def example_log_path() -> Path:
    """Return the path of a log to try things with: an hour of 40 tenants.

    It was made, not recorded: see tools/example_log.py.
    """
    return Path(str(files("multilora").joinpath("data/example_log.csv.gz")))


def _log(
    source: Source, table: Table, fields: Fields, time_unit: str | None
) -> Log:
    tally, column = source.tally, table.columns.time or ""
    seen = moments(
        np.array(fields.numbers, dtype=np.float64),
        np.array(fields.is_iso, dtype=bool),
        np.array(fields.lines, dtype=np.int64),
        tally,
        time_unit,
        unit_in(column) or known_format(table.names)[1],
    )
    if not seen.is_kept.any():
        raise ValueError(
            f"{source.name}: no request in it can be read. Skipped: "
            f"{str(tally) or 'nothing'}"
        )
    seconds = seen.seconds[seen.is_kept]
    num_back = int((np.diff(seconds) < 0).sum())
    order = np.argsort(seconds, kind="stable")
    seconds = seconds[order]
    ids, prompts, outputs = (
        np.array(numbers, dtype=np.int64)[seen.is_kept][order]
        for numbers in (fields.ids, fields.prompts, fields.outputs)
    )
    ids, tenants = _by_requests(ids, fields.names)
    try:
        notes = unit_notes(seconds, column, seen)
    except ValueError as error:
        raise ValueError(f"{source.name}: {error}") from None
    notes += tenant_notes(table.names, table.columns, tenants)
    notes += time_notes(seconds, num_back)
    notes += default_notes(fields)
    start = iso_text(float(seconds[0])) if seen.is_epoch else None
    return Log(
        seconds - seconds[0], ids, tenants, prompts, outputs, start,
        table.format, table.columns, dict(tally.by_reason), tuple(notes),
    )  # fmt: skip


def _by_requests(ids, names):
    """Return ids and names with the busiest tenant first, silent ones out."""
    asked = ids[ids != BASE].astype(np.intp)
    num = np.bincount(asked, minlength=len(names))
    # Ids are in the order in which tenants were first seen.
    order = np.argsort(-num, kind="stable")
    order = order[: np.count_nonzero(num)]
    new_id = np.full(len(names) + 1, BASE, dtype=np.int64)  # [-1] the base
    new_id[order] = np.arange(len(order))
    return new_id[ids], tuple(names[place] for place in order)


def _hash(salt, name):
    return sha256(f"{salt}{name}".encode()).hexdigest()[:HASH_DIGITS]


def _default(value, which):
    if value is None:
        return None
    return integer(f"{WORDS[which]}_default", value, 1, MAX_TOKENS)
