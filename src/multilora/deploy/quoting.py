"""Text of users made safe for comments, shells and names of services."""

import re
import shlex
import textwrap
import unicodedata
from collections.abc import Iterable

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
