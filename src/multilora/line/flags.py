"""The arguments of `vllm serve` by their names, as vLLM's parser has them."""

import argparse
import difflib
import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple, NoReturn

from multilora.arguments import items, shown, text
from multilora.published import shared

_SUFFIXES = {
    "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12,
    "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40,
}  # fmt: skip
_READABLE = re.compile(r"([0-9]{1,15})(\.[0-9]{1,9})?([kKmMgGtT]?)")
_MOST_DIGITS = 18
_MOST_FLAGS = 2000
AUTO = -1  # what vLLM makes of --max-model-len auto


class ServeFlags(NamedTuple):
    """What stands on a line: values by name, and what no flag took.

    values has vLLM's names with underscores, and only what the line says.
    positional are words that belong to no flag, unknown the flags that
    vLLM's parser does not have.
    """

    values: dict[str, Any]
    positional: tuple[str, ...]
    unknown: tuple[str, ...]


def flags_version() -> str:
    """Return the version of vLLM whose arguments are known here."""
    return str(shared("serve_flags")["vllm_version"])


def read_flags(words: Sequence[str]) -> ServeFlags:
    """Return the ServeFlags of arguments as `vllm serve` reads them.

    A name may have underscores, be cut short where that is clear, and have
    its value behind "=". Numbers may end in k (1,000), K (1,024) and so on
    where vLLM reads them so; --config.key value is --config.
    Raises ValueError for a value that is missing, of the wrong kind or none
    of those allowed.
    """
    words = items("words", words, str)
    if sum(word.startswith("-") for word in words) > _MOST_FLAGS:
        raise ValueError(f"words hold more than {_MOST_FLAGS:,} arguments")
    try:
        found, rest = _parser().parse_known_args(_in_one_form(words))
    except argparse.ArgumentError as error:
        raise ValueError(_sentence(error.argument_name, error.message)) from (
            None
        )
    positional, unknown, is_value = [], [], False
    for word in rest:
        if word.startswith("-") and len(word) > 1:
            unknown.append(word)
        elif not is_value:
            positional.append(word)
        is_value = word.startswith("-") and "=" not in word
    return ServeFlags(vars(found), tuple(positional), tuple(unknown))


def near_flag(flag: str) -> str | None:
    """Return the name that an unknown flag may have meant, or None."""
    name = (
        "--"
        + text("flag", flag)
        .partition("=")[0]
        .lstrip("-")
        .replace("_", "-")[:80]
    )
    near = difflib.get_close_matches(name, _names(), 1, 0.6)
    return near[0] if near else None


def _in_one_form(words):
    """Arguments with dashes in their names, without dots: as vLLM does it."""
    for word in words:
        name, equals, value = word.partition("=")
        if word.startswith("-O") and len(word) > 2:
            yield from ("--optimization-level", word[2:].removeprefix("="))
        elif word == "-O":
            yield "--optimization-level"
        elif word.startswith("--"):
            head, dot, _ = name.partition(".")
            head = head.replace("_", "-")
            if dot and equals:
                yield f"{head}={value}"
            else:
                yield head if dot or not equals else f"{head}={value}"
        else:
            yield word


@cache
def _names():
    rows = shared("serve_flags")["flags"]
    return [name for row in rows for name in row["names"]]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise argparse.ArgumentError(None, message)


@cache
def _parser() -> _Parser:
    parser = _Parser(
        add_help=False,
        argument_default=argparse.SUPPRESS,
        exit_on_error=False,
    )
    for row in shared("serve_flags")["flags"]:
        _add(parser, row)
    return parser


def _add(parser, row):
    names = row["names"]
    if row["takes"] == "none":
        no = {name for name in names if name.startswith("--no-")}
        switched = {f"--no-{name[2:]}" for name in names} & no
        if switched:
            kept = [name for name in names if name not in switched]
            action = argparse.BooleanOptionalAction
            parser.add_argument(*kept, action=action)
        else:
            parser.add_argument(*names, action="store_true")
        return
    nargs = {"one": None, "at most one": "?", "many": "+"}[row["takes"]]
    parser.add_argument(*names, type=_type_of(row), nargs=nargs)


def _type_of(row) -> Callable[[str], Any]:
    """A function that reads one value, or says what is allowed."""
    kind, choices = row["type"], row.get("choices")

    def read(said: str) -> Any:
        value = _READERS[kind](said.strip())
        if value is None or (choices and value not in choices):
            allowed = _KINDS[kind]
            if choices:
                allowed = f"one of {_listed(list(map(str, choices)), 12)}"
            raise argparse.ArgumentTypeError(
                f"is {shown(said)}, but must be {allowed}"
            )
        return value

    return read


def _integer(said):
    is_one = re.fullmatch(rf"[+-]?[0-9]{{1,{_MOST_DIGITS}}}", said)
    return int(said) if is_one else None


def _number(said):
    try:
        return float(said)
    except ValueError:
        return None


def _readable(said):
    match = _READABLE.fullmatch(said)
    if match is None or (match[2] and not match[3].islower()):
        return _integer(said)
    return (
        int(float(match[1] + (match[2] or "")) * _SUFFIXES[match[3]])
        if (match[2])
        else int(match[1]) * _SUFFIXES.get(match[3], 1)
    )


def _readable_or_auto(said):
    return AUTO if said.lower() in ("auto", "-1") else _readable(said)


_READERS: dict[str, Callable[[str], Any]] = {
    "text": str,
    "integer": _integer,
    "number": _number,
    "readable integer": _readable,
    "readable integer or auto": _readable_or_auto,
}
_KINDS = {
    "text": "a text",
    "integer": "an integer",
    "number": "a number",
    "readable integer": "an integer, or one such as 32k or 32K",
    "readable integer or auto": "an integer, one such as 32k or 32K, or auto",
}


def _listed(names, most):
    more = f" or {len(names) - most} others" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _sentence(name, message):
    """argparse's words as a sentence that names the argument."""
    if name is None:
        message = " ".join(message.split())
        could = re.fullmatch(
            r"ambiguous option: (.+) could match (-.+)", message
        )
        if not could:
            return message
        return f"{could[1][:60]} could be {_listed(could[2].split(', '), 4)}"
    name = name.partition("/")[0]
    if message.startswith("expected"):
        return f"{name} needs a value"
    if message.startswith("ignored explicit argument"):
        value = message.removeprefix("ignored explicit argument ")
        return f"{name} is {shown(value.strip(chr(39)))}, but takes no value"
    return f"{name} {message}"
