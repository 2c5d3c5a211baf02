"""Which modules of a model get slots, in which version, with which filter."""

from dataclasses import replace

from multilora.arguments import choice, names
from multilora.models.classes import (
    architecture_of,
    can_name_tables,
    head_of,
    tables_of,
)
from multilora.models.layers import Module
from multilora.models.shapes import (
    ModelShape,
    TargetModules,
    check_shape,
)
from multilora.models.versions import (
    DEFAULT_VERSION,
    has_feature,
    listed_modules,
    nearest_rule,
)

Wrapped = list[tuple[int, Module]]


def wrapped_modules(
    shape: ModelShape,
    target_modules: TargetModules | None = None,
    vllm_version: str = DEFAULT_VERSION,
) -> Wrapped:
    """Return (number of layers, Module) of what gets slots.

    target_modules is the engine's --lora-target-modules. Raises ValueError
    for a model without LoRA in this version and for an unknown module.
    """
    rule = nearest_rule(vllm_version)
    if target_modules is not None and not rule.has_target_filter:
        raise ValueError(
            f"target_modules is given, but vLLM {rule.used} has no "
            "--lora-target-modules; leave it None"
        )
    found = _candidates(check_shape(shape), vllm_version)
    tables = tables_of(shape, vllm_version)
    usual = [
        item
        for item in found
        if not item[1].is_table or item[1].into in tables
    ]
    if target_modules is None:
        return usual
    asked = found if rule.filter_adds_modules else usual
    asked = [
        item
        for item in asked
        if not item[1].is_table
        or item[1].into in (*tables, *can_name_tables(shape))
    ]
    wanted = _wanted(asked, target_modules, rule.filter_completes_groups)
    return [item for item in asked if _is_wanted(item[1], wanted)]


def _candidates(shape, vllm_version) -> Wrapped:
    """Every module that this version could wrap, tables among them."""
    rule = nearest_rule(vllm_version)
    name = architecture_of(shape, vllm_version)
    listed = listed_modules(name, vllm_version)
    found = [
        (len(layers.numbers), _as_wrapped(module, name, vllm_version))
        for layers in shape.language_layers
        for module in layers.modules
        if module.kind != "plain"
        and module.has_slots
        and (module.is_linear or module.is_table)
        and (rule.has_expert_slots or not module.is_expert)
        and (listed is None or module.into in listed)
    ]
    head = head_of(shape)
    if shape.tied and (listed is None or head in listed):
        # vLLM's lm_head is the embedding itself where the two are tied: the
        # first table, for Gemma 4 has another beside it.
        tables = [item for item in found if item[1].kind == "table"]
        found += [
            (times, replace(table, path=head, kind="head", into=head))
            for times, table in tables[:1]
        ]
    return found


def _as_wrapped(module, name, vllm_version):
    """Before vLLM knew fused experts, gate and up had an A each."""
    if module.kind != "gate_up" or has_feature(
        name, vllm_version, "experts_3d"
    ):
        return module
    return replace(module, num_slices=2)


def _is_wanted(module, wanted):
    if module.is_expert or module.is_table or module.kind == "gate":
        return module.into in wanted
    return bool({module.name, module.into} & wanted)


def _wanted(asked, target_modules, completes_groups):
    """The names of a filter, packed groups completed."""
    modules = [m for _, m in asked if not m.is_table]
    if isinstance(target_modules, str) and target_modules == "all-linear":
        return {m.into for m in modules}
    wanted = set(names("target_modules", target_modules))
    groups: dict[str, set[str]] = {}
    for module in modules:
        members = groups.setdefault(module.into, {module.into})
        is_named = not module.is_expert and module.kind != "gate"
        if is_named and completes_groups:
            members.add(module.name)
    tables = sorted({m.into for _, m in asked if m.is_table})
    allowed = [*dict.fromkeys(n for g in groups.values() for n in sorted(g))]
    for name in sorted(wanted):
        choice("target_modules", name, (*allowed, *tables))
    for members in groups.values():
        if wanted & members:
            wanted |= members
    return wanted


def reserved_modules(
    shape: ModelShape,
    target_modules: TargetModules | None = None,
    vllm_version: str = DEFAULT_VERSION,
) -> tuple[str, ...]:
    """Return the names of the modules that get slots, tables last."""
    found = wrapped_modules(shape, target_modules, vllm_version)
    ordered = sorted(found, key=lambda item: item[1].is_table)
    return tuple(dict.fromkeys(module.name for _, module in ordered))
