"""The adapters of a case: can they be served, by their headers alone."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from multilora.adapters.folders import rank_in
from multilora.adapters.foreign import WEIGHTS, AdapterError
from multilora.adapters.preflight import Checked, needed_rank, preflight
from multilora.adapters.readable import readable
from multilora.inpage.blocks import Block, Table, progress
from multilora.inpage.case_files import CaseFiles
from multilora.models.shapes import ModelShape
from multilora.models.versions import DEFAULT_VERSION, nearest_rule
from multilora.plan.by_name import Adapter
from multilora.units import MIB, percent

TITLE = "Check of the adapters"
MOST_CHECKED = 400  # folders; a check reads a header of perhaps 0.1 MiB
MOST_ROWS = 40
MAX_HEADER = 16 * MIB  # bytes; the format allows 100 MB
EVERY = 10  # adapters between two words of progress
HEAD = ("adapter", "rank", "MiB", "applied", "verdict", "why, or what to know")


class Ranked(NamedTuple):
    """The adapters whose config says a rank, by name, and the others."""

    found: dict[str, Adapter]
    num_broken: int

    @property
    def max_lora_rank(self) -> int | None:
        """The smallest that all fit into; None where there are none."""
        ranks = [one.rank for one in self.found.values()]
        return needed_rank(ranks) if ranks else None


def ranked(files: CaseFiles) -> Ranked:
    """Return the adapters of a case by name; no weights are read.

    One that no slot can hold is broken too.
    """
    found, num_broken = {}, 0
    most = max(nearest_rule(DEFAULT_VERSION).ranks)
    for path in files.adapters:
        try:
            rank = rank_in(path)
        except AdapterError:
            rank = 0
        if not 0 < rank <= most:
            num_broken += 1
            continue
        found[path.name] = Adapter(path.name, rank, f"adapters/{path.name}")
    return Ranked(found, num_broken)


def check_block(
    files: CaseFiles, shape: ModelShape | None, max_lora_rank: int | None
) -> Block:
    """Return what vLLM makes of each adapter, the worst first.

    Without a shape only their files are checked, not whether they fit.
    """
    folders = files.adapters[:MOST_CHECKED]
    rows = [_too_long(folder) for folder in folders]
    short = [f for f, row in zip(folders, rows, strict=True) if row is None]
    found = [row for row in rows if row is not None]
    if short:
        found += (
            _formats(short)
            if shape is None
            else _fitting(short, shape, max_lora_rank)
        )
    refused = [one for one in found if not one.is_served]
    others = [one for one in found if one.is_served]
    shown = (refused + others)[:MOST_ROWS]
    num_served = len(others)
    return Block(
        TITLE,
        _said(files, found, shape, max_lora_rank),
        Table(HEAD, [_row(one, shape is not None) for one in shown]),
        numbers={
            "num_served": num_served,
            "num_refused": len(refused),
            "max_lora_rank": max_lora_rank,
            "verdicts": {one.name: one.verdict for one in found},
        },
    )


def _said(files, found, shape, max_lora_rank):
    num, refused = len(found), sum(not one.is_served for one in found)
    if shape is None:
        said = [
            f"{num - refused} of {num} have files that vLLM can read. Whether "
            "they fit a base is not known, because there is none yet: choose "
            "a model or give its config.json."
        ]
    else:
        said = [
            f"{num - refused} of {num} can be served on {shape.name} with "
            f"--max-lora-rank {max_lora_rank}."
        ]
    said.append(
        "Only the header of each file was read, so whether weights are NaN "
        "or zero is not known. In a shell: multilora check adapters --base "
        "BASE."
    )
    if len(files.adapters) > MOST_CHECKED:
        said.append(
            f"Of {len(files.adapters):,} folders the first {MOST_CHECKED} by "
            "name were checked here; the command checks all."
        )
    if num > MOST_ROWS:
        said.append(f"The table has the {MOST_ROWS} worst.")
    return said


def _too_long(folder: Path) -> Checked | None:
    """The refusal of a header that a page should not read, or None."""
    try:
        with open(folder / WEIGHTS, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            size = (folder / WEIGHTS).stat().st_size
    except OSError:
        return None  # the check says what is missing
    if not MAX_HEADER < length <= size:
        return None
    return _refused(
        folder,
        f"its header takes {length / MIB:,.0f} MiB, and this page reads up "
        f"to {MAX_HEADER // MIB}",
    )


def _refused(folder, why):
    return Checked(folder.name, str(folder), "refused", str(why))


def _fitting(
    folders: Sequence[Path], shape: ModelShape, max_lora_rank: int | None
) -> list[Checked]:
    def tell(done: int, total: int) -> None:
        if done % EVERY == 0:
            progress(f"checking adapter {done + 1} of {total}", done / total)

    return list(
        preflight(
            folders, shape, max_lora_rank, headers_only=True, tell=tell
        ).adapters
    )


def _formats(folders: Iterable[Path]) -> list[Checked]:
    found = []
    for folder in folders:
        try:
            read = readable(folder, headers_only=True)
        except (ValueError, TypeError, OSError, RecursionError) as error:
            found.append(_refused(folder, " ".join(str(error).split())))
            continue
        found.append(
            Checked(
                folder.name, str(folder), "served",
                rank=read.ranks.largest, num_bytes=read.num_bytes,
            )
        )  # fmt: skip
    return found


def _row(one: Checked, is_on_base: bool) -> tuple[str, ...]:
    if not one.is_served:
        why = one.why.removeprefix(one.name).lstrip(": ")
        return one.name, "", "", "", "refused", why
    notes = [note for note in one.notes if "header" not in note]
    return (
        one.name,
        f"{one.rank}",
        f"{(one.num_bytes or 0) / MIB:.1f}",
        percent(one.share_applied or 0, 0) if is_on_base else "",
        one.verdict if is_on_base else "readable",
        "; ".join(notes),
    )
