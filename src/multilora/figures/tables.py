"""Tables of the pages: of places in vLLM's code, and of what has links."""

from html import escape

from multilora.evidence import anchors, reconciliation


class Table:
    """Rows of cells: HTML in a notebook, lines of text elsewhere.

    A cell is a text, or a list of lines of which the later ones are code.
    """

    def __init__(self, header, rows):
        self.header, self.rows = header, [list(row) for row in rows]

    def _repr_html_(self):
        head = "".join(f"<th>{escape(cell)}</th>" for cell in self.header)
        body = "\n".join(
            f"<tr>{''.join(map(_cell, row))}</tr>" for row in self.rows
        )
        return (
            f'<table class="multilora"><thead><tr>{head}</tr></thead>\n'
            f"<tbody>\n{body}\n</tbody></table>"
        )

    def __repr__(self):
        return "\n".join(
            " | ".join("; ".join(_lines(cell)) for cell in row)
            for row in self.rows
        )


class LinkedTable(Table):
    """Rows of Markdown cells, whose links lead on in a notebook and a book.

    The book makes cards of long rows where a screen is narrow.
    """

    def _repr_html_(self):
        return None  # Markdown, whose links the book resolves and checks

    def _repr_markdown_(self):
        lines = [self.header, ["---"] * len(self.header), *self.rows]
        return "\n".join(f"| {' | '.join(map(_bar, row))} |" for row in lines)


def findings_table():
    """Return every Finding as a Table, exact ones first.

    Our function and vLLM's place stand under the claim, so that a phone
    shows all three columns.
    """
    found = sorted(
        reconciliation.findings(),
        key=lambda item: not reconciliation.is_exact(item),
    )
    return Table(
        ("claim, our function, vLLM's place", "cases", "largest difference"),
        (
            (
                [item.claim, item.ours, item.vllm],
                f"{item.cases:,}",
                reconciliation.said(item),
            )
            for item in found
        ),
    )


def stop_table(stop):
    """Return the Anchors of one stop as a Table, a line that says more too.

    Raises ValueError for a stop that is not one of anchors.stops().
    """
    return Table(
        ("what happens", "where"),
        (
            (
                [item.what, *([item.says] if item.says else [])],
                ["", f"{item.file}:{item.line}", item.symbol],
            )
            for item in anchors.anchors(stop)
        ),
    )


def _bar(cell):
    """Keep a bar of a cell's text from ending the cell."""
    return cell.replace("|", r"\|")


def _lines(cell):
    lines = [cell] if isinstance(cell, str) else cell
    return [line for line in lines if line]


def _cell(cell):
    first, *code = [cell] if isinstance(cell, str) else cell
    lines = [f"<code>{_breakable(line)}</code>" for line in code]
    if lines:
        lines = [f"<small>{'<br>'.join(lines)}</small>"]
    return (
        f"<td>{'<br>'.join(([escape(first)] if first else []) + lines)}</td>"
    )


def _breakable(place):
    """Let a long name break after its dots, slashes and underscores."""
    text = escape(place)
    for mark in "./_":
        text = text.replace(mark, f"{mark}<wbr>")
    return text
