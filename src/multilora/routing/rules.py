"""Every rule by its name, and a table of them."""

import difflib
from typing import NamedTuple

from multilora.arguments import (
    finite_number,
    integer,
    items,
    shown,
    text,
)
from multilora.routing.aibrix import AIBRIX
from multilora.routing.dynamo import DYNAMO
from multilora.routing.gie import GIE
from multilora.routing.given import Choose, Rule, Setup
from multilora.routing.llmd import LLMD
from multilora.routing.placed import PLACED
from multilora.routing.plain import PLAIN
from multilora.routing.ray import RAY
from multilora.routing.ring import RINGS
from multilora.routing.stack import STACK
from multilora.routing.sticky import STICKY

RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        *PLAIN,
        *RINGS,
        *STICKY,
        *LLMD,
        *GIE,
        *DYNAMO,
        *AIBRIX,
        *STACK,
        *RAY,
        *PLACED,
    )
}


def rule(name: str) -> Rule:
    """Return the rule of a name.

    Raises ValueError for a name that is misspelt, with the nearest name and
    all of them, and TypeError for what is not a str.
    """
    if text("name", name) in RULES:
        return RULES[name]
    near = difflib.get_close_matches(name, RULES, n=1, cutoff=0.0)
    raise ValueError(
        f"name is {shown(name)}, but no rule has that name; the nearest is "
        f"{near[0]!r}, allowed: " + ", ".join(map(repr, RULES))
    )


def router(name: str, setup: Setup) -> Choose:
    """Return a router with the rule of a name, started for a fleet.

    Call it with an Ask for the number of an engine. Raises ValueError for a
    name that is misspelt, a setup without an engine, max_loras or urls that
    are not one an engine, and TypeError for what is no Setup.
    """
    return rule(name).make(_checked(setup))


class Row(NamedTuple):
    """A rule at a glance: what it reads, and what pins an adapter."""

    name: str
    reads: str
    pins: str
    source: str


def rules_table() -> list[Row]:
    """Return each rule with what it reads, what pins an adapter, its source.

    reads is "nothing" (the requests alone), "counts" (the router's own count
    of requests in flight), "metrics" (what vLLM's page tells) or "residents"
    (what no released vLLM tells), these with their age in ms.
    """
    return [
        Row(
            rule.name,
            f"{rule.reads}, {rule.scrape_ms:g} ms"
            if rule.scrape_ms
            else rule.reads,
            rule.pins,
            rule.source,
        )
        for rule in RULES.values()
    ]


def _checked(setup: Setup) -> Setup:
    if not isinstance(setup, Setup):
        raise TypeError(f"setup is {shown(setup)}, but must be a Setup")
    num = integer("setup.num_engines", setup.num_engines, 1)
    integer("setup.num_adapters", setup.num_adapters, 0)
    integer("setup.seed", setup.seed, 0)
    finite_number("setup.prefix_share", setup.prefix_share, 0, 1)
    slots = items("setup.max_loras", setup.max_loras, int)
    urls = items("setup.urls", setup.urls, str)
    items("setup.names", setup.names, str)
    for max_loras in slots:
        integer("setup.max_loras", max_loras, 1)
    if len(slots) != num or len(urls) not in (0, num):
        raise ValueError(
            f"setup has {len(slots)} max_loras and {len(urls)} urls, but must "
            f"have one for each of its {num} engines (urls may be none)"
        )
    return setup
