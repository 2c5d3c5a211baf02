"""Your own case: whose p99, how many slots, which dial, which margin."""

from multilora.quiz.question import Choice, right, wrong

QUESTIONS = [
    Choice(
        "The promise is a p99 of 1,000 ms for each tenant. Over all requests "
        "the p99 is 600 ms. Is the promise kept?",
        (
            wrong("Yes, with a good reserve.",
                  "The p99 of all requests is that of the busy tenants. One "
                  "who asks rarely can be late with each request; see "
                  "[section 2](#2-one-answer)."),
            right("This number does not tell.",
                  "The promise is about the tenant who is worst off. Their "
                  "p99 can be well above that of all requests."),
            wrong("No: some tenant must be above 1,000 ms.",
                  "It may well be kept: in the plan of this page it was; see "
                  "[section 2](#2-one-answer)."),
        ),
    ),
    Choice(
        "You count how many tenants are active at once, and on average it is "
        "six. Is `max_loras=6` enough?",
        (
            wrong("Yes, if requests come evenly.",
                  "Even then more than six are active for much of the time; "
                  "see [section 3](#3-which-max_loras)."),
            wrong("Yes: one who waits uses no slot.",
                  "One who waits wants a slot, and so do all who came "
                  "meanwhile; see [section 3](#3-which-max_loras)."),
            right("No: with few slots more tenants are active.",
                  "Who waits stays longer in the engine. So the number of "
                  "slots is found by playing the log, not by counting it."),
            wrong("No: each tenant needs a slot, always.",
                  "A slot each is the simplest answer where memory allows "
                  "it. But fewer can keep the promise; see [section "
                  "3](#3-which-max_loras)."),
        ),
    ),
    Choice(
        "A quarter of the tenants is late, each of them by *deferral*. Which "
        "dial ends that?",
        (
            right("More slots",
                  "They waited for a slot, while seats and tokens were left. "
                  "The cause names the dial."),
            wrong("More tokens a step",
                  "Tokens were left in the step; see [section "
                  "4](#4-who-is-late-and-why)."),
            wrong("More requests at once (`max_num_seqs`)",
                  "Seats were free; see [section "
                  "4](#4-who-is-late-and-why)."),
            wrong("A limit on the busiest tenant",
                  "The busiest tenant holds one slot. Those who are late "
                  "hardly ask, and wait for one of the others; see [section "
                  "4](#4-who-is-late-and-why)."),
        ),
    ),
    Choice(
        "Twelve slots and forty slots keep the promise, and memory has room "
        "for both. Your card is slower than the plan assumed. Which "
        "setting breaks first?",
        (
            wrong("Both at once, since a step takes longer with either",
                  "A longer step keeps each slot taken for longer, and that "
                  "hurts where slots are few; see [section "
                  "5](#5-what-would-change-the-answer)."),
            wrong("Forty slots, since more adapters share a step",
                  "A step with more adapters is longer, but nobody waits for "
                  "a slot there; see [section "
                  "5](#5-what-would-change-the-answer)."),
            right("Twelve slots",
                  "Slots that are just enough are the first to be too few. "
                  "So measure what a step costs before you trust the fewest."
                  ),
        ),
    ),
]  # fmt: skip
