"""Wrong arguments of the rules of routers work or are named."""

from asked import setup
from bad_input import each_wrong_value
from multilora.routing import rules

GOOD = {
    rules.rule: ("round_robin",),
    rules.router: ("round_robin", setup(2)),
}

test_each_wrong_value_works_or_is_named = each_wrong_value(GOOD)
