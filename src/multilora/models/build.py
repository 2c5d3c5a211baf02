"""A config.json and its family's description make the layers of a model."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from multilora.arguments import choice, shown
from multilora.models.expressions import evaluate
from multilora.models.family import Family, Line, Part, family
from multilora.models.fields import (
    absent_of,
    check_rules,
    defaults_of,
    derived,
    resolved,
)
from multilora.models.layers import EXPERT_KINDS, Cache, Layers, Module
from multilora.models.served import described

# True of every language model here.
_RULES = (
    "num_attention_heads % num_key_value_heads == 0",
    "isinstance(head_dim, int)",
)


def text_config(
    config: Mapping[str, Any], outer: Family
) -> tuple[Mapping[str, Any], Family]:
    """Return the language model's own config and its family.

    A wrapper holds it in a field of its own; older files of some wrappers
    are flat, and give it beside their own fields. Raises ValueError for a
    wrapper without a language model, or with one that it cannot hold.
    """
    if not outer.text:
        return config, outer
    inner = config.get(outer.text_scope)
    if inner is None and outer.is_flat:
        return config, family(outer.text)
    if inner is None:
        raise ValueError(
            f"config lacks {outer.text_scope!r}; fields: {sorted(config)[:9]}"
        )
    inner = _object(outer.text_scope, inner)
    return inner, family(_text_type(inner, outer))


def _text_type(inner, outer):
    """The family that a nested config names, where it may name one."""
    place = f"{outer.text_scope}.model_type"
    named = inner.get("model_type")
    if named is None:
        return outer.text
    if outer.takes_any_text:
        found = described(inner, place)
        if family(found).text:
            raise ValueError(
                f"{place} is {shown(named)}, but must be a language model's"
            )
        return found
    known = (outer.text, outer.name, *outer.served.get("texts", ()))
    return outer.text if choice(place, named, known) else ""


def _object(name, value):
    if not isinstance(value, dict):
        raise TypeError(f"{name} is {shown(value)}, but must be an object")
    return value


def text_fields(
    config: Mapping[str, Any], outer: Family
) -> tuple[dict[str, Any], Family]:
    """Return every field of the language model, and its family.

    Raises ValueError for fields that are missing or contradict each other.
    """
    inner, own = text_config(config, outer)
    # A nested config may leave out what transformers' class has anyway.
    required = own.required if inner is config else ()
    wrapper = {} if outer is own else _own_fields(config, outer)
    with _within("" if inner is config else outer.text_scope):
        fields = resolved(
            inner, own.config, own.defaults, required, own.aliases
        )
        if outer is not own:
            fields |= _tied(wrapper, fields, outer)
        fields["inside"] = "" if outer is own else outer.name
        fields = derived(fields, own.fields)
        check_rules(fields, (*_RULES, *own.checks))
        _check_head_dim(inner, fields)
    return fields, own


def _check_head_dim(inner, fields):
    """Refuse heads that do not divide hidden_size and have no head_dim."""
    hidden, heads = fields["hidden_size"], fields["num_attention_heads"]
    is_derived = fields["head_dim"] == hidden // heads
    if is_derived and hidden % heads and inner.get("head_dim") is None:
        raise ValueError(
            f"hidden_size is {hidden}, which num_attention_heads = {heads} "
            "does not divide; give head_dim"
        )


def check_experts(
    config: Mapping[str, Any], own: Family, layers: tuple[Layers, ...]
) -> int:
    """Return the number of experts, or refuse some that no layer can have.

    Raises ValueError for a dense model_type whose config names experts.
    """
    found = [m.count for part in layers for m in part.modules if m.is_expert]
    lines = [line for part in own.parts for line in part.lines]
    if found or any(line.kind in EXPERT_KINDS for line in lines):
        return max(found, default=0)
    for key in ("num_local_experts", "num_experts", "n_routed_experts"):
        if config.get(key):
            raise ValueError(
                f"{key} is {shown(config[key])}, but model_type "
                f"{shown(config.get('model_type'))} has no experts"
            )
    return 0


@contextmanager
def _within(scope):
    """Errors name the field of the config that holds a nested one."""
    try:
        yield
    except (TypeError, ValueError) as error:
        if not scope:
            raise
        raise type(error)(f"{scope}: {error}") from None


def _tied(wrapper, fields, outer):
    """What the wrapper says of tied embeddings: its word counts."""
    wrapper = derived({**wrapper, "text": fields}, outer.fields)
    return {"tie_word_embeddings": wrapper.get("tie_word_embeddings", False)}


def _own_fields(config, outer):
    """The fields of a wrapper's own configuration class."""
    known = outer.defaults or defaults_of(outer.name)
    own = {key: value for key, value in config.items() if key in known}
    return resolved(own, outer.name, outer.defaults)


def layers_of(
    config: Mapping[str, Any],
    outer: Family,
    own: Family,
    fields: Mapping[str, Any],
) -> tuple[Layers, ...]:
    """Return all layers of a model: once, repeated, and its towers."""
    found: list[Layers] = []
    is_wrapper = own is not outer
    for part in own.parts:
        named = _renamed(part, outer.prefixes) if is_wrapper else part
        found += _expanded(named, fields, own)
    if is_wrapper:
        root = _own_fields(config, outer)
        for part in outer.parts:
            found += _tower_layers(part, config, root, outer, own, fields)
    return tuple(found)


def _tower_layers(part, config, root, outer, own, fields):
    """The layers of one part of a tower; none where the model has none."""
    inner = config.get(part.scope)
    if inner is None:
        inner = absent_of(outer.name, part.scope)
    if inner is None:
        return []
    inner = _object(part.scope, inner)
    with _within(part.scope):
        scope = root | _tower_fields(inner, part)
        scope |= {"root": root, "text": fields}
        if not evaluate(part.condition, scope):
            return []
        return _expanded(part, derived(scope, part.fields), own)


def _tower_fields(inner, part):
    kind = part.types[0]
    if len(part.types) > 1:
        kind = choice("model_type", inner.get("model_type", kind), part.types)
    return resolved(inner, kind) | {"model_type": kind}


def _renamed(part, prefixes):
    """A language model's part under the names that its wrapper gives it."""

    def rename(path):
        for old, new in prefixes.items():
            if path == old or path.startswith(f"{old}."):
                return new + path[len(old) :]
        return path

    lines = part.lines
    if not part.path:
        lines = tuple(replace(ln, path=rename(ln.path)) for ln in lines)
    return replace(part, path=rename(part.path), lines=lines)


def _expanded(part: Part, fields: Mapping[str, Any], own: Family):
    """The layers of one part, those that are alike together."""
    count = evaluate(part.count, fields) if part.count else 1
    alike: dict[tuple[Any, ...], list[int]] = {}
    for number in range(count):
        scope = {**fields, "i": number}
        if not part.is_tower and part.count:
            scope = derived(scope, own.each_layer)
        modules = tuple(_modules(part.lines, scope))
        caches = tuple(_caches(part.caches, scope))
        alike.setdefault((modules, caches), []).append(number)
    return [
        Layers(part.path, tuple(numbers), modules, caches, part.is_tower)
        for (modules, caches), numbers in alike.items()
    ]


def _sized(line: Line, scope) -> list[int]:
    return [_size(formula, scope) for formula in line.sizes]


def _size(formula, scope):
    size = evaluate(formula, scope)
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise ValueError(
            f"config makes {formula!r} {shown(size)}, but it must be an "
            "integer above 0"
        )
    return size


def _modules(lines, scope) -> Iterator[Module]:
    for line in lines:
        if not evaluate(line.condition, scope):
            continue
        first, *rest = _sized(line, scope)
        if line.kind in ("norm", "split"):
            for size in rest:
                first *= size
            yield Module(line.path, line.kind, 1, first, **_held(line, scope))
            continue
        (second,) = rest
        has_bias = evaluate(line.options.get("bias", "False"), scope)
        name = line.path.rsplit(".", 1)[-1]
        yield Module(
            line.path,
            line.kind,
            first,
            second,
            count=evaluate(line.options.get("count", "1"), scope),
            num_biases=second if has_bias else 0,
            into=line.options.get("into", name),
            heads=_heads(line, scope, "num_attention_heads"),
            kv_heads=_heads(line, scope, "num_key_value_heads"),
            num_slices=evaluate(line.options.get("slices", "1"), scope),
            has_slots=evaluate(line.options.get("slots", "True"), scope),
            num_groups=evaluate(line.options.get("groups", "0"), scope),
            group_width=evaluate(line.options.get("group_width", "0"), scope),
            **_held(line, scope),
        )


def _held(line, scope):
    """Whether vLLM and transformers have it, and as wide as what."""
    options = line.options
    return {
        "is_copy": evaluate(options.get("copy", "False"), scope),
        "is_unused": evaluate(options.get("unused", "False"), scope),
        "element_bytes": evaluate(options.get("bytes", "0"), scope),
    }


def _heads(line, scope, field):
    if line.kind not in ("q", "kv", "qkv"):
        return 0
    option = "heads" if field == "num_attention_heads" else "kv_heads"
    return evaluate(line.options.get(option, field), scope)


def _caches(lines, scope) -> Iterator[Cache]:
    for line in lines:
        if not evaluate(line.condition, scope):
            continue
        sizes = _sized(line, scope)
        alone = 0 if line.kind == "state" else 1
        heads = sizes.pop(0) if len(sizes) > 1 else alone
        options = line.options
        yield Cache(
            line.kind,
            heads,
            sizes[0],
            value_width=sizes[1] if len(sizes) > 1 else 0,
            window=evaluate(options.get("window", "0"), scope),
            element_bytes=evaluate(options.get("bytes", "0"), scope),
            checkpoints=evaluate(options.get("checkpoints", "0"), scope),
        )
