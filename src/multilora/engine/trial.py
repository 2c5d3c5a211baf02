"""What vLLM does with a bad adapter, seen, beside what our check says."""

import re
from pathlib import Path
from typing import NamedTuple

from multilora.adapters.check import AdapterError, check_adapter
from multilora.adapters.misfits import MISFITS, make_misfit
from multilora.engine.running import Engine

MAX_SHOWN = 76


class Trial(NamedTuple):
    """One misfit: what vLLM did and said, and what our check says.

    vllm is "loads", "refuses", or "half-loads": refuses, but too late, so
    that the adapter keeps its id and a slot.
    """

    kind: str
    vllm: str
    vllm_says: str
    check_says: str


def try_misfits(
    engine: Engine, adapter: str | Path, folder: Path
) -> list[Trial]:
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
    outcome, said = "loads", ""
    try:
        core.add_lora(request)
    except Exception as error:
        is_left_behind = 999 in core.list_loras()
        outcome = "half-loads" if is_left_behind else "refuses"
        said = _short(error, folder)
    core.remove_lora(999)
    return Trial(kind, outcome, said, _our_check(engine, folder))


def _our_check(engine, folder):
    try:
        check_adapter(folder, engine.shape, max_lora_rank=16)
    except AdapterError as error:
        return _short(error, folder)
    return ""


def _short(error, folder):
    """Return the first line of an error, without this machine's paths."""
    line = (str(error) or type(error).__name__).splitlines()[0]
    line = line.replace(str(folder), "it").removeprefix("it: ")
    line = re.sub(r"\{.*", "{…}", line)  # a set, in another order each time
    return line if len(line) <= MAX_SHOWN else line[:MAX_SHOWN] + "…"
