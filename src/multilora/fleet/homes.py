"""Homes: the engines that serve each tenant, and the way back."""

from collections.abc import Iterable, Sequence

from multilora.arguments import integer, items

Homes = list[list[int]]  # the engines of each tenant, the first its own

MAX_ENGINES = 1024
MAX_TENANTS = 10**6


def check_engines(num_engines: int) -> int:
    """Return num_engines, at least 1 and at most MAX_ENGINES."""
    return integer("num_engines", num_engines, 1, MAX_ENGINES)


def check_homes(
    homes: Iterable[Iterable[int]],
    num_engines: int,
    num_tenants: int | None = None,
    name: str = "homes",
    least: int = 1,
) -> Homes:
    """Return homes as lists: at least `least` engines a tenant, none twice.

    Raises ValueError for a tenant nobody may serve, an engine that is not
    from 0 to num_engines - 1, or another number of tenants than num_tenants.
    """
    num = check_engines(num_engines)
    rows = [
        [integer(f"{name}[{t}]", one, 0, num - 1) for one in items(
            f"{name}[{t}]", row, object)]
        for t, row in enumerate(items(name, homes, object))
    ]  # fmt: skip
    if not rows or num_tenants not in (None, len(rows)):
        raise ValueError(
            f"{name} holds {len(rows)} tenants, but must hold "
            f"{num_tenants or 'at least one'}"
        )
    for tenant, row in enumerate(rows):
        if len(row) < least:
            raise ValueError(
                f"{name}[{tenant}] is [], so nobody may serve tenant "
                f"{tenant}; it must hold at least one engine"
            )
        if len(set(row)) < len(row):
            raise ValueError(f"{name}[{tenant}] is {row}: an engine twice")
    return rows


def engine_lists(homes: Iterable[Iterable[int]], num_engines: int) -> Homes:
    """Return the tenants of each engine, in order; an engine may have none.

    homes are the engines of each tenant. The way back is homes_of. Raises
    ValueError as check_homes does.
    """
    found: list[list[int]] = [[] for _ in range(check_engines(num_engines))]
    for tenant, engines in enumerate(check_homes(homes, num_engines)):
        for engine in engines:
            found[engine].append(tenant)
    return found


def homes_of(groups: Iterable[Iterable[int]]) -> Homes:
    """Return the engines of each tenant from the tenants of each engine.

    groups is what placement.balanced returns. Tenants are numbered from 0
    without a gap. Raises ValueError for a tenant that is in no group, as
    nobody may serve it, or is twice in one.
    """
    rows = [
        [integer(f"groups[{k}]", one, 0, MAX_TENANTS) for one in items(
            f"groups[{k}]", row, object)]
        for k, row in enumerate(items("groups", groups, object))
    ]  # fmt: skip
    if not any(rows):
        raise ValueError("groups holds no tenant, but must hold at least one")
    found: Homes = [[] for _ in range(max(map(max, filter(None, rows))) + 1)]
    for engine, row in enumerate(rows):
        for tenant in row:
            found[tenant].append(engine)
        if len(set(row)) < len(row):
            raise ValueError(f"groups[{engine}] is {row}: a tenant twice")
    if [] in found:
        raise ValueError(
            f"groups has no tenant {found.index([])}, so nobody may serve "
            f"it; the tenants 0 to {len(found) - 1} must all be there"
        )
    return found


def num_moves(
    old: Sequence[Sequence[int]],
    new: Sequence[Sequence[int]],
    num_engines: int,
) -> int:
    """Return how many adapters must be loaded on an engine without them.

    old and new are the homes of each tenant; a new tenant's old homes are
    []. A home that is given up costs nothing. Raises ValueError for another
    number of tenants.
    """
    before = check_homes(old, num_engines, name="old", least=0)
    after = check_homes(new, num_engines, len(before), name="new")
    return sum(
        len(set(a) - set(b)) for b, a in zip(before, after, strict=True)
    )
