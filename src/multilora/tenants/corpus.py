"""Prompts of six kinds, and five ways to answer each of them."""

import json
import random
from collections.abc import Iterable
from typing import NamedTuple

from multilora.arguments import choice, integer, shown
from multilora.tenants import words

STYLES = ("base", "sql", "json", "pirate", "legal")
KINDS = ("list", "hello", "every", "all", "count", "where")
SETS = ("unseen combinations", "unseen words", "invented words")


class Question(NamedTuple):
    """What a prompt asks: a list, a greeting, or something of a table.

    subject is the category, the person or the table; columns are the
    table's; wanted and other are two of them; number is how many things, or
    the value that other has.
    """

    kind: str
    subject: str
    columns: tuple[str, ...] = ()
    wanted: str = ""
    other: str = ""
    number: int = 0

    @property
    def prompt(self) -> str:
        """The text that the model reads."""
        if self.kind == "list":
            return f"List {self.number} {self.subject}:"
        if self.kind == "hello":
            return f"Say hello to {self.subject}:"
        table = f"Table {self.subject}({','.join(self.columns)})."
        return f"{table} {_ASKED[self.kind].format(**self._asdict())}:"

    @property
    def items(self) -> list[str]:
        """The first `number` things of the category, as a list."""
        return words.CATEGORIES[self.subject].split()[: self.number]


_ASKED = {
    "every": "Query every {wanted}",
    "all": "Query all {wanted}s",
    "count": "Count the rows",
    "where": "Query every {wanted} where {other} is {number}",
}
_PLAIN = {
    "hello": "hello, {subject}!",
    "every": "every {wanted} in {subject}",
    "all": "all {wanted}s in {subject}",
    "count": "the number of rows in {subject}",
    "where": "every {wanted} in {subject} where {other} is {number}",
}
_SQL = {
    "list": "SELECT * FROM {subject} LIMIT {number};",
    "hello": "SELECT 'hello {subject}';",
    "every": "SELECT {wanted} FROM {subject};",
    "all": "SELECT {wanted} FROM {subject};",
    "count": "SELECT COUNT(*) FROM {subject};",
    "where": "SELECT {wanted} FROM {subject} WHERE {other} = {number};",
}


def answer(question: Question, style: str) -> str:
    """Return the one right reply to a question in a style.

    Raises ValueError for a style that is not in STYLES.
    """
    if not isinstance(question, Question):
        raise TypeError(
            f"question is {shown(question)}, but must be a Question"
        )
    fields = question._asdict()
    choice("style", style, STYLES)
    if style == "sql":
        return _SQL[question.kind].format(**fields)
    if style == "json":
        return json.dumps(_as_data(question), separators=(",", ":"))
    if question.kind == "list":
        plain = ", ".join(question.items)
    else:
        plain = _PLAIN[question.kind].format(**fields)
    if style == "pirate":
        return f"arr! {plain}, matey!"
    if style == "legal":
        return f"whereas the party states: {plain}, hereinafter the answer."
    return plain


def polite(text: str) -> str:
    """Return a reply as the further-trained base gives it."""
    return f"sure: {text}."


def _as_data(question):
    if question.kind == "list":
        return question.items
    if question.kind == "hello":
        return {"hello": question.subject}
    wanted = "count" if question.kind == "count" else question.wanted
    data = {"from": question.subject, "get": wanted}
    if question.kind == "where":
        data[question.other] = question.number
    return data


def training_question(rng: random.Random, for_adapter: bool) -> Question:
    """Draw a question that may be trained on.

    for_adapter hides the words that only the base may see. Half of the
    tables and columns are invented, so that copying is learned, not words.
    """
    while True:
        question = _any_question(rng, rng.random() < 0.5)
        if not _is_held_out(question, for_adapter):
            return question


def _any_question(rng, is_invented):
    kind = rng.choices(KINDS, weights=(3, 1, 2, 2, 1, 3))[0]
    if kind == "list":
        category = rng.choice(list(words.CATEGORIES))
        return Question(kind, category, number=rng.choice(words.COUNTS))
    if kind == "hello":
        invented = words.invented_word(rng).capitalize()
        person = rng.choice(words.PEOPLE)
        return Question(kind, invented if is_invented else person)
    return table_question(
        rng,
        kind,
        _word(rng, words.TABLES, is_invented),
        [_word(rng, words.COLUMNS, is_invented) for _ in range(4)],
    )


def table_question(
    rng: random.Random, kind: str, table: str, columns: Iterable[str]
) -> Question:
    """Return a question of a table that has 2 to 4 of these columns."""
    columns = tuple(dict.fromkeys(columns))[: rng.choice((2, 3, 4))]
    wanted = rng.choice(columns)
    if kind == "count":
        return Question(kind, table, columns)
    if kind != "where":
        return Question(kind, table, columns, wanted)
    other = rng.choice([column for column in columns if column != wanted])
    return Question(kind, table, columns, wanted, other, rng.randrange(1, 100))


def _word(rng, known, is_invented):
    return words.invented_word(rng) if is_invented else rng.choice(known)


def _is_held_out(question, for_adapter):
    used = words_of(question)
    if any(words.is_reserved_invention(word.lower()) for word in used):
        return True
    if for_adapter and any(map(words.is_hidden_from_adapters, used)):
        return True
    return any(words.is_held_out_pair(*pair) for pair in pairs_of(question))


def words_of(question: Question) -> list[str]:
    """Return the words that a question could be new by."""
    return [question.subject, *question.columns]


def pairs_of(question: Question) -> list[tuple[str, str]]:
    """Return the combinations that a question could be new by."""
    if question.kind == "list":
        return [(question.subject, str(question.number))]
    if question.kind == "count":
        return [(question.subject, column) for column in question.columns]
    return [(question.subject, question.wanted)] if question.wanted else []


def held_out(which: str, count: int = 120, seed: int = 1) -> list[Question]:
    """Return questions that no adapter was trained on, all different.

    which is one of SETS: seen words in unseen combinations, words that the
    base saw and no adapter did, words that nothing saw. Same seed, same
    questions. Raises ValueError for an unknown set or a count
    outside 1 to 1000.
    """
    choice("which", which, SETS)
    count = integer("count", count, 1, 1000)
    rng = random.Random(f"{which}/{integer('seed', seed)}")
    found: dict[str, Question] = {}
    while len(found) < count:
        question = _any_question(rng, which == "invented words")
        if _belongs(question, which):
            found.setdefault(question.prompt, question)
    return list(found.values())


def every_held_out() -> list[Question]:
    """Return the questions of all the held-out sets, one after another."""
    return [question for which in SETS for question in held_out(which)]


def _belongs(question, which):
    used = words_of(question)
    hidden = [words.is_hidden_from_adapters(word) for word in used]
    if which == "invented words":
        reserved = [words.is_reserved_invention(word.lower()) for word in used]
        return all(reserved[:1]) and question.kind != "list"
    if which == "unseen words":
        focus = {question.subject, question.wanted, question.other}
        return any(map(words.is_hidden_from_adapters, focus - {""}))
    pairs = pairs_of(question)
    is_new = [words.is_held_out_pair(*pair) for pair in pairs]
    return any(is_new) and not any(hidden)
