"""Wrong arguments of what was published and predicted work or are named."""

from bad_input import each_wrong_value
from multilora.evidence import ladder, predicted, price

GOOD = {
    predicted.reported_run: (8, 16, 0.01),
    ladder.ladder_table: ("sql",),
    price.price_range: ("time added",),
}

test_each_wrong_value_works_or_is_named = each_wrong_value(GOOD)
