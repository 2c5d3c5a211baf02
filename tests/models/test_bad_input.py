"""Wrong arguments of models' shapes work or are named."""

from bad_input import each_wrong_value
from multilora.models import shipped, wrong_answers
from multilora.models.shapes import ModelShape
from multilora.published import published

ROW = wrong_answers.wrong_answers()[0]
GOOD = {
    shipped.model_shape: ("Llama-2-7B", None),
    ModelShape.from_config: (published("models")[0]["config"],),
    wrong_answers.shared_id_probability: (30, 10_000),
    ROW.standing: ("0.32.0",),
    ROW.is_met: ({"loads_at_run_time": True},),
}

test_each_wrong_value_works_or_is_named = each_wrong_value(GOOD)
