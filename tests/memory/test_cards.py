"""What a card is called, and the GiB that vLLM sees of it."""

import pytest

from multilora.memory.cards import card_gib
from multilora.published import published


@pytest.mark.parametrize(
    ("said", "gib"),
    [
        ("80", 79.1), ("80GB", 79.1), ("80 gb", 79.1), ("24", 23.63),
        ("48", 47.5), ("141", 139.8), ("80GiB", 80), ("79.1", 79.1),
        ("22.5", 22.5), ("40", 40), ("H100", 79.1), ("nvidia h200", 139.8),
        ("L4", 22.16), ("T4", 14.74), ("a100-40gb", 39.56),
        ("A100 40GB", 39.56),
    ],
)  # fmt: skip
def test_sizes_and_names_come_to_gib_and_say_what_was_used(said, gib):
    found, sentence = card_gib(said)
    assert found == gib
    assert f"{gib:g}" in sentence


def test_every_size_in_the_data_is_known():
    for row in published("cards"):
        for said in (row["name"], *row.get("names", ())):
            assert card_gib(said)[0] == row["gib"]
            assert row["source"]


def test_a_name_is_one_of_a_start_up_whose_log_tells_it():
    found, sentence = card_gib("L4")
    (row,) = (
        row for row in published("public_starts")["rows"] if row["gpu"] == "L4"
    )
    assert found == row["card_gib"]
    assert row["id"] in sentence


@pytest.mark.parametrize(
    "wrong",
    ["", "GB300", "0", "nan", "-1", "1e3", "80TB", "99999999", "H", "80 80"],
)
def test_what_no_source_tells_of_is_refused(wrong):
    with pytest.raises(ValueError, match="card is"):
        card_gib(wrong)
