"""HTML of texts that others wrote: escaped, visible, cut where too long."""

import html

MAX_SHOWN = 80


def escaped(value, room=MAX_SHOWN):
    """Return a value as HTML text; signs that nobody sees as their codes.

    Line breaks and what turns the direction of writing are such signs.
    room is the most letters that are shown, None for all.
    """
    seen = "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode()
        for sign in str(value)
    )
    if room is not None and len(seen) > room:
        seen = seen[:room] + "…"
    return html.escape(seen)


def heading(text):
    return f"<h2>{escaped(text)}</h2>"


def listed(texts):
    """Return a list of paragraphs, "" for none."""
    points = "".join(f"<li>{escaped(text, 2000)}</li>\n" for text in texts)
    return f"<ul>\n{points}</ul>" if points else ""


def table(
    header, rows, caption="", numbers=(), is_narrow=False, room=MAX_SHOWN
):
    """Return a table; the columns in numbers are right-aligned.

    The first cell of a row is its header. Cells are texts, not HTML, cut
    after room letters; they may break after each "_".
    """
    numbers = set(numbers)

    def cell(tag, text, place, scope=""):
        kind = ' class="number"' if place in numbers else ""
        inner = escaped(text, room).replace("_", "_<wbr>")
        return f"<{tag}{scope}{kind}>{inner}</{tag}>"

    head = "".join(
        cell("th", text, place, ' scope="col"')
        for place, text in enumerate(header)
    )
    body = "\n".join(
        "<tr>" + "".join(
            cell("td", text, place) if place
            else cell("th", text, place, ' scope="row"')
            for place, text in enumerate(row)
        ) + "</tr>"
        for row in rows
    )  # fmt: skip
    said = f"<caption>{escaped(caption, None)}</caption>" if caption else ""
    kind = ' class="narrow"' if is_narrow else ""
    top = f"<thead><tr>{head}</tr></thead>\n" if any(header) else ""
    return (
        f'<div class="scroll"><table{kind}>{said}\n{top}'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )
