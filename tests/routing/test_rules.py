"""What is true of every rule: where it sends, what it reads, its seed."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asked import SECOND, setup
from multilora.routing.given import (
    COUNTS,
    METRICS,
    NOTHING,
    RESIDENTS,
    Ask,
    Seen,
)
from multilora.routing.rules import RULES, router, rule, rules_table

NUM_ADAPTERS, MOST_ENGINES = 6, 6
GAPS_NS = (0, 10**6, SECOND, 4 * SECOND, 3000 * SECOND)
seeds = st.integers(0, 2**32)


def requests(seed):
    """Return requests in time; engines die, come back, and two are added."""
    rng, now_ns, found = Random(seed), 0, []
    for _ in range(25):
        now_ns += rng.choice(GAPS_NS)
        num_alive = rng.randint(1, MOST_ENGINES)
        alive = sorted(rng.sample(range(MOST_ENGINES), num_alive))
        found.append(Ask(
            rng.randrange(-1, NUM_ADAPTERS), now_ns, alive,
            [k for k in alive if rng.random() < 0.6],
            [rng.randrange(9) for _ in range(MOST_ENGINES)],
            [a_page(rng) for _ in range(MOST_ENGINES)],
        ))  # fmt: skip
    return found


def a_page(rng):
    names = [
        frozenset(rng.sample(range(NUM_ADAPTERS), rng.randrange(5)))
        for _ in range(4)
    ]
    return Seen(rng.randrange(9), rng.randrange(300), rng.random(), *names)


def choices(name, asks, seed=3):
    choose = router(name, setup(4, NUM_ADAPTERS, 2, seed=seed))
    return [choose(one) for one in asks]


@pytest.mark.parametrize("name", RULES)
@given(seed=seeds)
@settings(max_examples=20, deadline=None)
def test_a_living_engine_gets_it_and_a_holder_where_asked(name, seed):
    asks = requests(seed)
    for one, engine in zip(asks, choices(name, asks), strict=True):
        asks_holders = rule(name).asks_holders and one.holders
        assert engine in (one.holders if asks_holders else one.engines)


def without_counts(one):
    return one._replace(in_flight=[0] * MOST_ENGINES)


def without_residents(one):
    none = frozenset()
    return one._replace(
        seen=[page._replace(in_slots=none, in_cpu=none) for page in one.seen]
    )


def without_metrics(one):
    return one._replace(seen=())


@pytest.mark.parametrize("name", RULES)
@given(seed=seeds)
@settings(max_examples=15, deadline=None)
def test_a_rule_reads_what_it_says_and_no_more(name, seed):
    asks = requests(seed)
    found = choices(name, asks)
    assert found == choices(name, asks)  # its seed fixes its draws
    reads = rule(name).reads
    if reads == METRICS:
        assert found == choices(name, map(without_residents, asks))
    if reads in (NOTHING, COUNTS):
        assert found == choices(name, map(without_metrics, asks))
    if reads == NOTHING:
        blind = [without_counts(without_metrics(one)) for one in asks]
        assert found == choices(name, blind)


@pytest.mark.parametrize("name", RULES)
def test_what_it_reads_has_an_age(name):
    is_scraped = rule(name).reads in (METRICS, RESIDENTS)
    assert is_scraped or rule(name).reads in (NOTHING, COUNTS)
    assert (rule(name).scrape_ms > 0) == is_scraped


def test_a_misspelt_name_is_told_the_nearest_and_all():
    with pytest.raises(ValueError, match="the nearest is 'round_robin'") as e:
        rule("round-robin")
    assert all(repr(name) in str(e.value) for name in RULES)
    with pytest.raises(TypeError, match="rule is 3"):
        rule(3)


def test_the_table_has_a_row_a_rule():
    rows = rules_table()
    assert [row.name for row in rows] == list(RULES)
    assert all(row.source and row.pins for row in rows)
    by_name = {row.name: row for row in rows}
    assert by_name["llm-d-default"].reads == "metrics, 50 ms"
    assert by_name["round_robin"].pins == "nothing"


@pytest.mark.parametrize(
    ("wrong", "named"),
    [({"num_engines": 0}, "num_engines is 0"),
     ({"num_adapters": -1}, "num_adapters is -1"),
     ({"max_loras": (4,)}, "1 max_loras"),
     ({"max_loras": (4, 0)}, "max_loras is 0"),
     ({"urls": ("http://a",)}, "1 urls"),
     ({"urls": (1, 2)}, "urls holds 1"),
     ({"names": "ab"}, "names is 'ab'"),
     ({"seed": -1}, "seed is -1"),
     ({"prefix_share": 1.5}, "prefix_share is 1.5")],
)  # fmt: skip
def test_a_setup_that_no_router_starts_with_is_named(wrong, named):
    with pytest.raises((ValueError, TypeError), match=named):
        router("round_robin", setup(2)._replace(**wrong))
