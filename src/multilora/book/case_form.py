"""The form of "Plan your case here": files, base, card, promise, buttons."""

import html

from multilora.inpage.case_asked import CaseAsked
from multilora.memory.cards import card_names
from multilora.models.shipped import model_names

USUAL = CaseAsked()
# What a file may be is told by its name in case.js; these only filter a list.
LOGS = ".csv,.tsv,.txt,.log,.json,.jsonl,.ndjson,.gz"
OPTIONS = (
    ("card", "Card of each GPU", "text", USUAL.card),
    ("ttft_p99_ms", "Promise: p99 of TTFT, ms", "number", USUAL.ttft_p99_ms),
    ("tensor_parallel_size", "GPUs of one engine", "number",
     USUAL.tensor_parallel_size),
)  # fmt: skip
MORE = (
    ("rank", "Rank of tenants without an adapter", "number", USUAL.rank),
    ("prompt_default", "Prompt tokens where the log has none", "number", ""),
    ("output_default", "Output tokens where the log has none", "number", ""),
    ("time_column", "--time-column of the log", "text", ""),
    ("tenant_column", "--tenant-column of the log", "text", ""),
    ("prompt_column", "--prompt-column of the log", "text", ""),
    ("output_column", "--output-column of the log", "text", ""),
)


def form_of(desk, size):
    """Return the form's markup; desk is what a reader without Python sees.

    size says what the first click loads. The form is hidden until case.js
    has found that Python can run here.
    """
    return (
        '<div class="own-case" id="own-case">\n'
        '<p class="case-cannot" role="status" hidden></p>\n'
        '<form class="case-form" aria-label="Your case" novalidate hidden>\n'
        f"{_files()}{_options()}{_buttons(size)}"
        "</form>\n"
        '<div class="case-answer"></div>\n'
        '<p class="case-take" hidden>'
        '<button type="button" class="case-text">Save as text</button> '
        '<button type="button" class="case-json">Save as JSON</button></p>\n'
        f'<details class="case-desk" open><summary>In a shell</summary>{desk}'
        "</details>\n</div>"
    )


def _files():
    return (
        '<fieldset class="case-drop"><legend>Your files</legend>\n'
        "<p>They stay on your computer: this page reads them here and sends "
        "nothing to anybody. Drop them on this box, folders too, or choose "
        "them:</p>\n"
        + _chooser("config", "config.json of the base", 'accept=".json"')
        + _chooser(
            "adapters", "A folder of adapters", "webkitdirectory multiple"
        )
        + _chooser("log", "A log of requests", f'accept="{LOGS}"')
        + '<ul class="case-files" aria-label="Files taken"></ul>\n'
        '<p class="case-told" role="status"></p></fieldset>\n'
    )


def _chooser(name, label, more):
    return (
        f'<label class="case-field">{label} '
        f'<input type="file" class="case-{name}" {more}></label>\n'
    )


def _options():
    models = "".join(
        f"<option>{html.escape(name)}</option>" for name in model_names()
    )
    cards = "".join(
        f'<option value="{html.escape(name)}">' for name in card_names()
    )
    return (
        '<fieldset class="case-options"><legend>Base, card, promise</legend>\n'
        '<label class="case-field">Base <select name="model">'
        f'<option value="">that of the config.json</option>{models}'
        "</select></label>\n"
        + "".join(_field(*option) for option in OPTIONS)
        + f'<datalist id="case-cards">{cards}</datalist>\n'
        "<details><summary>Where the log says less</summary>\n"
        + "".join(_field(*option) for option in MORE)
        + "</details></fieldset>\n"
    )


def _field(name, label, kind, value):
    more = ' list="case-cards"' if name == "card" else ""
    more += ' min="1"' if kind == "number" else ' maxlength="200"'
    return (
        f'<label class="case-field">{label} <input type="{kind}" '
        f'name="{name}" value="{value}" autocomplete="off"{more}></label>\n'
    )


def _buttons(size):
    return (
        '<div class="case-buttons">'
        f'<button type="submit" class="case-plan">Plan <small>({size}, once)'
        "</small></button>"
        '<button type="button" class="case-example">Example</button>'
        '<button type="button" class="case-stop" hidden>Stop</button>'
        '<button type="button" class="case-clear">Start again</button></div>\n'
        '<progress class="case-progress" max="1" value="0" hidden '
        'aria-label="The answer"></progress>\n'
        '<p class="case-said" role="status"></p>\n'
    )
