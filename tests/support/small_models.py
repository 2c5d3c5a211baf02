"""Small configs of every described family, and what the library says of them.

An answer has the bytes of weights and slots of each way to start the engine,
what a token keeps, and what each layer keeps of a block.
"""

import json
from collections import Counter
from pathlib import Path

from multilora.memory.kv import kv_bytes_per_token
from multilora.memory.pages import pages_of
from multilora.memory.reservation import slot_reservation_bytes
from multilora.memory.weights import weight_bytes
from multilora.models.classes import can_name_tables
from multilora.models.family import family_names
from multilora.models.shapes import ModelShape

SMALL = {
    name: config
    for name, config in json.loads(
        Path(__file__).with_name("small_configs.json").read_text("utf-8")
    ).items()
    if config["model_type"] in family_names()
}
MAX_LORAS, MAX_LORA_RANK = 2, 8
SPREAD = ("tensor_parallel_size", "enable_expert_parallel")
ON_TWO = {"tensor_parallel_size": 2}

# Types of which neither transformers nor vLLM 0.32.0 has a class.
GONE = {"internlm"}


def starts(config):
    """Return {name: options}: the ways to start the engine for a config."""
    shape = ModelShape.from_config(config)
    ways = {
        "one GPU": {},
        "some modules": {"lora_target_modules": some_modules(shape)},
        "two GPUs": ON_TWO,
        "two GPUs, slots cut": {**ON_TWO, "fully_sharded_loras": True},
    }
    if shape.num_experts:
        ways["two GPUs, whole experts"] = {
            **ON_TWO,
            "enable_expert_parallel": True,
        }
    return ways


def some_modules(shape):
    """Return a filter: one of a packed group, one alone, experts, tables."""
    modules = [
        module
        for layers in shape.language_layers
        for module in layers.modules
        if module.is_linear and module.has_slots and not module.is_table
        if module.kind != "plain" and not module.is_copy
    ]
    packed = [
        module.name
        for module in modules
        if module.into != module.name
        if module.kind != "gate" and not module.is_expert
    ]
    alone = [m.name for m in modules if m.into == m.name]
    experts = [m.into for m in modules if m.is_expert]
    tables = can_name_tables(shape)
    return sorted({*packed[:1], *alone[-1:], *experts[:1], *tables})


def by_library(config):
    """Return the library's answer for a config."""
    shape = ModelShape.from_config(config)
    ways = starts(config)
    return {
        "weight_bytes": {
            way: weight_bytes(shape, **_spread(options))
            for way, options in ways.items()
            if "lora" not in "".join(options)
        },
        "slot_bytes": {
            way: _slot_bytes(shape, **options) for way, options in ways.items()
        },
        "kv_bytes_per_token": {
            "one GPU": kv_bytes_per_token(shape),
            "two GPUs": kv_bytes_per_token(shape, **ON_TWO),
        },
        "kept": {
            "one GPU": _kept(shape, 1),
            "two GPUs": _kept(shape, 2),
        },
    }


def _spread(options):
    return {key: value for key, value in options.items() if key in SPREAD}


def _slot_bytes(shape, lora_target_modules=None, **options):
    return slot_reservation_bytes(
        shape,
        MAX_LORAS,
        MAX_LORA_RANK,
        target_modules=lora_target_modules,
        **options,
    )


def _kept(shape, num_gpus):
    """[kind, tokens of a block, its bytes, window, layers] of each kind."""
    pages = pages_of(shape, 2, num_gpus, 16)
    return counted(
        (page.kind, page.block_size, page.page_bytes, page.window)
        for page in pages
    )


def counted(rows):
    """Return rows with how often each is there, in order."""
    return sorted([*row, times] for row, times in Counter(rows).items())


def types_in(config):
    """Return every model_type that a config and those in it name."""
    found = set()
    for value in config.values():
        if isinstance(value, dict):
            found |= types_in(value)
    return found | {config["model_type"]} if "model_type" in config else found


def uncovered():
    """Return the described types that no small config has, in order."""
    covered = set().union(*map(types_in, SMALL.values()))
    return sorted(set(family_names()) - covered - GONE)
