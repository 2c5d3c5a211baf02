"""One step of vLLM's v1 scheduler with a token budget and seats."""

from collections.abc import Iterable
from typing import NamedTuple

from multilora.arguments import integer, items, shown, text
from multilora.cache.slots import schedule_step


class Sequence(NamedTuple):
    """A request with the tokens that it still has to run.

    num_tokens is the whole prompt for a waiting request, what is left of a
    prompt that was cut, and 1 for one that decodes. adapter_id -1 is base.
    """

    request_id: str
    adapter_id: int
    num_tokens: int


class Plan(NamedTuple):
    """What one step does: tokens by request id in order, and the queues."""

    num_scheduled_tokens: dict[str, int]
    admitted: list[Sequence]
    deferred: list[Sequence]


def plan_step(
    waiting: Iterable[Sequence],
    running: Iterable[Sequence],
    max_loras: int,
    max_num_seqs: int | None,
    token_budget: int,
) -> Plan:
    """Return the Plan of a step: the running first, then schedule_step.

    Each running Sequence gets the tokens it wants while the budget lasts.
    What is left goes to waiting ones that schedule_step would admit, in
    order; a prompt longer than the rest is cut (chunked prefill), and an
    empty budget ends the walk: it is a barrier, as seats are.
    A step with a preemption or a prefix in the cache is not modelled.
    As vLLM v1's Scheduler.schedule. Raises ValueError for num_tokens or a
    token_budget below 1, and as schedule_step does.
    """
    left = integer("token_budget", token_budget, minimum=1)
    waiting = _checked("waiting", waiting)
    running = _checked("running", running)
    if len({item.request_id for item in waiting + running}) < len(
        waiting + running
    ):
        raise ValueError(
            "waiting and running hold a request_id twice; ids are unique"
        )
    tokens: dict[str, int] = {}
    left = _spend(running, left, tokens)
    # Where tokens are left every running request is scheduled, so all their
    # adapters count; where none are left nobody is admitted.
    fitting, _ = schedule_step(waiting, running, max_loras, max_num_seqs)
    left = _spend(fitting, left, tokens)
    admitted = [item for item in fitting if item.request_id in tokens]
    deferred = [item for item in waiting if item.request_id not in tokens]
    return Plan(tokens, admitted, deferred)


def _spend(queue, left, tokens):
    """Grant tokens in order into `tokens`; return what is left."""
    for item in queue:
        if not left:
            break
        tokens[item.request_id] = min(item.num_tokens, left)
        left -= tokens[item.request_id]
    return left


def _checked(name: str, queue: Iterable[Sequence]) -> list[Sequence]:
    checked = items(name, queue, Sequence)
    for item in checked:
        text(f"request_id {shown(item.request_id)} in {name}", item.request_id)
        integer(
            f"num_tokens of {item.request_id!r} in {name}", item.num_tokens, 1
        )
    return checked
