"""The formulas of a family's description, over the fields of a config.

A formula is Python, with the names of fields and these functions. All of
them come with the package: a config.json gives values, never a formula.
"""

import re
import symtable
from collections.abc import Mapping
from functools import cache
from types import CodeType
from typing import Any

from multilora.arguments import shown


def _ceil_to(value, step):
    return -(-value // step) * step


def _every(num_layers, period, most, last):
    """Layer kinds: the last of each `period` layers differs."""
    return [
        most if (number + 1) % period else last for number in range(num_layers)
    ]


def _pair(side):
    """Both sides of a picture, of one number or of two."""
    return side if isinstance(side, list) else [side, side]


_FUNCTIONS: dict[str, Any] = {
    "__builtins__": {},
    "bool": bool,
    "ceil_to": _ceil_to,
    "every": _every,
    "given": None,  # bound to the fields below
    "int": int,
    "isinstance": isinstance,
    "len": len,
    "list": list,
    "max": max,
    "min": min,
    "pair": _pair,
    "range": range,
    "set": set,
    "sum": sum,
}


_GIVEN = re.compile(r"\bgiven\(\s*['\"](\w+)['\"]")


@cache
def _compiled(formula: str) -> CodeType:
    return compile(formula.strip(), formula, "eval")


@cache
def names_in(formula: str) -> tuple[str, ...]:
    """Return the fields that a formula reads, those in given() too."""
    tables = [symtable.symtable(formula.strip(), formula, "eval")]
    for table in tables:
        tables += table.get_children()
    read = [
        symbol.get_name()
        for table in tables
        for symbol in table.get_symbols()
        if symbol.is_global()
    ]
    read += _GIVEN.findall(formula)
    return tuple(
        name for name in dict.fromkeys(read) if name not in _FUNCTIONS
    )


def evaluate(formula: str, fields: Mapping[str, Any]) -> Any:
    """Return the value of a formula over fields.

    Raises ValueError that names the fields it read, where a value is of a
    kind that the formula cannot take.
    """
    try:
        scope = {**_FUNCTIONS, **fields, "given": dict(fields).get}
        return eval(_compiled(formula), scope)
    except (ArithmeticError, LookupError, TypeError, AttributeError,
            ValueError, NameError) as error:  # fmt: skip
        raise ValueError(
            f"config says {told(formula, fields)}, which does not fit "
            f"together: {error}"
        ) from None


def told(formula: str, fields: Mapping[str, Any]) -> str:
    """Return the fields that a formula reads, with their values."""
    return ", ".join(
        f"{name} = {shown(fields[name])}" if name in fields else f"no {name!r}"
        for name in names_in(formula)
    )
