"""A workbench as HTML: an editor with its buttons, and where output goes."""

import html
import json
from typing import NamedTuple

from multilora.labs.switch import NAMES

FOLDED = "On your own computer"


class Bench(NamedTuple):
    """What a workbench holds.

    name tells its typed text from others' of the book. call is "grade" or
    "run". first is code that runs before, unseen. desk is markup: how to do
    the same at the desk, or "". lab is its number where a lab's spec grades
    it. title is an exercise's, with which the line of its check begins.
    """

    name: str
    call: str
    file: str
    label: str
    starter: str
    desk: str
    first: str = ""
    lab: str = ""
    title: str = ""


def lab_bench(lab, starter):
    """Return the Bench of a lab's starter."""
    file = f"starter_{lab}.py"
    return Bench(
        file, "grade", file, f"Your code: {file}", starter,
        f"<p>The same file lies in <code>src/multilora/labs/{file}</code>, "
        f"and <code>make grade LAB={lab}</code> grades it by the same "
        "tests.</p>", lab=lab,
    )  # fmt: skip


def markup_of(bench, number, size):
    """Return a Bench's markup; number tells it from others of its page.

    size says what the first click loads. Without JavaScript the code can be
    read, and the lines for the desk are there.
    """
    it = {key: html.escape(text) for key, text in bench._asdict().items()}
    num_lines = bench.starter.count("\n") + 1
    main = _main(bench)
    return (
        f'<div class="workbench" id="bench-{number}" role="group"'
        f' aria-label="{it["label"]}" data-name="{it["name"]}"'
        f' data-call="{it["call"]}" data-file="{it["file"]}"'
        f"{_kind(bench)}>\n"
        f'<script type="application/json" class="first">'
        f"{_data(bench.first)}</script>"
        f'<textarea class="bench-code" rows="{num_lines}" spellcheck="false"'
        f' autocomplete="off" aria-label="{it["label"]}"'
        f' aria-describedby="bench-{number}-keys">{it["starter"]}</textarea>\n'
        f'<p class="bench-keys" id="bench-{number}-keys">Ctrl+Enter: '
        f"{main.lower()}. Tab indents; Escape, then Tab, leaves the editor."
        "</p>\n"
        f'<div class="bench-buttons">{_buttons(bench, main, size)}</div>\n'
        '<progress class="bench-progress" max="1" value="0" hidden'
        ' aria-label="Python"></progress>\n'
        '<p class="bench-said" role="status"></p>\n'
        '<ul class="bench-lines"></ul>\n'
        '<pre class="bench-out" aria-label="Output" tabindex="0"></pre>\n'
        f"{_desk(bench)}</div>"
    )


def _main(bench):
    if bench.title:
        return "Check"
    return "Grade" if bench.call == "grade" else "Run"


def _kind(bench):
    """Return the data of a lab's starter, or of an exercise."""
    if bench.lab:
        return f' data-lab="{bench.lab}" data-starters="{" ".join(NAMES)}"'
    if bench.title:
        return f' data-kind="exercise" data-title="{html.escape(bench.title)}"'
    return ""


def _desk(bench):
    if not bench.desk:
        return ""
    return (
        f'<details class="bench-desk"><summary>{FOLDED}</summary>'
        f"{bench.desk}</details>\n"
    )


def _buttons(bench, main, size):
    label = f'{main} <small class="bench-size">({size}, once)</small>'
    row = [_button(bench.call, label)]
    if bench.call == "grade":
        row.append(_button("run", "Run"))
    row.append(_button("stop", "Stop", " hidden"))
    row.append(_button("reset", "Start again"))
    if bench.lab:
        row += [
            _button("download", "Download"),
            _button("load", "Load…"),
            '<input class="bench-file" type="file" accept=".py" hidden'
            ' aria-label="A starter to load">',
        ]
    return "".join(row)


def _button(name, label, more=""):
    return f'<button type="button" class="bench-{name}"{more}>{label}</button>'


def _data(value):
    """JSON that cannot end its script element."""
    return json.dumps(value).replace("<", "\\u003c")
