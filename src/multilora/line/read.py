"""A line that starts vLLM, read into a model and an engine's arguments."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from multilora.arguments import shown
from multilora.line.config import with_config
from multilora.line.flags import (
    AUTO,
    ServeFlags,
    flags_version,
    near_flag,
    read_flags,
)
from multilora.line.notes import uncounted, uncounted_variables
from multilora.line.words import serve_words
from multilora.memory.settings import LedgerOptions
from multilora.models.versions import DEFAULT_VERSION, nearest_rule

# vLLM's arguments that memory_ledger has under their own names.
_LEDGER = (
    "gpu_memory_utilization", "quantization", "dtype", "lora_dtype",
    "kv_cache_dtype", "tensor_parallel_size", "pipeline_parallel_size",
    "enable_expert_parallel", "fully_sharded_loras", "max_model_len",
    "max_num_batched_tokens", "max_num_seqs", "enforce_eager",
)  # fmt: skip


@dataclass(frozen=True)
class ServeLine:
    """What a line starts: a model, and how.

    max_loras is None where the engine has no LoRA. options are arguments of
    memory_ledger, by name, and only those that the line says, with the
    version. is_fitted: --max-model-len auto, vLLM takes the largest that
    fits. lora_modules are (name, path) of the adapters loaded at the start.
    notes are sentences on what is not counted.
    """

    model: str
    max_loras: int | None
    max_lora_rank: int
    options: LedgerOptions
    is_fitted: bool = False
    max_cpu_loras: int | None = None
    lora_modules: tuple[tuple[str, str], ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def changed(self, **settings: Any) -> "ServeLine":
        """Return the line with other arguments, by vLLM's names."""
        own = {
            name: settings.pop(name)
            for name in ("max_loras", "max_lora_rank")
            if name in settings
        }
        options: Any = {**self.options, **settings}
        return replace(self, **own, options=options)


def serve_line(line: str, vllm_version: str = DEFAULT_VERSION) -> ServeLine:
    """Return the ServeLine of a line that starts vLLM's server.

    See serve_words for the forms. A --config FILE is read where it exists,
    what the line itself says goes before it. The arguments are those of
    flags_version(); under another vllm_version one that is unknown becomes a
    note.
    Raises ValueError for an unknown argument (with the nearest name), no
    model or two, and as read_flags does; TypeError for a line that is no
    str.
    """
    nearest_rule(vllm_version)
    words = serve_words(line)
    said = read_flags(words.arguments)
    notes: list[str] = []
    values = with_config(said.values, notes)
    _check_known(said, vllm_version, notes)
    model = _model(said, values)
    notes += uncounted(values) + uncounted_variables(words.environment)
    options: Any = {"vllm_version": vllm_version}
    options |= {name: values[name] for name in _LEDGER if name in values}
    if targets := values.get("lora_target_modules"):
        options["target_modules"] = targets
    if options.get("quantization") in ("", "None"):
        del options["quantization"]
    is_fitted = options.get("max_model_len") == AUTO
    if is_fitted:
        del options["max_model_len"]
    max_loras = values.get("max_loras", 1)
    if not values.get("enable_lora"):
        notes += _without_lora(values)
        max_loras = None
    return ServeLine(
        model=model,
        max_loras=max_loras,
        max_lora_rank=values.get("max_lora_rank", 16),
        options=options,
        is_fitted=is_fitted,
        max_cpu_loras=values.get("max_cpu_loras"),
        lora_modules=tuple(map(_module, values.get("lora_modules", ()))),
        environment=words.environment,
        notes=tuple(notes),
    )


def _check_known(said: ServeFlags, vllm_version, notes):
    known = flags_version()
    for flag in said.unknown:
        near = near_flag(flag)
        hint = f"; the nearest name is {near}" if near else ""
        why = f"{shown(flag)} is no argument of vLLM {known}{hint}"
        if vllm_version == known:
            raise ValueError(f"line: {why}")
        notes.append(
            f"{why}: those of {vllm_version} are not known here, and it is "
            "not counted"
        )


def _model(said: ServeFlags, values):
    named = list(said.positional)
    if "model" in said.values:
        named.append(said.values["model"])
    elif not named and "model" in values:  # of --config
        named.append(values["model"])
    if not named:
        raise ValueError(
            "line names no model: put one behind `vllm serve`, or --model"
        )
    if len(named) > 1:
        raise ValueError(
            f"line holds {shown(named[0])} and {shown(named[1])}, but must "
            "name one model, and each other word must belong to an argument"
        )
    return named[0]


def _without_lora(values):
    asked = [
        f"--{name.replace('_', '-')}"
        for name in ("max_loras", "max_lora_rank", "max_cpu_loras",
                     "lora_modules")
        if name in values
    ]  # fmt: skip
    if not asked:
        return []
    return [
        f"{' and '.join(asked)} without --enable-lora: the engine starts "
        "without slots"
        + (
            ", and ends when it loads --lora-modules"
            if "lora_modules" in values
            else ""
        )
    ]


def _module(item):
    """(name, path) of one --lora-modules, in either of its forms."""
    name, equals, path = item.partition("=")
    if equals and "," not in item:
        return name, path
    try:
        fields = json.loads(item)
        return str(fields["name"]), str(fields["path"])
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ValueError(
            f"--lora-modules is {shown(item)}, but must be name=path or JSON "
            'like {"name": "a", "path": "folder"}'
        ) from None
