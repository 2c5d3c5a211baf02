"""Published runs are predicted with nothing fitted."""

from multilora.evidence.predicted import startup_table


def test_published_startups_are_reproduced_with_nothing_fitted():
    table = startup_table()
    assert len(table["measured"]) == 78
    for model, measured, predicted in zip(
        table["model"], table["measured"], table["predicted"], strict=True
    ):
        error = abs(measured / predicted - 1)
        assert error <= (0.03 if model == "Qwen2.5-7B" else 0.075)
