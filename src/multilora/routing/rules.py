"""Every rule by its name, and a table of them."""

import difflib
from typing import NamedTuple

from multilora.arguments import (
    choice,
    finite_number,
    integer,
    items,
    shown,
    text,
)
from multilora.routing.aibrix import AIBRIX
from multilora.routing.dynamo import DYNAMO
from multilora.routing.gie import GIE
from multilora.routing.given import READS, Choose, Rule, Setup
from multilora.routing.llmd import LLMD
from multilora.routing.placed import PLACED
from multilora.routing.plain import PLAIN
from multilora.routing.ray import RAY
from multilora.routing.ring import RINGS
from multilora.routing.stack import STACK
from multilora.routing.sticky import STICKY
from multilora.traffic.generators import MAX_ADAPTERS

MAX_SCRAPE_MS = 3.6e6  # an hour

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
    """Return the Rule of a name.

    Raises ValueError for a name that is misspelt, with the nearest name and
    all of them, and TypeError for what is not a str.
    """
    if not isinstance(name, str):
        raise TypeError(
            f"rule is {shown(name)}, but must be the name of a rule"
        )
    if name in RULES:
        return RULES[name]
    near = difflib.get_close_matches(name, RULES, n=1, cutoff=0.0)
    raise ValueError(
        f"rule is {shown(name)}, but no rule has that name; the nearest is "
        f"{near[0]!r}, allowed: " + ", ".join(map(repr, RULES))
    )


def check_rule(rule: object) -> Rule:
    """Return a Rule that can be played.

    Raises TypeError for what is no Rule, or has no function as its make;
    ValueError for a word that reads does not know, or a scrape_ms below 0.
    """
    if not isinstance(rule, Rule):
        raise TypeError(f"rule is {shown(rule)}, but must be a Rule")
    text("name of rule", rule.name)
    choice("reads of rule", rule.reads, READS)
    finite_number("scrape_ms of rule", rule.scrape_ms, 0, MAX_SCRAPE_MS)
    if not callable(rule.make):
        raise TypeError(
            f"make of rule is {shown(rule.make)}, but must be a function of "
            "a Setup"
        )
    return rule


def started(rule: Rule, setup: Setup) -> Choose:
    """Return a router with a rule, started; TypeError where it is none."""
    choose = rule.make(setup)
    if not callable(choose):
        raise TypeError(
            f"make of rule {rule.name!r} returned {shown(choose)}, but must "
            "return a function of an Ask"
        )
    return choose


def router(name: str, setup: Setup) -> Choose:
    """Return a router with the rule of a name, started for a fleet.

    Call it with an Ask for the number of an engine. Raises ValueError for a
    name that is misspelt, a setup without an engine, max_loras or urls that
    are not one an engine, and TypeError for what is no Setup.
    """
    return started(rule(name), _checked(setup))


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
    integer("setup.num_adapters", setup.num_adapters, 0, MAX_ADAPTERS)
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
