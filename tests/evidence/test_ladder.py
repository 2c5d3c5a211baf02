"""The ladder of ranks."""

from itertools import pairwise

import pytest

from multilora.evidence import ladder


def test_the_ladder_is_averaged_over_its_seeds():
    assert ladder.ladder_styles() == ["json", "sql"]
    for style in ladder.ladder_styles():
        table = ladder.ladder_table(style)
        assert [row["rank"] for row in table] == [1, 2, 4, 8, 16, 32]
        for row in table:
            assert 0 < row["lowest"] <= row["mean"] <= row["highest"] < 1
        size = [row["file_bytes"] for row in table]
        assert all(1.8 < b / a < 2.1 for a, b in pairwise(size))
    with pytest.raises(ValueError, match="style is 'klingon', allowed"):
        ladder.ladder_table("klingon")
