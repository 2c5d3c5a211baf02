"""The stand-ins take and refuse what the real packages do, in their words."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import made_plans
import multilora
import page_calls
from multilora.line.changes import Change
from multilora.line.fit import Fit, Requests
from multilora.plan.parts import Part
from page_python import PagePython

PACKAGE = Path(multilora.__file__).parent
ODD = [
    None, True, False, 0, 1, -1, 2, 3.0, 1.5, -0.1, 1e300, -1e-300, math.nan,
    math.inf, 2**62, 2**62 + 1, 2**70, "", "a", "7", " 7 ", "7.5", "1_0",
    "yes", "off", "x" * 4096, "x" * 4097, [], [1], ["a", None], {}, {"a": 1},
    [{}], [{"name": "a", "rank": 0}], "multilora plan", "starts",
]  # fmt: skip


@pytest.fixture(scope="module")
def page():
    """A page's Python, on the library of this repository itself."""
    page = PagePython(PACKAGE.parent)
    yield page
    page.end()


def name_of(kind):
    return f"{kind.__module__}.{kind.__qualname__}"


def parts_within(part):
    yield part
    for _, value in part:
        for one in value if isinstance(value, tuple) else [value]:
            if isinstance(one, Part):
                yield from parts_within(one)


def examples():
    """The fields of an example of each Part, by the name of its class."""
    line = "vllm serve M --enable-lora --max-loras 64 --max-lora-rank 64"
    short = page_calls.fitted(line, "Llama-3.1-8B", 22.0)
    plan = made_plans.with_spare()
    parts = [*parts_within(plan), *parts_within(Fit(**short))]
    return {
        name_of(type(part)): part.model_dump(mode="json") for part in parts
    }


EXAMPLES = examples()


def every_part(kind=Part):
    for one in kind.__subclasses__():
        yield name_of(one)
        yield from every_part(one)


def test_each_part_of_the_library_has_an_example():
    assert {name_of(kind) for kind in (Change, Fit, Requests)} <= {*EXAMPLES}
    assert {
        kind for kind in every_part() if kind.startswith("multilora.")
    } == {*EXAMPLES}


def test_the_page_has_the_stand_ins_and_not_what_is_installed(page):
    names = ["pydantic", "pydantic_bounds", "pydantic_kinds", "tqdm"]
    folder = PACKAGE / "inpage/stand_ins"
    expected = [str(folder / f"{name}.py") for name in names]
    assert page.call("files_of", names=names) == expected
    for name in ("pydantic_core", "yaml", "matplotlib", "multiprocessing"):
        with pytest.raises(RuntimeError, match=f"No module named '{name}"):
            page.call("files_of", names=[name])


@pytest.mark.parametrize("kind", EXAMPLES)
def test_an_example_is_the_same_model_in_both(page, kind):
    here = page_calls.made(kind, EXAMPLES[kind])
    assert here["is_read_back"] and here["is_same"] and not here["is_other"]
    assert page.call("made", kind=kind, fields=EXAMPLES[kind]) == here


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_field_too_few_or_too_many_is_refused_in_the_same_words(page, kind):
    fields = EXAMPLES[kind]
    for wrong in (
        {},
        fields | {"more": 1, "and": 2},
        *(
            {key: fields[key] for key in fields if key != name}
            for name in fields
        ),
    ):
        here = json.loads(json.dumps(page_calls.made(kind, wrong)))
        assert page.call("made", kind=kind, fields=wrong) == here


@pytest.mark.parametrize("kind", EXAMPLES)
def test_every_odd_value_is_taken_or_refused_as_pydantic_does(page, kind):
    for name in EXAMPLES[kind]:
        for value in ODD:
            fields = EXAMPLES[kind] | {name: value}
            here = verdict(page_calls.made(kind, fields))
            there = verdict(page.call("made", kind=kind, fields=fields))
            assert there == here, (name, value)


def verdict(made):
    """What was made, or which fields are wrong: odd values have odd words."""
    return {str(place[0]) for place, _ in made.get("wrong", [])} or made


@pytest.mark.parametrize(
    "wrong",
    [
        {"ttft_p99_ms": -1},
        {"ttft_p99_ms": 1e13, "share": 1.5},
        {"ttft_p99_ms": math.nan},
        {"itl_ms": math.inf},
        {"itl_ms": "soon"},
        {"share": None},
        {"share": [1]},
    ],
    ids=str,
)
def test_a_wrong_promise_is_refused_in_pydantics_words(page, wrong):
    slo = "multilora.plan.parts.Slo"
    here = json.loads(json.dumps(page_calls.made(slo, wrong)))
    assert len(here["wrong"]) == len(wrong)
    assert page.call("made", kind=slo, fields=wrong) == here


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_numbers_are_taken_or_refused_as_pydantic_does(page, data):
    kind = data.draw(st.sampled_from(sorted(EXAMPLES)))
    numbers = st.integers(-2, 2**63) | st.floats(-1.0, 2.0) | st.floats()
    some = st.dictionaries(st.sampled_from(sorted(EXAMPLES[kind])), numbers)
    fields = EXAMPLES[kind] | data.draw(some)
    here = verdict(page_calls.made(kind, fields))
    assert verdict(page.call("made", kind=kind, fields=fields)) == here


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_model_never_changes_and_a_copy_may(page, kind):
    arguments = {
        "kind": kind, "fields": EXAMPLES[kind], "name": [*EXAMPLES[kind]][-1],
    }  # fmt: skip
    here = json.loads(json.dumps(page_calls.frozen(**arguments)))
    assert page.call("frozen", **arguments) == here
    assert len(here[0]) == 2 and here[1:] == [EXAMPLES[kind], "changed"]


@given(
    num_tenants=st.integers(1, 12),
    rate=st.floats(0.2, 4),
    card_gib=st.sampled_from([22.0, 44.4, 79.1]),
    slo_ms=st.sampled_from([60.0, 200.0, 500.0]),
    spare=st.integers(0, 1),
)
@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.generate],  # a plan takes a second: none is made smaller
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_plan_is_the_same_in_the_page(page, spare, **case):
    case["seconds"] = 60
    here = page_calls.planned(case, spare)
    assert page.call("planned", case=case, spare=spare) == here


def test_a_line_fits_the_same_in_the_page(page):
    for line in ("vllm serve M", "vllm serve M --enable-lora --max-loras 64"):
        asked = {"line": line, "model": "Llama-3.1-8B", "card_gib": 22.0}
        assert page.call("fitted", **asked) == page_calls.fitted(**asked)


def test_a_config_file_is_refused_in_a_sentence_without_yaml(page, tmp_path):
    file = tmp_path / "engine.yaml"
    file.write_text("max-loras: 8\n")
    line = f"vllm serve M --enable-lora --config {file}"
    asked = {"line": line, "model": "Llama-3.1-8B", "card_gib": 79.1}
    assert page_calls.fitted(**asked)["max_loras"] == 8
    with pytest.raises(
        RuntimeError, match=r"engine\.yaml cannot be read here"
    ):
        page.call("fitted", **asked)


def test_a_bar_tells_the_page_how_far_it_is(page):
    told = page.call("bar", total=3000, steps=[1000, 1000, 1000])
    assert told[0] == [
        "progress",
        {"text": "1,000 of 3,000 requests", "share": 1 / 3},
    ]
    assert told[-1] == [
        "progress",
        {"text": "3,000 of 3,000 requests", "share": 1.0},
    ]
    assert page.call("bar", total=3, steps=[3], disable=True) == []


def test_a_bar_tells_it_at_most_ten_times_a_second(page):
    steps = [1] * 20_000
    assert 2 <= len(page.call("bar", total=20_000, steps=steps)) < 15
