"""Each tenant's rank and folder: those of the adapter of their name."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from multilora.arguments import items, shown

DEFAULT_RANK = 16


class Adapter(NamedTuple):
    """An adapter that was found in a folder."""

    name: str
    rank: int
    folder: str


def with_adapters(
    names: Sequence[str], found: Mapping[str, Adapter], ranks: Sequence[int]
) -> tuple[list[int], list[str | None], list[str]]:
    """Return (ranks, folders, notes), one rank and folder a tenant.

    A tenant is an adapter's folder by its name. Who has no folder keeps
    their rank of `ranks`. Raises ValueError for another number of ranks
    than of names.
    """
    names, given = items("names", names, str), items("ranks", ranks, int)
    if len(given) != len(names):
        raise ValueError(
            f"ranks holds {len(given)}, but must be one for each of "
            f"{len(names)} names"
        )
    if not isinstance(found, Mapping):
        raise TypeError(f"found is {shown(found)}, but must be a mapping")
    rows = [found.get(name) for name in names]
    none = [at for at, row in enumerate(rows) if row is None]
    notes = []
    if found and none:
        taken = ", ".join(
            str(rank) for rank in sorted({given[k] for k in none})
        )
        notes.append(
            f"{len(none)} of {len(names)} tenants of the traffic have no "
            f"adapter's folder of their name, such as {names[none[0]]}: rank "
            f"{taken} was taken for them"
        )
    idle = set(found) - set(names)
    if idle:
        notes.append(
            f"{len(idle)} of the adapters are not in the traffic, such as "
            f"{min(idle)}: no slot is planned for them"
        )
    return (
        [r.rank if r else g for r, g in zip(rows, given, strict=True)],
        [row.folder if row else None for row in rows],
        notes,
    )
