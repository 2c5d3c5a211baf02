"""What vLLM does with a bad adapter, seen, beside what our check says."""

import re
from typing import NamedTuple

from multilora.adapter_check import AdapterError, check_adapter
from multilora.misfits import MISFITS, make_misfit

MAX_SHOWN = 90


class Trial(NamedTuple):
    """One misfit: vLLM's outcome, what it left behind, and our check's."""

    kind: str
    vllm: str
    is_left_behind: bool
    check: str


def try_misfits(engine, adapter, folder):
    """Return a Trial for each kind of MISFITS, made in folder.

    Each is given to vLLM's own add_lora, unchecked, and taken out again.
    adapter is a good one of rank 8; the engine's max_lora_rank is 16.
    """
    return [
        _try(
            engine,
            kind,
            make_misfit(kind, adapter, folder / str(number) / "it"),
        )
        for number, kind in enumerate(MISFITS)
    ]


def _try(engine, kind, folder):
    from vllm.lora.request import LoRARequest

    core = engine.llm.llm_engine
    request = LoRARequest("misfit", 999, str(folder))
    try:
        core.add_lora(request)
        outcome = "loads"
    except Exception as error:
        outcome = f"refuses: {_short(error, folder)}"
    is_left = outcome != "loads" and 999 in core.list_loras()
    core.remove_lora(999)
    return Trial(kind, outcome, is_left, _our_check(engine, folder))


def _our_check(engine, folder):
    try:
        check_adapter(folder, engine.shape, max_lora_rank=16)
    except AdapterError as error:
        return f"refuses: {_short(error, folder)}"
    return "passes"


def _short(error, folder):
    """Return the first line of an error, without this machine's paths."""
    line = (str(error) or type(error).__name__).splitlines()[0]
    line = line.replace(str(folder), "it")
    line = re.sub(r"\{.*", "{…}", line)  # a set, in another order each time
    return line if len(line) <= MAX_SHOWN else line[:MAX_SHOWN] + "…"
