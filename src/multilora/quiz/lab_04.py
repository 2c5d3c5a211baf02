"""Lab 04: hits by hand, what blocks, a cause and its sign, hit rates."""

from multilora.cache.hitrate import lru_hit_curve
from multilora.cache.policies import fifo_hits
from multilora.exercises.answers import Number
from multilora.quiz.question import Choice, Quantity, right, wrong

TRACE = [1, 2, 3, 1, 4, 1, 2, 5, 1, 4]
SLOTS = 3


def num_hits(slots: int = SLOTS) -> int:
    """Return the hits of an LRU cache of so many slots on TRACE."""
    return int(lru_hit_curve(TRACE)[slots - 1])


def _hit_slips():
    return {
        "That is how often it misses. A hit is a request whose adapter has a "
        "slot already; see [section 1](#1-two-slots-by-hand).":
            len(TRACE) - num_hits(),
        "That is with two slots; here there are three.": num_hits(2),
        "That is if the adapter that was loaded first leaves. Under LRU a "
        "hit makes an adapter the newest again; see [section "
        "1](#1-two-slots-by-hand).": fifo_hits(TRACE, SLOTS),
        "That counts every second use of an adapter. Some had lost their "
        "slot by then; see [section 1](#1-two-slots-by-hand).":
            len(TRACE) - len(set(TRACE)),
    }  # fmt: skip


QUESTIONS = [
    Quantity(
        f"{SLOTS} slots, empty at first; the least recently used adapter "
        f"leaves. Requests come for adapters {' '.join(map(str, TRACE))}. "
        "How many of them hit?",
        "hits",
        Number(num_hits,
               "Each use makes an adapter the newest. So what is asked for "
               "often stays, and visitors push each other out.",
               _hit_slips),
    ),
    Choice(
        "The scheduler walks through the waiting queue. At which of these "
        "does it stop, so that nobody behind is looked at?",
        (
            right("A request for which no seat (`max_num_seqs`) is free",
                  "Seats, tokens and KV blocks are walls. An adapter that "
                  "does not fit is only a detour."),
            wrong("A request whose adapter would be one too many",
                  "It is deferred: passed over for this step, and those "
                  "behind it are looked at; see [section "
                  "5](#5-the-scheduler-defers)."),
            wrong("A request whose adapter must be read from disk first",
                  "The walk does not ask where an adapter is. The load comes "
                  "later, and then the whole step waits for it; see [section "
                  "10](#10-a-whole-engine)."),
            wrong("A request for the base",
                  "The base needs no slot, so it is never deferred for one; "
                  "see [section 5](#5-the-scheduler-defers)."),
        ),
    ),
    Choice(
        "Twelve sessions run on eight slots, and `max_cpu_loras` is eight "
        "too. The busiest tenant's late requests waited mostly in "
        "*deferral*. What do you change first?",
        (
            wrong("`max_loras`, because deferral is a wait for a slot",
                  "More slots help too, and they take KV cache. Deferral is "
                  "where the wait showed, not what caused most of it; see "
                  "[section 10](#10-a-whole-engine)."),
            right("`max_cpu_loras`",
                  "Each read of the disk stops the engine, and whoever runs "
                  "holds their slot that much longer. With copies in host "
                  "memory most of these deferrals are gone."),
            wrong("`max_num_seqs`",
                  "Seats were not what these requests waited for: the part "
                  "*seats* of their wait is 0; see [section "
                  "10](#10-a-whole-engine)."),
            wrong("The cache policy",
                  "vLLM has no flag for it, and a policy does not make a "
                  "read shorter; see [section 10](#10-a-whole-engine)."),
        ),
    ),
    Choice(
        "On your dashboard nine requests in ten hit, at each load that you "
        "have tried. Are there enough slots?",
        (
            wrong("Yes, for a miss is the exception.",
                  "A hit rate weighs requests, and tenants who wait send "
                  "few. It can remain high while most tenants are late; see "
                  "[section 10](#10-a-whole-engine)."),
            wrong("Yes, if the p50 is fine too.",
                  "The p50 is that of the popular tenants, who send most "
                  "requests; see [section "
                  "8](#8-a-fine-p50-and-a-bad-p99)."),
            wrong("No: one in ten is too many misses.",
                  "No limit for a hit rate says that. At a low load the same "
                  "rate went with no late tenant; see [section "
                  "10](#10-a-whole-engine)."),
            right("The hit rate does not tell.",
                  "Size by p99, tenant by tenant, at your own load. A hit "
                  "rate can say that slots are too few, never that they are "
                  "enough."),
        ),
    ),
]  # fmt: skip
