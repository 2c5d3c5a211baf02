"""The engines of a plan: their dials, who is on which, their lines."""

from multilora.deploy.serve_args import serve_line
from multilora.inpage.blocks import cell, listed
from multilora.plan.answer import Plan, Setting

MOST_ENGINES = 8  # that are told one by one


def dials(plan: Plan) -> str:
    """Return the arguments of the first engine, in a sentence."""
    settings = {engine.setting for engine in plan.engines}
    one = plan.engines[0].setting
    of = "" if len(settings) == 1 else " of the first engine"
    return (
        f"The dials{of}: max_loras={one.max_loras}, "
        f"max_lora_rank={one.max_lora_rank}, "
        f"max_cpu_loras={one.max_cpu_loras}, "
        f"max_num_seqs={one.max_num_seqs}, "
        f"max_num_batched_tokens={one.max_num_batched_tokens}."
    )


def who_is_where(plan: Plan) -> list[str]:
    """Return who is on which of several engines; nothing for one engine."""
    if len(plan.engines) == 1:
        return []
    said = [
        f"Engine {number} has {engine.setting.max_loras} slots for "
        f"{len(engine.tenants):,} tenants: "
        f"{listed([cell(one.name) for one in engine.tenants])}."
        for number, engine in enumerate(plan.engines[:MOST_ENGINES], 1)
    ]
    more = len(plan.engines) - MOST_ENGINES
    if more > 0:
        said.append(f"And {more} engines more: --write gives them all.")
    return said


def serve_lines(plan: Plan) -> str:
    """Return the `vllm serve` line of each kind of engine, once."""
    seen: list[tuple[int, Setting]] = []
    for number, engine in enumerate(plan.engines, 1):
        if engine.setting not in [setting for _, setting in seen]:
            seen.append((number, engine.setting))
    return "\n\n".join(
        (
            f"# engine {number} of {len(plan.engines)}\n"
            if len(plan.engines) > 1
            else ""
        )
        + serve_line(plan, number)
        for number, _ in seen
    )
