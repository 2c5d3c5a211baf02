"""A fleet: why in turn fails, homes, a dead engine, a tenant who comes."""

import math

from multilora.exercises.answers import Number
from multilora.memory.economics import engines_needed
from multilora.quiz.question import Choice, Quantity, right, wrong

TENANTS, BUSY, REPLICAS, SLOTS, LOAD = 90, 12, 3, 8, 9.4


def num_homes() -> int:
    """Return homes: one a tenant, and REPLICAS for each busy one."""
    return TENANTS - BUSY + BUSY * REPLICAS


def num_engines() -> int:
    """Return the engines by homes over slots and by load, the larger."""
    return max(engines_needed(num_homes(), SLOTS), math.ceil(LOAD))


def _slips():
    by_tenants = engines_needed(TENANTS, SLOTS)
    return {
        "That counts tenants. A tenant with three homes takes a slot on each "
        "of three engines; see [section "
        "6](#6-placement-from-the-formula-to-an-answer).": by_tenants,
        "That is the load, rounded up. Here slots ask for more; see [section "
        "6](#6-placement-from-the-formula-to-an-answer).": math.ceil(LOAD),
        "That adds three homes to the one that each busy tenant has. Three "
        "are meant in all; see [section "
        "4](#4-when-affinity-makes-a-hot-spot).":
            engines_needed(TENANTS + BUSY * REPLICAS, SLOTS),
        "That is the sum of both. One engine gives slots and computes, so "
        "the larger number is enough; see [section "
        "6](#6-placement-from-the-formula-to-an-answer).":
            num_engines() + math.ceil(LOAD),
        "That is rounded down, and the homes left over need an engine too.":
            num_homes() // SLOTS,
    }  # fmt: skip


QUESTIONS = [
    Choice(
        "Thirteen engines of eight slots serve a hundred tenants, and the "
        "load is four engines. The router hands out requests in turn, and "
        "the p99 is many seconds. Why?",
        (
            wrong("Thirteen engines have too few slots.",
                  "They have 104 for a hundred tenants. What matters is who "
                  "meets whom; see [section 1](#1-thirteen-engines)."),
            right("Each engine meets all hundred tenants, on eight slots.",
                  "The engines have compute to spare, and what they lack is "
                  "slots. A router that keeps a tenant on one engine ends "
                  "that."),
            wrong("In turn, the load is uneven.",
                  "In turn the load is as even as can be, and that does not "
                  "help; see [section 2](#2-which-engine-gets-a-request)."),
            wrong("The busiest tenant needs more than one engine.",
                  "Here the busiest tenant needs less than one. That is "
                  "another case; see [section "
                  "4](#4-when-affinity-makes-a-hot-spot)."),
        ),
    ),
    Quantity(
        f"{TENANTS} tenants. {BUSY} of them are busy and have {REPLICAS} "
        f"homes each, all others one. An engine has {SLOTS} slots, and the "
        f"load is {LOAD} engines. How many engines are needed at least?",
        "engines",
        Number(num_engines,
               "Count homes, not tenants: each replica costs a slot. A "
               "placement has two budgets, slots and load.", _slips),
    ),
    Choice(
        "An engine dies, and the router notices five seconds later. Under "
        "which rule are most requests lost?",
        (
            right("The fewest requests in flight",
                  "The dead engine has nothing in flight, so it looks free "
                  "and draws everybody's requests."),
            wrong("In turn",
                  "A refused request is tried on another engine, so few are "
                  "lost; see [section 7](#7-an-engine-dies-a-tenant-comes)."
                  ),
            wrong("A sticky rule",
                  "It tries the same dead home again, but that concerns the "
                  "tenants of one engine only; see [section "
                  "7](#7-an-engine-dies-a-tenant-comes)."),
        ),
    ),
    Choice(
        "You load a new tenant's adapter through the router, and the answer "
        "is 200. Two engines are behind it, and requests go in turn. What "
        "happens?",
        (
            wrong("Both engines have the adapter.",
                  "A router passes the load on to one engine and returns its "
                  "answer; see [section "
                  "7](#7-an-engine-dies-a-tenant-comes)."),
            wrong("The second engine loads it at its first request.",
                  "The second engine does not know the name, and answers "
                  "404; see [section 7](#7-an-engine-dies-a-tenant-comes)."),
            wrong("A 404 of one engine is tried again on the other.",
                  "A 404 is no failure of the server, so it is not tried "
                  "again; see [section 8](#8-a-small-real-fleet)."),
            right("About half of the tenant's requests get a 404.",
                  "Load on every replica, and ask each one's `/v1/models` "
                  "before you tell the tenant."),
        ),
    ),
]  # fmt: skip
