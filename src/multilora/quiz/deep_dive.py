"""The deep dive: names and ids, defaults, prefix blocks, metrics."""

from multilora.exercises.answers import Number
from multilora.quiz.question import Choice, Quantity, right, wrong
from multilora.serving.limits import engine_limits

SLOTS = 6


def num_copies(max_loras: int = SLOTS) -> int:
    """Return the copies in CPU memory where max_cpu_loras is not set."""
    return engine_limits(max_loras).max_cpu_loras


def _slips():
    return {
        "That is the default where `max_loras` is not set either; see "
        "[section 2](#2-the-configuration-fixes-the-slots).": num_copies(1),
        "There are copies: what has a slot has a copy too. But there are no "
        "others; see [section 2](#2-the-configuration-fixes-the-slots).": 0,
        "That would be a spare tier as large as the slots. There is none "
        "until you ask for one; see [section "
        "2](#2-the-configuration-fixes-the-slots).": 2 * num_copies(),
    }  # fmt: skip


QUESTIONS = [
    Choice(
        "Two requests of one step have the name `sql`, one with id 1 and one "
        "with id 2. What does vLLM 0.32.0 do?",
        (
            wrong("It gives each id a slot.",
                  "The step's set of requests compares names, so only one of "
                  "the two is in it; see [section "
                  "1](#1-the-request-names-an-adapter)."),
            right("One id gets a slot, and the other is not found.",
                  "Requests are equal by name and cached by id. So give each "
                  "name one id, as the server does."),
            wrong("It refuses the second request.",
                  "An id below 1 is refused; two ids of one name are not; "
                  "see [section 1](#1-the-request-names-an-adapter)."),
            wrong("It serves both with the adapter of id 1.",
                  "Rows are looked up by id, and id 2 has no slot; see "
                  "[section 1](#1-the-request-names-an-adapter)."),
        ),
    ),
    Quantity(
        f"An engine is started with `--enable-lora --max-loras {SLOTS}` and "
        "nothing else about LoRA. How many adapters does it keep in CPU "
        "memory?",
        "adapters",
        Number(num_copies,
               "As many as there are slots: who loses the slot loses the "
               "copy too, so by default each miss reads the disk.", _slips),
    ),
    Choice(
        "You unload a tenant's adapter, write new weights into its folder, "
        "and load them under the same name. Which answers may the tenant "
        "get?",
        (
            wrong("New ones, since a load clears the slot first",
                  "The slot is cleared. But cached prefixes are kept by name "
                  "and path, and both are the same; see [section "
                  "3](#3-the-server-turns-a-model-name-into-an-adapter)."),
            wrong("An error, since the name is taken",
                  "Unloading took the name away, so the load is accepted; "
                  "see [lab 02, section 12](lab-02-serve-many-loras.ipynb"
                  "#12-the-server-each-adapter-is-a-model)."),
            wrong("The base's, until the server restarts",
                  "The base's blocks have a key of their own; see [section "
                  "3](#3-the-server-turns-a-model-name-into-an-adapter)."),
            right("Some from blocks of the old weights",
                  "The key of a block holds name and path, not the weights. "
                  "So publish each version to a new path."),
        ),
    ),
    Choice(
        "Which metric of vLLM 0.32.0 counts how often adapters are loaded?",
        (
            wrong("`vllm:lora_requests_info`",
                  "Its labels hold names of adapters whose requests have "
                  "begun to answer, and its value is a time; see [section "
                  "8](#8-what-you-can-watch)."),
            wrong("`vllm:num_requests_waiting_by_reason`",
                  "It counts requests that wait, deferred ones among them, "
                  "without their adapter; see [section "
                  "8](#8-what-you-can-watch)."),
            right("None",
                  "We found no metric of loads, hits or evictions. An "
                  "operator infers loads from the times, or from a model."),
        ),
    ),
]  # fmt: skip
