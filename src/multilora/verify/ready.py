"""A live server before a test: it serves what is planned, and is warm."""

from typing import NamedTuple

from multilora.plan.answer import Plan, engine_of
from multilora.serving.client import Client
from multilora.serving.replies import CalibrationError, message_of
from multilora.serving.served import look_at
from multilora.verify.planned import Planned
from multilora.watch.metrics import fetch_scrape


class Ready(NamedTuple):
    """A server's url before /v1, the name to ask a request, and notes.

    used are places of tenants in the order in which they were asked once.
    """

    url: str
    models: list[str]
    used: list[int]
    notes: list[str]


def ready(
    url: str,
    planned: Planned,
    plan: Plan,
    number: int = 1,
    is_warm: bool = True,
    timeout_s: float = 60,
    api_key: str | None = None,
) -> Ready:
    """Return a Ready server for the traffic of an engine of a plan.

    Each adapter is asked for one token, those who ask least first. Raises
    CalibrationError for a server that is not vLLM's, or does not serve all
    of these tenants.
    """
    num = len(planned.tenants)
    client = Client(url, num + 2, 3600, timeout_s, api_key)
    served = look_at(client, {})
    adapters = [one for one in planned.tenants if one.rank]
    missing = [one.name for one in adapters if one.name not in served.names]
    if missing:
        raise CalibrationError(
            f"the server at {client.url} serves no {missing[0]!r}, and "
            f"{len(missing)} of the plan's {len(adapters)} tenants in all are "
            "not there: start it with the plan's --lora-modules"
        )
    load = planned.workload
    longest = int((load.prompt_tokens + load.output_tokens).max())
    if served.max_model_len is not None and longest > served.max_model_len:
        raise CalibrationError(
            f"the server at {client.url} takes {served.max_model_len:,} "
            f"tokens, and the plan's traffic has a request of {longest:,}: "
            f"start it with --max-model-len {plan.max_model_len}"
        )
    names = [one.name if one.rank else served.base for one in planned.tenants]
    used = _warm_up(client, planned, names) if is_warm else []
    notes = _notes(client.url, plan, number, served.version, api_key)
    models = [names[place] for place in planned.places]
    return Ready(client.url, models, used, notes)


def _warm_up(client: Client, planned: Planned, names: list[str]) -> list[int]:
    """Ask each adapter for one token; return their places in that order."""
    places = [k for k, one in enumerate(planned.tenants) if one.rank]
    places.sort(key=lambda place: planned.tenants[place].requests_per_s)
    for place in places:
        body = {"model": names[place], "prompt": "a", "max_tokens": 1}
        answer = client.ask("/v1/completions", body)
        if answer.status != 200:
            raise CalibrationError(
                f"the server at {client.url} answers {answer.status} to a "
                f"request for {names[place]!r} ({message_of(answer.body)})"
            )
    return places


def _notes(
    url: str, plan: Plan, number: int, version: str, api_key: str | None
) -> list[str]:
    notes = []
    if version != plan.vllm_version:
        notes.append(
            f"the server is vLLM {version}, the plan is for "
            f"{plan.vllm_version}"
        )
    wanted = engine_of(plan, number).setting.max_loras
    try:
        active = fetch_scrape(url, api_key).active()
    except CalibrationError:
        return notes  # no metrics, no comparison
    has = active.max_loras if active else None
    if has is not None and has != wanted:
        notes.append(
            f"the server runs with max_loras {has}, the plan says {wanted}: "
            "this is no test of the plan"
        )
    return notes
