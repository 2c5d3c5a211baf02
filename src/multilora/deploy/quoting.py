"""Text of users made safe for comments, shells, YAML and names of services."""

import re
import shlex
import textwrap
import unicodedata
from collections.abc import Iterable
from typing import Any

import yaml

from multilora.arguments import integer, items, text

WIDTH = 78  # columns of a comment


def one_line(name: str, room: int = 60) -> str:
    """Return a text as printable ASCII on one line, cut after room letters.

    What is left cannot end a comment or turn the direction of writing.
    Raises TypeError for no str, ValueError for room below 1.
    """
    shown = text("name", name).encode("unicode_escape").decode("ascii")
    room = integer("room", room, minimum=1)
    return shown if len(shown) <= room else shown[:room] + "..."


def comment(paragraphs: Iterable[str]) -> str:
    """Return paragraphs as lines that begin with "# ", an empty "#" between.

    Raises TypeError for a paragraph that is no str.
    """
    blocks = []
    for paragraph in items("paragraphs", paragraphs, str):
        lines = textwrap.wrap(
            paragraph,
            WIDTH - 2,
            break_long_words=False,
            break_on_hyphens=False,
        )
        blocks.append("\n".join(f"# {line}" for line in lines))
    return "\n#\n".join(blocks) + "\n"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: "1 engine", "1,200 engines"."""
    plural = "" if integer("number", number) == 1 else "s"
    return f"{number:,} {text('noun', noun)}{plural}"


def dns_name(name: str, room: int = 40) -> str:
    """Return a text as a DNS-1123 label that starts with a letter.

    It has at most room letters (1 to 63) of a-z, 0-9 and "-", so a Service
    can have it too. Source: Kubernetes, "Object Names and IDs".
    Raises TypeError for no str, ValueError for room out of range.
    """
    room = integer("room", room, 1, 63)
    plain = unicodedata.normalize("NFKD", text("name", name))
    ascii_only = plain.encode("ascii", "ignore").decode("ascii").lower()
    label = re.sub(r"[^a-z0-9]+", "-", ascii_only)
    label = re.sub(r"^[^a-z]+", "", label)
    return label[:room].rstrip("-") or "model"[:room]


def shell_lines(groups: Iterable[list[str]]) -> str:
    r"""Return a command with one group of words a line, joined by "\".

    Every word is quoted for a POSIX shell.
    Raises TypeError for a word that is no str, ValueError for one that
    holds a NUL, which no argument of a process can hold.
    """
    lines = []
    for group in items("groups", groups, list):
        for word in items("groups", group, str):
            if "\0" in word:
                raise ValueError(
                    f"groups holds {one_line(word)}, but an argument of a "
                    "command must not hold a NUL"
                )
        lines.append(shlex.join(group))
    return " \\\n    ".join(lines)


def yaml_text(documents: Iterable[dict[str, Any]]) -> str:
    """Return documents of plain dicts and lists as YAML, keys in order.

    It reads alike under YAML 1.1 and 1.2: a text that either takes for a
    number is quoted. A text of several lines is one block.
    Raises TypeError for no dicts and what YAML has no plain form for.
    """
    documents = items("documents", documents, dict)
    try:
        return yaml.dump_all(
            documents, Dumper=_Dumper, sort_keys=False, width=WIDTH
        )
    except yaml.representer.RepresenterError as error:
        raise TypeError(
            f"documents holds {one_line(repr(error.args[-1]))}, but must be "
            "dicts, lists, texts and numbers"
        ) from None


class _Dumper(yaml.SafeDumper):
    """SafeDumper that names no thing twice: no anchors, no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


# PyYAML leaves these bare. YAML 1.2 reads 1e3 and 0o17 as numbers; what
# kubectl reads with takes y and n for true and false.
_LIKE_A_NUMBER = re.compile(r"[-+]?[0-9.]|[yYnN]$")


def _represent(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    style = None
    if "\n" in value and _is_block(value):
        style = "|"
    elif _LIKE_A_NUMBER.match(value):
        style = "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style)


def _is_block(value: str) -> bool:
    return value.replace("\n", "").isprintable() and value.isascii()


_Dumper.add_representer(str, _represent)
