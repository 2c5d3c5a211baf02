"""The operator's table: symptom, cause, what to look at, what to change."""

from typing import NamedTuple

from multilora.arguments import choice
from multilora.published import shared

KINDS = ("slow", "down", "wrong")
# Sentences for what no metric of vLLM 0.32.0 shows.
UNSEEN = (
    "loads of adapters, reads of the disk, hits and evictions: a late first "
    "token after a gap is all that shows of them",
    "TTFT, requests or tokens by tenant: keep them in your router",
    "which adapters have a slot or a copy, and which wait for one: "
    "lora_requests_info names an adapter from its first token on, until its "
    "last request ends",
    "whether an answer is right",
)


class Link(NamedTuple):
    """A text and where it leads: page#anchor within the book, or an url."""

    text: str
    to: str


class Symptom(NamedTuple):
    """A row of the table; texts have `code` in backticks and no links.

    kind is one of KINDS. metrics are vLLM's names without _total, as its
    source has them. short is change_first in a few words; shown is where
    the book shows it, sources who says so elsewhere, cases those of
    evidence.dials that its order of dials comes from.
    """

    key: str
    kind: str
    symptom: str
    cause: str
    look_at: str
    metrics: tuple[str, ...]
    change_first: str
    short: str
    shown: tuple[Link, ...]
    sources: tuple[Link, ...]
    cases: tuple[str, ...]


def symptoms() -> list[Symptom]:
    """Return the whole table, in its order: slow, down, wrong."""
    return [
        Symptom(
            **row
            | {name: tuple(row[name]) for name in ("metrics", "cases")}
            | {
                name: tuple(Link(**link) for link in row[name])
                for name in ("shown", "sources")
            }
        )
        for row in shared("symptoms")["symptoms"]
    ]


def symptom(key: str) -> Symptom:
    """Return the row of that key. Raises ValueError for a key of none."""
    rows = {row.key: row for row in symptoms()}
    return rows[choice("key", key, rows)]


def plain(words: str) -> str:
    """Return a text of the table without the marks of code and stress."""
    return words.replace("`", "").replace("*", "")
