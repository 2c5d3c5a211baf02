"""Wrong arguments of a fleet's size work or are named."""

from bad_input import each_wrong_value
from multilora.fleet import sizing

GOOD = {
    sizing.load_by_hour: (5, 0.5, 2, 0.1),
    sizing.engines_under_load: (5, 2, [1.0]),
    sizing.merged_bytes: (5, 5),
    sizing.shared_bytes: (5, 5, 5),
}

test_each_wrong_value_works_or_is_named = each_wrong_value(GOOD)
