"""What each part of a StepCost is, in a few words."""

from multilora.serving.cost import NEVER, NS_PER_MS, PPM, StepCost, check_cost

COST_WORDS = {
    "step_ns": "a step, whatever is in it",
    "seq_ns": "more for each request in it",
    "prompt_token_ns": "more for each token of a prompt",
    "lora_ns": "more once an adapter is in it",
    "adapter_ns": "more for each distinct adapter in it",
    "adapter_ppm": "of step, requests and tokens, for each adapter",
    "slot_load_ns": "a copy into a slot, which stops the engine",
    "disk_load_ns": "a read of the disk, before the copy",
    "api_ns": "the API server, for each first token",
    "first_use_ns": "an adapter's first request holds that server up",
}
_BENT = {
    "seq": "for each request beyond {knee:,}, instead",
    "prompt_token": "for each token of prompts beyond {knee:,}, instead",
    "adapter": "for each adapter beyond {knee:,}, instead",
}


def cost_rows(cost: StepCost) -> list[tuple[str, str, str]]:
    """Return (name, value with its unit, what it is) for each part of a cost.

    Names are those of step_cost's arguments. Parts of 0 are left out: a
    calibration's notes say which of them were in no probe.
    """
    check_cost(cost)
    parts = cost._asdict()
    rows = []
    for name, words in COST_WORDS.items():
        if name == "adapter_ppm":
            if parts[name]:
                share = f"{100 * parts[name] / PPM:.3g} %"
                rows.append(("adapter_share", share, words))
        elif parts[name]:
            rows.append((_named(name), _ms(parts[name]), words))
    for name, words in _BENT.items():
        knee = parts[f"{name}_knee"]
        if knee != NEVER:
            far = f"far_{name}_ns"
            rows.append(
                (_named(far), _ms(parts[far]), words.format(knee=knee))
            )
    return rows


def _named(name: str) -> str:
    return name.removesuffix("_ns") + "_ms"


def _ms(ns: int) -> str:
    return f"{ns / NS_PER_MS:,.4g} ms"
