"""The canary hears what a server does wrong, and nothing where it is right."""

import threading
import time

import pytest

import fake_answers
from bad_input import WRONG
from fake_answers import FakeAnswers
from multilora.canary.run import canary
from multilora.serving.replies import CalibrationError


def listen(server, **changes):
    options = {"prompts": ["one"], "repeats": 2, "seed": 0} | changes
    return canary(server.url, **options)


def heard(fault, **changes):
    with FakeAnswers(fault=fault) as server:
        return listen(server, **changes)


def findings(found):
    return {(one.check, one.model, one.like) for one in found.findings}


# Fault: what is found, (check, model, whose answer it gave).
FOUND = {
    "base rows": {("base", "base", "b")},
    "adapter rows": {("company", "a", "b")},
    "not applied": {("applied", "a", "base")},
    "blocks": {("prefix", "base", "a"), ("prefix", "a", "base"),
               ("prefix", "b", "base")},
}  # fmt: skip
FOUND_BY_A_LOAD = {
    "stale slots": {("load", "b", None), ("loaded", "b", None)},
    "new takes base": {("loaded", "base", "new")},
}


@pytest.mark.parametrize("fault", [None, "noise"])
def test_nothing_is_found_on_a_healthy_server(fault):
    found = heard(fault, load={"new": "/new"}, prompts=("one", "two"))
    assert found.is_healthy and not found.findings
    assert set(found.num_asked) == {
        "base", "company", "prefix", "load", "loaded"
    }  # fmt: skip
    assert not any(found.num_unclear.values()) and not found.notes
    assert (found.noise > 0.01) == (fault == "noise")


@pytest.mark.parametrize("fault", FOUND)
def test_each_wrong_is_found_and_named(fault):
    found = heard(fault)
    assert findings(found) == FOUND[fault]
    assert not found.is_healthy and not found.no_verdict


@pytest.mark.parametrize("fault", FOUND_BY_A_LOAD)
def test_what_a_load_does_to_others_is_found(fault):
    found = heard(fault, load={"new": "/new"})
    assert findings(found) >= FOUND_BY_A_LOAD[fault]
    wrong = {model for _, model, _ in FOUND_BY_A_LOAD[fault]}
    assert {model for _, model, _ in findings(found)} == wrong
    assert not found.is_healthy


def test_two_alike_are_a_hint_and_no_verdict():
    found = heard("shared id")
    assert findings(found) == {("twins", "b", "a")}
    assert found.is_healthy and found.findings[0].is_hint


@pytest.mark.parametrize("fault", ["sampling", "much noise"])
def test_a_server_that_is_not_steady_gets_no_verdict(fault):
    found = heard(fault)
    assert found.no_verdict and not found.is_healthy
    assert not found.findings
    assert found.agreeing["base"] < 1
    assert (found.agreeing["alone"] < 1) == (fault == "sampling")


@pytest.mark.parametrize("fault", ["no logprobs", "no cache_salt", "neither"])
def test_what_a_server_refuses_is_left_out_and_said(fault):
    found = heard(fault)
    assert found.is_healthy and found.notes
    assert found.has_logprobs == (fault == "no cache_salt")
    assert ("prefix" in found.num_asked) == (fault == "no logprobs")


def test_without_logprobs_what_is_wrong_is_found_all_the_same():
    with FakeAnswers(fault="base rows") as server:
        server.refuses = ["logprobs"]
        found = listen(server)
    assert findings(found) == FOUND["base rows"]


@pytest.mark.parametrize("value", [None, float("nan")])
def test_logprobs_that_are_none_hide_nothing(value, monkeypatch):
    def spoilt(rows, has_logprobs):
        found = choice(rows, has_logprobs)
        found["logprobs"]["token_logprobs"] = [value] * len(rows)
        return found

    choice = fake_answers.choice
    monkeypatch.setattr(fake_answers, "choice", spoilt)
    found = heard("base rows")
    assert findings(found) == FOUND["base rows"] and not found.has_logprobs


def test_empty_answers_are_no_verdict(monkeypatch):
    monkeypatch.setattr(fake_answers, "choice", lambda *_: {"text": ""})
    found = heard(None)
    assert not found.is_healthy and not found.findings
    assert found.no_verdict == ("all answers are empty, and show nothing",)


def test_only_the_adapters_asked_for_are_asked():
    with FakeAnswers(adapters=[f"t{i}" for i in range(12)]) as server:
        found = listen(server, adapters=["t3", "t11"])
        assert {model for model, _ in server.asked} == {"base", "t3", "t11"}
        assert found.adapters == ("t3", "t11") and not found.notes
        found = listen(server, max_adapters=2, prompts=["x"], repeats=1)
        assert found.adapters == ("t0", "t1")
        assert "10 of 12 adapters were not asked" in found.notes[0]


FAULTS = {
    "html": "not as vLLM's server does",
    "dies": "broke off .* start it again|no server answers",
    "rubbish": "no completion: is it vLLM's",
    "loads nothing": "loads no adapters at run time",
    "bad adapter": "refuses to load new .*no such folder",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_of_a_server_is_a_sentence(fault):
    with FakeAnswers(fault=fault) as server:
        with pytest.raises(CalibrationError, match=FAULTS[fault]):
            listen(server, load={"new": "/new"})
        assert "new" not in server.adapters
    ours = [t for t in threading.enumerate() if type(t).__name__ == "_Voice"]
    assert not ours


def test_a_key_is_asked_for_and_used():
    with FakeAnswers(key="sesame") as server:
        with pytest.raises(
            CalibrationError, match=r"401 .* wants its API key"
        ):
            listen(server)
        assert listen(server, api_key="sesame").is_healthy


def test_no_adapter_and_no_server_are_sentences():
    with FakeAnswers(adapters=()) as server:
        with pytest.raises(CalibrationError, match="serves no adapter"):
            listen(server)
        assert listen(server, load={"new": "/new"}).is_healthy
        with pytest.raises(CalibrationError, match="serves no adapter 'x'"):
            listen(server, adapters=["x"])
        url = server.url
    with pytest.raises(CalibrationError, match="no server answers"):
        canary(url)


def test_a_name_that_is_served_is_not_loaded_again():
    with FakeAnswers() as server:
        with pytest.raises(ValueError, match="load names 'a', which"):
            listen(server, load={"a": "/a"})
        assert not server.num_loads and server.adapters == ["a", "b"]


def test_whatever_ends_it_the_adapter_is_taken_out_again():
    """Ctrl-C comes as an error out of progress, or the time is over."""

    def stop(line):
        if "1/2" in line and server.num_loads:
            raise KeyboardInterrupt

    with FakeAnswers() as server:
        with pytest.raises(KeyboardInterrupt):
            listen(server, load={"new": "/new"}, progress=stop)
        assert server.unloaded == ["new"] * server.num_loads
    with FakeAnswers() as server:
        start = time.perf_counter()
        with pytest.raises(CalibrationError, match="give more seconds"):
            listen(server, load={"new": "/new"}, repeats=100, seconds=0.5)
        assert time.perf_counter() - start < 3
        assert "new" not in server.adapters


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"prompts": []}, "prompts is"),
        ({"prompts": ["a", "a"]}, "one comes twice"),
        ({"prompts": ["\udcff"]}, "which is no text"),
        ({"prompts": ["x" * 100_001]}, "100,001 characters"),
        ({"adapters": [""]}, "adapters is"),
        ({"adapters": ["base"]}, "adapters names 'base'"),
        ({"load": {"": "/x"}}, "load is"),
        ({"load": ["x"]}, "load is"),
        ({"load": {"x": 3}}, r"load\['x'\] is 3"),
        ({"num_tokens": 0}, "num_tokens is 0"),
        ({"repeats": 1.5}, "repeats is 1.5"),
        ({"max_adapters": 0}, "max_adapters is 0"),
        ({"seconds": 0}, "seconds is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"progress": 3}, "progress is 3"),
        ({"api_key": "a\nb"}, "api_key must be"),
    ],
)
def test_absurd_arguments_are_sentences(changes, sentence):
    with FakeAnswers() as server:
        with pytest.raises((ValueError, TypeError), match=sentence):
            listen(server, **changes)
        assert not server.asked


def test_each_wrong_value_is_named_before_anything_is_sent():
    """As test_bad_input has it; where nothing is wrong, no server is there."""
    with FakeAnswers() as server:
        url = server.url
    good = {
        "url": url, "adapters": ["a"], "load": {"n": "/n"}, "prompts": ["x"],
        "num_tokens": 4, "repeats": 1, "max_adapters": 2, "seconds": 1,
        "timeout_s": 1, "api_key": "k", "progress": print, "seed": 0,
    }  # fmt: skip
    for name in good:
        for wrong in WRONG:
            with pytest.raises((ValueError, TypeError, CalibrationError)) as e:
                canary(**good | {name: wrong})
            is_absent = "no server answers" in str(e.value)
            assert is_absent or name in str(e.value), (name, wrong)
