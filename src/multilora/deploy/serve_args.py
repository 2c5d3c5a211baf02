"""The `vllm serve` line of each engine of a plan."""

import json
import re
from collections.abc import Callable

from multilora.arguments import integer, shown
from multilora.deploy.quoting import one_line, shell_lines
from multilora.plan.answer import Backup, Engine, Plan, Tenant, engine_of

FIRST_PORT = 8000  # of the front; the engines behind it have the next ones
# name=path as vLLM reads it: its parser splits at the first "=" and takes an
# item with a comma for JSON; argparse takes one with "-" first for an option.
_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_.:/@+-]*")
FolderOf = Callable[[Tenant | Backup], str | None]


def checked_plan(plan: object) -> Plan:
    """Return plan if it is a Plan, or raise TypeError."""
    if not isinstance(plan, Plan):
        raise TypeError(f"plan is {shown(plan)}, but must be a Plan")
    return plan


def port_of(plan: Plan, number: int) -> int:
    """Return the port of an engine: 8000 if it is alone, else 8000 + number.

    Raises as engine_of does.
    """
    engine_of(plan, number)
    return FIRST_PORT + (number if len(plan.engines) > 1 else 0)


def gpus_of(plan: Plan, number: int) -> list[str]:
    """Return the GPUs of an engine where all engines share one machine.

    Raises as engine_of does.
    """
    engine_of(plan, number)
    width = plan.tensor_parallel_size
    return [str(gpu) for gpu in range((number - 1) * width, number * width)]


def serve_args(
    plan: Plan,
    number: int,
    port: int | None = None,
    folder_of: FolderOf | None = None,
) -> list[str]:
    """Return what comes after `vllm serve`, a word of the command each.

    port None is port_of(plan, number). folder_of gives the folder of a
    tenant where another than its own is right, None where it is not known.
    Source: vLLM 0.32.0, entrypoints/launchers/cli_args.py; held against its
    parser by a test.
    Raises ValueError for a model that vLLM would take for an option, and as
    engine_of does.
    """
    return [
        word for group in _groups(plan, number, port, folder_of)
        for word in group
    ]  # fmt: skip


def serve_line(plan: Plan, number: int) -> str:
    """Return the whole command of an engine for a POSIX shell, many lines.

    Raises as serve_args and shell_lines do.
    """
    groups = _groups(plan, number, None, None)
    return shell_lines([["vllm", "serve", *groups[0]], *groups[1:]])


def widest_rank(plan: Plan) -> int:
    """Return the largest max_lora_rank of the plan's engines.

    Raises TypeError for no Plan.
    """
    engines = checked_plan(plan).engines
    return max(engine.setting.max_lora_rank for engine in engines)


def without_folder(engine: Engine) -> list[Tenant | Backup]:
    """Return those it must know and whose adapter's folder is not known."""
    if not isinstance(engine, Engine):
        raise TypeError(f"engine is {shown(engine)}, but must be an Engine")
    return [t for t in engine.known if not (t.folder or t.is_base)]


def _groups(
    plan: Plan, number: int, port: int | None, folder_of: FolderOf | None
) -> list[list[str]]:
    """Return the words, those of one line of the text together."""
    engine = engine_of(plan, number)
    if plan.model.startswith("-"):
        raise ValueError(
            f"model is '{one_line(plan.model)}', but must not start with '-': "
            "vLLM takes that for an option"
        )
    if "\0" in plan.model:
        raise ValueError(
            f"model is '{one_line(plan.model)}', but must not hold a NUL"
        )
    if port is None:
        port = port_of(plan, number)
    values = {
        "--tensor-parallel-size": plan.tensor_parallel_size,
        "--gpu-memory-utilization": plan.gpu_memory_utilization,
        "--max-model-len": plan.max_model_len,
        "--max-num-seqs": engine.setting.max_num_seqs,
        "--max-num-batched-tokens": engine.setting.max_num_batched_tokens,
        "--enable-lora": None,
        "--max-loras": engine.setting.max_loras,
        "--max-lora-rank": engine.setting.max_lora_rank,
        "--max-cpu-loras": engine.setting.max_cpu_loras,
        "--port": integer("port", port, 1, 65535),
    }
    groups = [[plan.model]]
    for option, value in values.items():
        groups.append([option] if value is None else [option, repr(value)])
    if plan.more_args:
        groups.append(list(plan.more_args))
    modules = _lora_modules(engine, folder_of or _own_folder)
    if modules:
        groups.append(["--lora-modules"])
        groups.extend([module] for module in modules)
    return groups


def _own_folder(tenant: Tenant | Backup) -> str | None:
    return tenant.folder


def _lora_modules(engine: Engine, folder_of: FolderOf) -> list[str]:
    found = [(one.name, folder_of(one)) for one in engine.known]
    return [_lora_module(name, folder) for name, folder in found if folder]


def _lora_module(name: str, folder: str) -> str:
    if _PLAIN.fullmatch(name) and _PLAIN.fullmatch(folder):
        return f"{name}={folder}"
    return json.dumps({"name": name, "path": folder})
