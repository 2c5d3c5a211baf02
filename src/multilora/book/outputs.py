"""Printed outputs whose long lines wrap, each under its own last column.

wide.css needs two things that only the build knows: where a line's last
column begins, and whether an output is a table, which a phone must scroll.
"""

import html
import re
from collections import Counter

from multilora.book.names import SHORT, breakable

OUTPUT = re.compile(
    r'<div class="(output [^"]*\bhighlight-[^"]*)">'
    r'(\s*<div class="highlight"><pre>)(.*?)(</pre>)',
    re.DOTALL,
)
TAG = re.compile(r"(<[^>]*>)")
WORD = re.compile(r"\S+")
INDENT = re.compile(r" *")
GAP = re.compile(r" {2,}(?:\| )?(?=\S)")
HANG = 4  # letters that a line without columns hangs by


def setup(app):
    app.add_css_file("wide.css")
    app.connect("html-page-context", _wrap_outputs)


def _wrap_outputs(app, pagename, templatename, context, doctree):
    if "body" in context:
        context["body"] = wrapped(context["body"])


def wrapped(body):
    """Return a page's HTML with each printed line in a span of its own.

    The span's --hang is where its later rows begin, in letters. An output
    with a column beyond letter 16 also gets the class columns.
    """
    return OUTPUT.sub(_output, body)


def _output(match):
    kind, before, printed, after = match.groups()
    lines = printed.removesuffix("\n").split("\n")
    texts = [html.unescape(TAG.sub("", line)) for line in lines]
    starts = Counter(map(_last_column, texts))
    if max(starts) > SHORT:
        kind += " columns"
    shared = sorted(start for start, num in starts.items() if num > 1)
    spans = "".join(
        _span(line, _hang(text, shared))
        for line, text in zip(lines, texts, strict=True)
    )
    return f'<div class="{kind}">{before}{spans}{after}'


def _last_column(text):
    """Where the last column, or the indented line, begins; 0 for neither."""
    gaps = [gap.end() for gap in GAP.finditer(text)]
    return gaps[-1] if gaps else INDENT.match(text).end()


def _hang(text, shared):
    """A cell as wide as its column leaves one blank: see the other lines."""
    words = {word.start() for word in WORD.finditer(text)}
    starts = [_last_column(text), *words.intersection(shared)]
    return max(starts) or HANG


def _span(line, hang):
    parts = TAG.split(line)
    parts[::2] = [WORD.sub(_word, part) for part in parts[::2]]
    return (
        f'<span class="printed" style="--hang: {hang}ch">{"".join(parts)}\n'
        "</span>"
    )


def _word(match):
    """A short word with a hyphen, such as 3e-07, stays whole."""
    word = match[0]
    if "-" in word and len(word) <= SHORT:
        return f'<span class="whole">{word}</span>'
    return breakable(word)
