"""Wrong arguments of tenants and their questions work or are named."""

from bad_input import each_wrong_value
from multilora import tenants
from multilora.tenants import corpus

GOOD = {
    tenants.folder_of: ("sql",),
    corpus.held_out: ("invented words", 2, 1),
}

test_each_wrong_value_works_or_is_named = each_wrong_value(GOOD)
