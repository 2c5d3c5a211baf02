"""The log of a case: what was read and what was not, and its hit curve."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from multilora.cache.hitrate import hit_rate_curve
from multilora.inpage.blocks import Block, Table, listed, progress
from multilora.inpage.case_asked import CaseAsked, desk_command
from multilora.inpage.case_files import CaseFiles, check_log_size
from multilora.inpage.pictures import hit_line
from multilora.logs.fields import BASE
from multilora.logs.read import Log, example_log_path, read_log
from multilora.logs.tally import skipped_notes
from multilora.plan.by_name import Adapter
from multilora.units import percent

TRAFFIC, CURVE = "Traffic", "Hits over slots"
TOP = 10  # tenants
HEAD = ("tenant", "requests", "share")
FLAT = 0.01  # of the requests: a curve this near its end is flat
STOPS = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256, 512)


def log_of(files: CaseFiles, asked: CaseAsked) -> Log:
    """Return the Log of a case, or else the example.

    Raises ValueError for one that cannot be read or is too long for a page.
    """
    path = files.log or example_log_path()
    check_log_size(path, desk_command(asked, files))
    try:
        return read_log(
            path,
            asked.columns,
            prompt_default=asked.prompt_default,
            output_default=asked.output_default,
            progress=_reading,
        )
    except ValueError as error:
        raise ValueError(_by_name(str(error), path)) from None


def _reading(num_bytes: int, total: int) -> None:
    progress("reading the log", num_bytes / max(total, 1))


def _by_name(said: str, path: Path) -> str:
    """The same without the folder in which the page has the file."""
    return said.replace(f"path is '{path}", f"log is '{path.name}").replace(
        f"{path}", path.name
    )


def traffic_block(log: Log, found: Mapping[str, Adapter]) -> Block:
    """Return how a Log was understood, who asks how much, what is left out.

    found are the adapters of the case, by name.
    """
    columns = ", ".join(repr(name) for name in log.columns if name)
    asked = log.adapter_ids[log.adapter_ids != BASE].astype(np.intp)
    counts = np.bincount(asked, minlength=len(log.tenants))
    num_base = log.num_requests - int(counts.sum())
    tokens = int(log.prompt_tokens.sum() + log.output_tokens.sum())
    said = [
        f"{log.num_requests:,} requests of {len(log.tenants):,} tenants in "
        f"{log.seconds / 60:,.0f} minutes, {tokens:,} tokens; "
        f"{log.num_skipped:,} lines were refused.",
        f"The file is {log.format}; the columns taken are {columns}.",
        *skipped_notes(log.skipped),
    ]
    if num_base:
        said.append(f"{num_base:,} requests are of the base itself.")
    if len(counts) > 1:
        half = int(np.searchsorted(counts.cumsum(), counts.sum() / 2)) + 1
        who = "tenant sends" if half == 1 else f"{half:,} tenants send"
        said.append(f"The busiest {who} half of the requests.")
    rows = [
        (
            name,
            f"{num:,}",
            percent(num / log.num_requests),
            *([f"{found[name].rank}" if name in found else ""] * bool(found)),
        )
        for name, num in zip(
            log.tenants[:TOP], counts[:TOP].tolist(), strict=True
        )
    ]
    if len(log.tenants) > TOP:
        said.append(f"The table has the {TOP} busiest.")
    return Block(
        TRAFFIC,
        said + list(log.notes),
        Table((*HEAD, *(["rank of its adapter"] * bool(found))), rows),
        numbers={
            "num_requests": log.num_requests,
            "num_tenants": len(log.tenants),
            "num_skipped": log.num_skipped,
            "skipped": {why: one.num for why, one in log.skipped.items()},
            "num_base": num_base,
        },
    )


def curve_block(log: Log) -> Block:
    """Return the share of hits of an LRU cache at every number of slots."""
    ids = log.adapter_ids
    if not (ids != BASE).any():
        return Block(
            CURVE, ["No request names an adapter: there is no slot to hit."]
        )
    shares = hit_rate_curve(ids)
    flat = int(np.argmax(shares >= shares[-1] - FLAT)) + 1
    last = len(shares)
    said = [
        f"With {_slots(flat)} {percent(shares[flat - 1])} of the requests "
        "find their adapter in a slot, under LRU. From there on the curve is "
        f"flat: all {last:,} slots bring {percent(shares[-1])}.",
        "A hit is not a promise: the number of slots that keeps one comes "
        "from playing the log, as the plan does.",
    ]
    if last == 1:
        said[0] = "One tenant asks, so one slot is enough."
    stops = sorted({*(n for n in STOPS if n <= last), flat, last})
    rows = [(f"{n:,}", percent(shares[n - 1])) for n in stops]
    return Block(
        CURVE,
        said,
        Table(("max_loras", "hits"), rows),
        hit_line(
            shares.tolist(), flat,
            f"Hits over slots: {_listed(rows)}.",
        ),
        numbers={"flat_from": flat, "hit_rates": shares[:1024].tolist()},
    )  # fmt: skip


def _listed(rows) -> str:
    return listed([f"{share} with {slots}" for slots, share in rows], 9)


def _slots(num: int) -> str:
    return "1 slot" if num == 1 else f"{num:,} slots"
