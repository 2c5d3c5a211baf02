"""The table of the page 'The book against the engine'."""

from html import escape

from multilora import reconciliation


class Table:
    """Rows under a header: HTML in a notebook, aligned text elsewhere."""

    def __init__(self, header, rows):
        self.header, self.rows = list(header), [list(row) for row in rows]

    def _repr_html_(self):
        head = "".join(f"<th>{escape(cell)}</th>" for cell in self.header)
        body = "\n".join(
            "<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>"
            for row in self.rows
        )
        return (
            f"<table><thead><tr>{head}</tr></thead>\n"
            f"<tbody>\n{body}\n</tbody></table>"
        )

    def __repr__(self):
        return "\n".join(" | ".join(row) for row in [self.header, *self.rows])


def findings_table():
    """Return every Finding as a Table, exact ones first."""
    found = sorted(
        reconciliation.findings(),
        key=lambda item: not reconciliation.is_exact(item),
    )
    return Table(
        ("claim", "ours", "vLLM's", "cases", "largest difference"),
        (
            (
                item.claim,
                item.ours,
                item.vllm,
                f"{item.cases:,}",
                reconciliation.said(item),
            )
            for item in found
        ),
    )
