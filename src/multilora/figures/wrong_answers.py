"""Wrong answers without an error, by release, as a table from their data."""

import re

from multilora.figures.tables import LinkedTable
from multilora.models.wrong_answers import wrong_answers

HEADER = ("what happens", "releases", "known by", "do; what finds it")
ISSUE = re.compile(r"https://github\.com/vllm-project/vllm/\w+/(\d+)")


def wrong_answer_table():
    """Return every WrongAnswer as a LinkedTable, each with its sources."""
    return LinkedTable(
        HEADER,
        [
            (row.what, _releases(row), row.how, f"{row.do} {row.canary}")
            for row in wrong_answers()
        ],
    )


def _releases(row):
    first, last = row.known
    if first is None or last is None:
        spans = "any"
    else:
        spans = first if first == last else f"{first} to {last}"
    fixed = f", not from {row.fixed_from} on" if row.fixed_from else ""
    links = ", ".join(map(_link, row.sources))
    return f"{spans}{fixed}" + (f" ({links})" if links else "")


def _link(url):
    number = ISSUE.match(url)
    return f"[vLLM #{number[1]}]({url})" if number else f"<{url}>"
