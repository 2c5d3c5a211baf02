"""Which engines serve a tenant: their names in headers, and a table.

A plan puts each tenant on an engine. Few routers read that; the client or a
gateway must send each request there. The header has the name that
vllm-router hashes too, so that clients are the same for both.
"""

import csv
import io
from urllib.parse import quote

from multilora.arguments import text
from multilora.deploy.serve_args import checked_plan, port_of
from multilora.plan.answer import Plan

HEADER = "X-Session-ID"


def header_value(name: str) -> str:
    """Return a tenant's name as its clients write it in the header.

    Letters, digits and "-._~" stand for themselves, all else is
    percent-encoded: a header holds neither line breaks nor most letters.
    Raises TypeError for no str.
    """
    return quote(text("name", name), safe="", errors="backslashreplace")


def engines_by_tenant(plan: Plan) -> dict[str, tuple[int, ...]]:
    """Return {name: numbers of the engines that serve this tenant}.

    Raises TypeError for no Plan.
    """
    found: dict[str, tuple[int, ...]] = {}
    for number, engine in enumerate(checked_plan(plan).engines, 1):
        for tenant in engine.tenants:
            before = found.get(tenant.name, ())
            found[tenant.name] = tuple(dict.fromkeys((*before, number)))
    return found


def backups_by_tenant(plan: Plan) -> dict[str, tuple[int, ...]]:
    """Return {name: numbers of the engines that take this tenant over}.

    Only tenants that have a backup are in it. Raises TypeError for no Plan.
    """
    found: dict[str, tuple[int, ...]] = {}
    for number, engine in enumerate(checked_plan(plan).engines, 1):
        for one in engine.backups:
            found[one.name] = (*found.get(one.name, ()), number)
    return found


def local_addresses(plan: Plan) -> list[str]:
    """Return host:port of each engine where all run on this machine.

    Raises TypeError for no Plan.
    """
    engines_by_tenant(plan)
    numbers = range(1, len(plan.engines) + 1)
    return [f"127.0.0.1:{port_of(plan, number)}" for number in numbers]


def tenants_csv(plan: Plan) -> str:
    """Return a table: tenant, its header's value, engine, that one's URL.

    Raises TypeError for no Plan.
    """
    addresses = local_addresses(plan)
    rows = [
        (name, header_value(name), number, f"http://{addresses[number - 1]}")
        for name, numbers in engines_by_tenant(plan).items()
        for number in numbers
    ]
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["tenant", "header", "engine", "url"])
    writer.writerows(rows)
    return table.getvalue()
