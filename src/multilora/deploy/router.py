"""The line of vllm-router before several engines, and what it cannot do."""

from collections.abc import Sequence

from multilora.arguments import names
from multilora.deploy.homes import HEADER, local_addresses
from multilora.deploy.quoting import comment, shell_lines
from multilora.deploy.serve_args import FIRST_PORT, widest_rank
from multilora.plan.answer import Plan

POLICY = "consistent_hash"  # the one under which a header has one home


def router_args(plan: Plan, urls: Sequence[str] | None = None) -> list[str]:
    """Return what comes after `vllm-router`, a word of the command each.

    urls are those of the engines, None for ports of this machine.
    Source: vllm-router 0.1.17, router_args.py; held against its parser by a
    test.
    Raises TypeError for no Plan, ValueError for urls that are no names.
    """
    return [word for group in _groups(plan, urls) for word in group]


def router_line(plan: Plan, urls: Sequence[str] | None = None) -> str:
    """Return the whole command for a POSIX shell, many lines.

    Raises as router_args does.
    """
    first, *others = _groups(plan, urls)
    return shell_lines([["vllm-router", *first], *others])


def router_file(plan: Plan) -> str:
    """Return router.sh: the line, and what must be true for its use.

    Raises as router_args does.
    """
    rank = widest_rank(plan)
    about = comment([
        "Another way than gateway.conf, if vllm-router is your front already. "
        "It does not follow the plan: a hash, not the plan, puts each adapter "
        "on one engine, so times of tenants can differ from the plan's.",
        f"Clients send the header {HEADER}: <adapter> with each request (the "
        "values are in tenants.csv). Without it the router hashes the "
        "request's text: one adapter's requests go to every engine, and all "
        "of them load it. None of the router's policies reads the model's "
        "name.",
        "Each engine must know every adapter: give each engine-*.sh the "
        f"--lora-modules of all of them, and --max-lora-rank {rank}.",
    ])  # fmt: skip
    return f"#!/bin/sh\n{about}\nexec {router_line(plan)}\n"


def _groups(plan: Plan, urls: Sequence[str] | None) -> list[list[str]]:
    local = [f"http://{address}" for address in local_addresses(plan)]
    urls = local if urls is None else names("urls", urls)
    return [
        ["--worker-urls", *urls],
        ["--host", "0.0.0.0", "--port", str(FIRST_PORT)],
        ["--prometheus-host", "127.0.0.1", "--prometheus-port", "29000"],
        ["--policy", POLICY],
    ]
