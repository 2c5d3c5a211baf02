"""Measured: first turns, an exponent, the bound that was missed."""

from multilora import traffic
from multilora.cache.hitrate import lru_hit_curve
from multilora.exercises.answers import Number
from multilora.published import shared
from multilora.quiz.question import Choice, Quantity, right, wrong

NUM_REQUESTS, NUM_ADAPTERS, TIMES = 20_000, 60, 4


def num_hits() -> int:
    """Return hits of an LRU cache with a slot for each adapter."""
    trace = traffic.zipf(NUM_REQUESTS, NUM_ADAPTERS)
    return int(lru_hit_curve(trace)[NUM_ADAPTERS - 1])


def _hit_slips():
    return {
        "That would be all of them. A first turn always misses, since the "
        "slots are empty at first; see [section "
        "1](#1-forty-caches-or-one-pass).": NUM_REQUESTS,
        "That is how often it misses: once for each adapter.": NUM_ADAPTERS,
    }


def exponent() -> float:
    """Return the exponent of the curve's time over requests, with numpy."""
    (row,) = (
        row
        for row in shared("benchmarks")["growth"]
        if (row["what"], row["over"]) == ("whole curve, numpy", "requests")
    )
    return round(row["exponent"], 2)


def times_as_long() -> float:
    """Return the curve's time for TIMES as many requests, over the first."""
    return TIMES ** exponent()


def _time_slips():
    return {
        "That is in proportion. The exponent is a little below 1; see "
        "[section 4](#4-how-does-it-grow).": TIMES,
        "That is the exponent times four. It is a power; see [section "
        "4](#4-how-does-it-grow).": TIMES * exponent(),
        "That is for twice as many requests; see [section "
        "4](#4-how-does-it-grow).": 2 ** exponent(),
    }


QUESTIONS = [
    Quantity(
        f"{NUM_REQUESTS:,} requests for {NUM_ADAPTERS} adapters, and each "
        "adapter is asked for at least once. How many requests hit in an LRU "
        f"cache with {NUM_ADAPTERS} slots?",
        "hits",
        Number(num_hits,
               "With a slot for each adapter only the first turns miss. One "
               "pass gives this number and that of every smaller cache.",
               _hit_slips),
    ),
    Quantity(
        f"The time of the numpy curve grows over requests with an exponent "
        f"of {exponent()}. {TIMES} times as many requests come. How many "
        "times as long does it take?",
        "times",
        Number(times_as_long,
               "Traffic is what one feels. Over adapters the exponent is "
               "near 0, so the number of tenants costs next to nothing.",
               _time_slips, within=1e-2),
    ),
    Choice(
        "One bound was missed: 16 rows with an adapter each. Why does "
        "grouping gain least there?",
        (
            wrong("Sorting 16 rows takes longer than the products.",
                  "Sorting and gathering are a minor item; see [Sort once, "
                  "section 1](grouping.ipynb#1-one-sort-a-step)."),
            right("No two rows share an adapter, so all sixteen have to be "
                  "read once, whoever serves them.",
                  "No order of rows saves that reading. With more rows the "
                  "groups have company, and the gap widens."),
            wrong("vLLM's kernels are made for small batches.",
                  "What is compared are vLLM's torch ops, the readable form "
                  "of its kernels; see [section 3](#3-the-verdicts)."),
            wrong("The bound was for a GPU.",
                  "Nothing in these rows is about a GPU; see [section "
                  "3](#3-the-verdicts)."),
        ),
    ),
]  # fmt: skip
