"""Wrong arguments of models' shapes work or are named."""

from bad_input import each_wrong_value
from multilora.models import shipped
from multilora.models.shapes import ModelShape
from multilora.published import published

GOOD = {
    shipped.model_shape: ("Llama-2-7B", None),
    ModelShape.from_config: (published("models")[0]["config"],),
}

test_each_wrong_value_works_or_is_named = each_wrong_value(GOOD)
