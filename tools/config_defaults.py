"""Record transformers' defaults of the fields that our families read.

Run by `make config-defaults` in the engine's environment; writes
src/multilora/data/config_defaults.json.
"""

import dataclasses
import json
import re
import typing
from pathlib import Path

import transformers

from multilora.models.expressions import names_in
from multilora.models.family import family, family_names

DATA = Path(__file__).parents[1] / "src/multilora/data/config_defaults.json"


def names_read():
    """Return every name that a formula of any family reads."""
    found = set()
    for name in family_names():
        described = family(name)
        formulas = [
            *described.fields.values(),
            *described.each_layer.values(),
            *described.checks,
        ]
        for part in described.parts:
            formulas += [part.condition, *part.fields.values()]
            formulas += [part.count] if part.count else []
            for line in (*part.lines, *part.caches):
                formulas += line.sizes
                formulas += [
                    formula
                    for option, formula in line.options.items()
                    if option != "into"
                ]
        for formula in formulas:
            found.update(names_in(formula))
            found.update(re.findall(r"root\['(\w+)'\]", formula))
    return found | {"max_position_embeddings", "quantization_config"}


def types_read():
    """Return {a name: its configuration class}."""
    found = {}
    for name in family_names():
        described = family(name)
        if name in transformers.CONFIG_MAPPING:
            found[name] = transformers.CONFIG_MAPPING[name]
        for part in described.parts:
            for kind in part.types:
                found[kind] = _class_of(kind)
    return found


def absent(names):
    """Return {wrapper: {a nested config: its fields if a file has none}}."""
    found = {}
    for name in family_names():
        scopes = {part.scope for part in family(name).parts if part.scope}
        if name not in transformers.CONFIG_MAPPING or not scopes:
            continue
        made = transformers.CONFIG_MAPPING[name]()
        for scope in sorted(scopes):
            inner = getattr(made, scope)
            fields = inner and inner.to_dict()
            found.setdefault(name, {})[scope] = fields and {
                key: value for key, value in fields.items()
                if key in names | {"model_type"}
            }  # fmt: skip
    return found


def _class_of(name):
    """A type by its name, or `type.field` for a nested configuration."""
    outer, _, field = name.partition("/")
    config = transformers.CONFIG_MAPPING[outer]
    return config.sub_configs[field] if field else config


def recorded():
    """Return what the file holds."""
    names, fields, aliases, nullable = names_read(), {}, {}, {}
    for name, config in sorted(types_read().items()):
        known = {item.name: item for item in dataclasses.fields(config)}
        aliases[name] = dict(config.attribute_map)
        wanted = names | set(aliases[name].values())
        fields[name] = {
            key: _plain(item) for key, item in sorted(known.items())
            if key in wanted
        }  # fmt: skip
        nullable[name] = [
            key for key in fields[name] if _takes_none(known[key])
        ]
    aliases = {name: alias for name, alias in aliases.items() if alias}
    return {
        "source": "the configuration classes of transformers "
        f"{transformers.__version__} (Apache-2.0), the fields' defaults",
        "fields": fields,
        "aliases": aliases,
        "nullable": {name: keys for name, keys in nullable.items() if keys},
        "absent": absent(names),
    }


def _takes_none(item):
    """Whether null differs from the default and is a value of the field's."""
    types = typing.get_args(item.type)
    return type(None) in types and _plain(item) is not None


def _plain(item):
    if item.default is not dataclasses.MISSING:
        return item.default
    if item.default_factory is not dataclasses.MISSING:
        return item.default_factory()
    return None


if __name__ == "__main__":
    text = json.dumps(recorded(), indent=1, sort_keys=True)
    DATA.write_text(text + "\n", "utf-8")
