"""Each part of a cost is said in words, and what is not there is not."""

import inspect

from multilora.serving.cost import StepCost, step_cost
from multilora.serving.cost_words import COST_WORDS, cost_rows


def test_every_field_has_words():
    bends = {name for name in StepCost._fields if "knee" in name}
    bends |= {name for name in StepCost._fields if name.startswith("far_")}
    assert set(COST_WORDS) == set(StepCost._fields) - bends


def test_parts_go_by_the_names_of_step_cost():
    cost = step_cost(
        7.5, 0.2, 0.05, 0.01, 5, 60, lora_ms=1, adapter_ms=0.5, api_ms=2,
        first_use_ms=700, bends={"seq": (64, 0.4)},
    )  # fmt: skip
    rows = {name: (value, words) for name, value, words in cost_rows(cost)}
    named = set(inspect.signature(step_cost).parameters) - {"bends"}
    assert set(rows) == named | {"far_seq_ms"}
    assert rows["step_ms"][0] == "7.5 ms" and rows["adapter_share"][0] == "1 %"
    assert rows["far_seq_ms"][0] == "0.4 ms"
    assert "beyond 64" in rows["far_seq_ms"][1]


def test_a_part_of_nothing_is_left_out():
    assert [row[0] for row in cost_rows(step_cost(1, 0, 0, 0, 0, 0))] == [
        "step_ms"
    ]
