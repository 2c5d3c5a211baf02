"""Tables that a phone can show: long rows become cards, each cell named."""

import html
import re

TABLE = re.compile(r'<table class="table">.*?</table>', re.DOTALL)
HEAD = re.compile(r'<th class="head[^"]*">(.*?)</th>', re.DOTALL)
ROW = re.compile(r"<tr\b[^>]*>.*?</tr>", re.DOTALL)
CELL = re.compile(r"<td(?=[ >])")
TAG = re.compile(r"<[^>]*>")
# CSS that makes blocks of rows and cells would take their roles away.
ROLES = {
    "table": "table", "thead": "rowgroup", "tbody": "rowgroup", "tr": "row",
    "th": "columnheader", "td": "cell",
}  # fmt: skip
PART = re.compile(rf"<({'|'.join(ROLES)})(?=[ >])")
MIN_COLUMNS = 3
MAX_LETTERS = 80  # of a row that a phone shows as a row


def setup(app):
    app.connect("html-page-context", _name_cells)


def _name_cells(app, pagename, templatename, context, doctree):
    if "body" in context:
        context["body"] = with_cards(context["body"])


def with_cards(body):
    """Return a page's HTML, its long tables made ready to become cards.

    A table of three or more columns and with a row of more than 80 letters
    gets the class cards, each of its cells the header as data-label, and
    its parts the roles that they have in a table.
    """
    return TABLE.sub(_table, body)


def _table(match):
    table = match.group()
    labels = [_text(head) for head in HEAD.findall(table)]
    longest = max(len(_text(row)) for row in ROW.findall(table))
    if len(labels) < MIN_COLUMNS or longest <= MAX_LETTERS:
        return table
    table = ROW.sub(lambda row: _row(row.group(), labels), table)
    table = PART.sub(lambda part: _with_role(part[1]), table)
    return table.replace('class="table"', 'class="table cards"', 1)


def _row(row, labels):
    names = iter(labels)
    return CELL.sub(lambda _: f'<td data-label="{_label(names)}"', row)


def _label(names):
    return html.escape(next(names, ""))


def _with_role(name):
    return f'<{name} role="{ROLES[name]}"'


def _text(markup):
    return html.unescape(" ".join(TAG.sub("", markup).split()))
