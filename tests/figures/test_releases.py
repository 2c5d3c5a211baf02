"""The table of releases says what the facts of two neighbours say."""

import pytest

from multilora.figures import releases
from multilora.models.versions import (
    checked_versions,
    embeddings_of,
    has_lora,
    nearest_rule,
)

ORDER = list(checked_versions())


@pytest.mark.parametrize(("fact", "value", "what"), releases.CHANGES)
def test_a_change_is_one_from_the_release_before(fact, value, what):
    since = releases.first_with(fact, value)
    before = ORDER[ORDER.index(since) - 1]
    assert getattr(nearest_rule(before), fact) != value
    for later in ORDER[ORDER.index(since) :]:
        assert getattr(nearest_rule(later), fact) == value


def test_rows_are_in_the_order_of_releases_and_name_a_place():
    rows = releases.release_table().rows
    places = [ORDER.index(since) for since, _ in rows]
    assert places == sorted(places)
    assert all(where.endswith(f" in {since}") for since, (_, where) in rows)
    assert len(rows) == len(releases.CHANGES) + 1 + len(releases.LEFT)


def test_classes_that_lost_something_had_it_before():
    for since, (what, _) in releases.release_table().rows:
        before = ORDER[ORDER.index(since) - 1]
        if what.startswith("Mistral"):
            assert embeddings_of(releases.MISTRAL, before)
            assert not embeddings_of(releases.MISTRAL, since)
        if what.endswith("is gone"):
            name = what.split()[0]
            assert has_lora(name, before)
            assert not has_lora(name, since)
