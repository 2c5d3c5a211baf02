"""Policies: Belady by hand, LFU on sessions, what to change first."""

from multilora.cache.policies import policy_hits
from multilora.exercises.answers import Number
from multilora.quiz.question import Choice, Quantity, right, wrong

TRACE = [0, 1, 2, 0, 2, 3, 1, 2, 2, 3, 3]


def num_hits(policy: str = "belady") -> int:
    """Return hits of a policy on TRACE with two slots."""
    return policy_hits(TRACE, num_slots=2, policy=policy)


def _slips():
    return {
        "That is LRU. Belady evicts the adapter that is needed furthest in "
        "the future; see the table at the [top of the "
        "page](#would-another-policy-do-better).": num_hits("lru"),
        "That is LFU, which counts uses since the load; see the table at "
        "the [top of the page](#would-another-policy-do-better).":
            num_hits("lfu"),
        "That is every request but the first of each adapter, so with a slot "
        "for each. There are two slots.": len(TRACE) - len(set(TRACE)),
        "That is how often it misses.": len(TRACE) - num_hits(),
    }  # fmt: skip


QUESTIONS = [
    Quantity(
        f"Two slots, requests for adapters {' '.join(map(str, TRACE))}. How "
        "many hits does Belady's rule get?",
        "hits",
        Number(num_hits,
               "No policy that loads every miss can hit more often on this "
               "trace. That is what a bound is for.", _slips),
    ),
    Choice(
        "Why does LFU hit so rarely when users come in sessions?",
        (
            right("Old sessions keep the slots, and a new one begins with a "
                  "count of one.",
                  "The newcomer leaves again at the next miss. What was "
                  "popular is not what is asked for now."),
            wrong("It cannot tell a session from a single request.",
                  "LRU cannot either, and it leads on sessions; see [section "
                  "2](#2-is-there-a-best-one)."),
            wrong("It has to count all uses, which takes time.",
                  "Hits are counted here, not time. Its counts are right, "
                  "and they are about the past; see [section "
                  "2](#2-is-there-a-best-one)."),
            wrong("Sessions have no popular adapters.",
                  "Few adapters are active at any moment, which is why LRU "
                  "hits nearly always; see [section "
                  "2](#2-is-there-a-best-one)."),
        ),
    ),
    Choice(
        "Two engines of eight slots serve forty tenants, and a router hands "
        "out requests in turn. What gains most?",
        (
            wrong("Another policy in both engines",
                  "In turn, even the best possible policy stays behind plain "
                  "LRU fed by tenant; see [section 5](#5-what-you-can-turn)."
                  ),
            wrong("A router that sends the popular tenants to one engine and "
                  "all others to the second",
                  "It gains, but the first engine gets most of the requests; "
                  "see [section 5](#5-what-you-can-turn)."),
            right("A router that sends each tenant to always the same "
                  "engine, with the popular ones parted",
                  "Then each engine sees half of the tenants, and no session "
                  "is torn in two. vLLM remains as it is."),
            wrong("`pin_lora` for the popular tenants",
                  "The scheduler does not know of pins, and on vLLM's "
                  "classes a step then failed; see [section "
                  "5](#5-what-you-can-turn)."),
        ),
    ),
]  # fmt: skip
