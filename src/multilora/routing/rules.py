"""Every rule by its name, and a table of them."""

import difflib

from multilora.arguments import shown, text
from multilora.routing.aibrix import AIBRIX
from multilora.routing.dynamo import DYNAMO
from multilora.routing.gie import GIE
from multilora.routing.given import Rule
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
