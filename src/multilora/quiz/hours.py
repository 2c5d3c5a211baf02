"""Real hours: a balance of tokens, late first minutes, slots, overload."""

from multilora.exercises.answers import Number
from multilora.quiz.question import Choice, Quantity, right, wrong

BUDGET, PROMPT, OUTPUT = 4096, 420, 140


def num_running(budget: int = BUDGET) -> int:
    """Return the requests that run in balance: R + R · prompt / output."""
    return round(budget * OUTPUT / (OUTPUT + PROMPT))


def _slips():
    return {
        "That leaves nothing for prompts. Each request that ends makes room "
        "for a prompt in the same budget; see [section "
        "3](#3-a-budget-of-tokens).": BUDGET,
        "That is the budget over prompt / output. It leaves nothing for the "
        "token that each running request needs; see [section "
        "3](#3-a-budget-of-tokens).": BUDGET * OUTPUT / PROMPT,
        "That is with prompt and output the wrong way round; see [section "
        "3](#3-a-budget-of-tokens).": BUDGET - num_running(),
        "That is how many whole requests have as many tokens as the budget. "
        "But a request that runs takes one token of a step; see [section "
        "3](#3-a-budget-of-tokens).": BUDGET // (PROMPT + OUTPUT),
    }  # fmt: skip


QUESTIONS = [
    Quantity(
        f"A step has a budget of {BUDGET:,} tokens. Prompts have {PROMPT} "
        f"tokens and outputs {OUTPUT}, and more requests come than the engine "
        "can serve. How many requests run in balance?",
        "requests",
        Number(num_running,
               "Each of them takes one token of a step, and the rest of the "
               "budget is for the prompts that replace those that end.",
               _slips, within=2e-3),
    ),
    Choice(
        "A simulated hour has the right TPOT, and its p99 is several times "
        "too low. The engine had just been started. What is missing?",
        (
            wrong("The price of a step is too low.",
                  "TPOT is about one step, and TPOT is right; see [section "
                  "1](#1-how-far-off-it-was)."),
            right("The first use of each adapter, which holds up the API "
                  "server",
                  "More than one request in a hundred comes in the first "
                  "minute, so that minute decides the p99. Ask when the late "
                  "requests came."),
            wrong("The KV cache must have been full.",
                  "A full cache would make steps and TPOT differ too, and "
                  "not at the start alone; see [section "
                  "4](#4-a-kv-cache-that-is-full)."),
        ),
    ),
    Choice(
        "With more and more slots the p99 of 320 adapters first falls and "
        "then rises above where it began. Why does it rise?",
        (
            wrong("With many slots adapters are loaded more often.",
                  "With a slot for each, an adapter is loaded once; see "
                  "[section 7](#7-more-slots-can-be-worse)."),
            wrong("The scheduler takes longer to find a free slot.",
                  "What grows is the step itself, with each distinct adapter "
                  "in it; see [section 2](#2-what-a-step-costs)."),
            right("Slots take KV memory, and a step takes longer with each "
                  "adapter in it.",
                  "So fewer requests fit, and each stays longer. Raise "
                  "`max_loras` as long as p99 falls, and look at TPOT "
                  "meanwhile."),
            wrong("More slots let more requests through the API server.",
                  "The API server's part is the first use of each adapter, "
                  "as many at each number of slots; see [section "
                  "5](#5-the-first-use-of-an-adapter)."),
        ),
    ),
    Choice(
        "The simulator says of a setting: overloaded, p99 400 s. What may "
        "you rely on?",
        (
            wrong("The p99, within a factor of 2",
                  "That is so of most calm hours. Near its limit an engine "
                  "multiplies every error; see [section "
                  "8](#8-where-it-still-fails)."),
            wrong("Nothing, because the simulator fails on overload",
                  "Whether an hour is calm or overloaded was nearly always "
                  "told right; see [section 6](#6-what-it-is-now)."),
            wrong("The number of answered requests",
                  "The engine starves some adapters, and small differences "
                  "decide whose requests are counted; see [section "
                  "8](#8-where-it-still-fails)."),
            right("That it is overloaded",
                  "This is the first thing to know about a setting, and a "
                  "safe answer. The p99 of an overloaded hour is not one."),
        ),
    ),
]  # fmt: skip
