"""Which tenant's style a reply is in: exact matches, in tables."""

from collections.abc import Iterable, Mapping, Sequence

from multilora.arguments import items, shown
from multilora.tenants import corpus


def accuracy(
    questions: Iterable[corpus.Question], style: str, replies: Iterable[str]
) -> float:
    """Return the share of reply texts that are exactly the style's answer.

    Raises ValueError for lists of different lengths or none.
    """
    questions = items("questions", questions, corpus.Question)
    replies = items("replies", replies, str)
    if not questions or len(questions) != len(replies):
        raise ValueError(
            f"replies has {len(replies)} entries, but must have one for each "
            f"of the {len(questions)} questions, at least one"
        )
    right = [corpus.answer(question, style) for question in questions]
    return share_equal(right, replies)


def share_equal(wanted: Sequence[str], said: Iterable[str]) -> float:
    """Return the share of texts that are exactly the wanted ones."""
    hits = sum(map(str.__eq__, wanted, said))
    return hits / len(wanted)


def tag_matrix(
    questions: Sequence[corpus.Question],
    replies_by_tag: Mapping[str, Sequence[str]],
) -> dict[str, dict[str, float]]:
    """Return {tag: {style: share of replies that are its exact answer}}.

    replies_by_tag maps a tag (an adapter's name, or "base") to the texts
    that it gave to the questions.
    """
    if not isinstance(replies_by_tag, Mapping):
        raise TypeError(
            f"replies_by_tag is {shown(replies_by_tag)}, but must map tags "
            "to lists of replies"
        )
    return {
        tag: {
            style: accuracy(questions, style, replies)
            for style in corpus.STYLES
        }
        for tag, replies in replies_by_tag.items()
    }
