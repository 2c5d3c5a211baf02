"""Wrong arguments of units and published data work or are named."""

from bad_input import each_wrong_value
from multilora import published, units

GOOD = {
    units.gib: (5,),
    units.mib: (5,),
    units.format_bytes: (5,),
    published.published: ("models",),
}

test_each_wrong_value_works_or_is_named = each_wrong_value(GOOD)
