"""What tests ask of the library on both sides: at the desk, in a page.

Arguments and what is returned are JSON: see page_python.
"""

import importlib
import json
from contextlib import redirect_stdout
from io import StringIO


def made(kind, fields):
    """Make a model, as multilora.plan.parts.Slo; tell it, or what is wrong."""
    module, _, name = kind.rpartition(".")
    model = getattr(importlib.import_module(module), name)
    try:
        one = model(**fields)
    except ValueError as error:
        return {"wrong": _told(error)}
    return {
        "fields": one.model_dump(mode="json"),
        "tuples": repr(one.model_dump()),
        "text": [repr(one), str(one)],
        "json": json.loads(one.model_dump_json()),
        "is_read_back": model.model_validate_json(
            one.model_dump_json(indent=1)
        )
        == one,
        "is_same": one == model(**fields)
        and hash(one) == hash(model(**fields)),
        "is_other": one == None or one != one.model_copy(),  # noqa: E711
    }


def frozen(kind, fields, name):
    """Change a field of a model: what is wrong, and what a copy holds."""
    module, _, model = kind.rpartition(".")
    one = getattr(importlib.import_module(module), model)(**fields)
    wrong = []
    for change in (lambda: setattr(one, name, 1), lambda: delattr(one, name)):
        try:
            change()
        except ValueError as error:
            wrong.append(_told(error))
    copy = one.model_copy(update={name: "changed"})
    return wrong, one.model_dump(mode="json"), getattr(copy, name)


def _told(error):
    found = [
        [list(row["loc"]), row["msg"]]
        for row in error.errors(include_url=False)
    ]
    return sorted(found, key=str)


def planned(case, spare=0):
    """Plan a Case of cases.a_case; return the Plan's fields."""
    from cases import a_case
    from multilora.plan.make import make_plan

    return make_plan(a_case(**case), spare=spare).model_dump(mode="json")


def num_logged():
    """Read the example of a log; return its number of requests."""
    from multilora.logs.read import example_log_path, read_log

    return read_log(example_log_path()).num_requests


def fitted(line, model, card_gib):
    """Fit a line on a card; return the Fit's fields."""
    from multilora.line.fit import fit
    from multilora.line.read import serve_line
    from multilora.models.shipped import model_shape

    found = fit(serve_line(line), model_shape(model), card_gib)
    return found.model_dump(mode="json")


def graded(lab):
    """Grade the starter of a lab: verdicts and reasons."""
    from multilora.labs.checks import grade_lab

    return [[one.verdict, one.reason] for one in grade_lab(lab)]


def checked(name):
    """Check an exercise's own answer; return the line."""
    from multilora.exercises.checking import ENTRIES, check_exercise

    key = ENTRIES[name].answer.key
    is_function = type(ENTRIES[name].answer).__name__ == "Function"
    with redirect_stdout(StringIO()) as said:
        check_exercise(name, key if is_function else key())
    return said.getvalue()


def files_of(names):
    """Return the files that modules came from."""
    return [importlib.import_module(name).__file__ for name in names]


def bar(total, steps, disable=False):
    """Move a bar; return what the page was told."""
    import tqdm

    from multilora.inpage import post

    told = []
    post.attach(lambda kind, text: told.append([kind, json.loads(text)]))
    try:
        with tqdm.tqdm(total=total, unit=" requests", unit_scale=True,
                       disable=disable) as one:  # fmt: skip
            for step in steps:
                one.update(step)
    finally:
        post.detach()
    return told
