"""Prompts through a running engine, in one batch, step by step."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from multilora.arguments import integer, items, shown
from multilora.engine.recorder import Recorder
from multilora.engine.views import EngineStep, Load, Reply

if TYPE_CHECKING:
    from vllm import LLM
    from vllm.lora.request import LoRARequest
    from vllm.v1.core.sched.scheduler import Scheduler


class RunningEngine(Protocol):
    """What a batch needs of an engine; running.Engine has it."""

    llm: "LLM"
    max_loras: int | None
    scheduler: "Scheduler"
    recorder: Recorder

    @property
    def loads(self) -> list[Load]: ...

    def request(self, name: str | None) -> "LoRARequest | None": ...

    def slots(self) -> dict[int, str | None]: ...


def answer(
    engine: RunningEngine,
    prompts: Iterable[str],
    adapters: Iterable[str | None] | None,
    max_tokens: int,
    steps: list[EngineStep] | None = None,
) -> list[Reply]:
    """Answer prompts greedily in one batch; return their replies.

    adapters names an adapter a prompt, None for the base. An EngineStep is
    appended to the list `steps` for each step, if given. Raises ValueError
    for no prompts, lists of different lengths, an unknown name or a prompt
    that is too long; then no request is left in the engine.
    """
    prompts, requests = _checked(engine, prompts, adapters)
    sampling = _sampling(max_tokens)
    core, replies = engine.llm.llm_engine, {}
    try:
        for number, prompt in enumerate(prompts):
            core.add_request(
                str(number), prompt, sampling, lora_request=requests[number]
            )
        while core.has_unfinished_requests():
            num_loads = len(engine.loads)
            for output in core.step():
                if output.finished:
                    replies[int(output.request_id)] = _reply(output)
            if steps is not None:
                number = len(steps) + 1
                steps.append(_step(engine, number, num_loads, requests))
    except BaseException as error:
        left = list(core.output_processor.request_states)
        core.abort_request(left, internal=True)
        if type(error).__name__ == "VLLMValidationError":
            raise ValueError(f"prompts holds a wrong one: {error}") from error
        raise
    return [replies[number] for number in range(len(prompts))]


def _checked(
    engine, prompts, adapters
) -> tuple[list[str], list["LoRARequest | None"]]:
    """Return prompts and their LoRARequests (None: base), or raise."""
    prompts = items("prompts", prompts, str)
    names: list[str | None] = [None] * len(prompts)
    if adapters is not None:
        names = items("adapters", adapters, str | None)
    if not prompts or not all(prompts):
        raise ValueError(
            f"prompts is {shown(prompts)}, but must hold at least one "
            "prompt, and none that is empty"
        )
    if len(names) != len(prompts):
        raise ValueError(
            f"adapters has {len(names)} entries, but must have one for "
            f"each of the {len(prompts)} prompts"
        )
    return prompts, [engine.request(name) for name in names]


def _sampling(max_tokens):
    from vllm import SamplingParams

    max_tokens = integer("max_tokens", max_tokens, minimum=1)
    return SamplingParams(temperature=0.0, max_tokens=max_tokens, logprobs=1)


def _step(engine, number, num_loads, requests):
    def named(request_ids):
        # vLLM appends a random suffix to the id that it was given.
        numbers = [int(item.split("-")[0]) for item in request_ids]
        tags = [requests[item] for item in numbers]
        names = [tag and tag.lora_name for tag in tags]
        return tuple(zip(numbers, names, strict=True))

    # Who is known to the scheduler and does not run has waited.
    running = {item.request_id for item in engine.scheduler.running}
    waited = [key for key in engine.scheduler.requests if key not in running]
    return EngineStep(
        number=number,
        ran=named(engine.recorder.scheduled),
        waited=named(waited),
        loads=tuple(engine.loads[num_loads:]),
        slots={} if engine.max_loras is None else engine.slots(),
    )


def _reply(output):
    (done,) = output.outputs
    pairs = zip(done.logprobs, done.token_ids, strict=True)
    return Reply(
        prompt=output.prompt,
        adapter=output.lora_request and output.lora_request.lora_name,
        text=done.text,
        token_ids=tuple(done.token_ids),
        logprobs=tuple(choices[token].logprob for choices, token in pairs),
    )
