"""Calibrating a server that plays known costs in real time, and its faults."""

import signal
import threading
import time

import pytest

from bad_input import WRONG
from fake_vllm import FakeVllm
from multilora.serving.calibrate import calibrate
from multilora.serving.cost import step_cost
from multilora.serving.limits import engine_limits
from multilora.serving.replies import CalibrationError

COST = step_cost(6, 0.4, 0.02, 0, 8, 30, lora_ms=3, adapter_ms=0.5, api_ms=0)
QUICK = step_cost(1, 0, 0, 0, 0, 0)
LIMITS = engine_limits(2, 8, 1024, 3)
NAMES = ["a", "b", "c", "d"]


def probe(server, adapters=NAMES, **changes):
    lines = []
    arguments = {
        "limits": LIMITS, "prompt_tokens": (16, 256), "seconds": 6,
        "output_tokens": (8, 24), "max_at_once": 4, "timeout_s": 2,
        "progress": lines.append,
    } | changes  # fmt: skip
    url = server if isinstance(server, str) else server.url
    return calibrate(url, adapters, **arguments), lines


@pytest.fixture(scope="module")
def calibrated():
    """A calibration; where a busy machine spoilt it, the next one."""
    for _ in range(3):
        with FakeVllm(COST, LIMITS, NAMES[:3]) as server:
            started = time.perf_counter()
            found, lines = probe(server, dict.fromkeys(NAMES) | {"d": "/d"})
            took = time.perf_counter() - started
        if not wrong_costs(found):
            break
    return server, found, lines, took


def wrong_costs(found):
    """Return the counts whose fitted cost is not the one that was played."""
    steps = [(0, 1, 0), (0, 1, 1), (0, 4, 2), (256, 2, 1), (16, 2, 1)]
    parts = [
        (of, found.cost.compute_ns(*of), COST.compute_ns(*of), 0.2)
        for of in steps
    ]
    parts += [
        (of, found.cost.load_ns(*of), COST.load_ns(*of), within)
        for of, within in (((1, 0), 0.4), ((1, 1), 0.2))
    ]
    return {
        of: (ours, true)
        for of, ours, true, within in parts
        if ours != pytest.approx(true, rel=within, abs=1e6)
    }


def test_the_costs_that_a_server_plays_come_back(calibrated):
    _, found, _, _ = calibrated
    assert wrong_costs(found) == {}
    assert max(found.residuals.values()) < 0.2
    assert set(found.residuals) == {
        "alone", "batches", "adapters", "prompts", "cpu tier", "disk",
    }  # fmt: skip


def test_it_says_what_it_did(calibrated):
    server, found, lines, took = calibrated
    assert found.num_requests == len(server.paths)
    assert abs(found.seconds - took) < 0.2 and took < 6.5
    assert (found.model, found.engine_version) == ("base", "0.32.0")
    assert found.limits == LIMITS and found.machine["num_cpus"]
    assert " requests, " in lines[0] and "drift" in lines[-1]


def test_probes_stay_within_the_caller_s_lengths(calibrated):
    server, *_ = calibrated
    assert {len(prompt) for _, prompt, _ in server.completions} == {
        16, 40, 64, 102, 256,
    }  # fmt: skip
    assert max(num for *_, num in server.completions) == 24
    longest = [str(p) for _, p, _ in server.completions if len(p) == 256]
    assert len(set(longest)) == len(longest)  # no prefix is cached


def test_an_adapter_that_was_loaded_is_taken_out_again(calibrated):
    server, *_ = calibrated
    assert server.most_loaded == 4
    assert server.adapters == ["a", "b", "c"]


def test_without_adapters_enough_it_says_what_is_missing():
    limits = engine_limits(2, 8, 1024, 8)
    with FakeVllm(QUICK, limits, NAMES) as server:
        found, _ = probe(server, NAMES, limits=limits, seconds=2)
    assert (
        "loads from disk were not probed: that takes 9 adapters, 4 were given"
    ) in found.notes
    assert "disk_load_ms was in no probe and is 0" in found.notes


def test_a_machine_that_slows_down_is_not_steady():
    quick = COST.scaled(0.4)
    with FakeVllm(quick, LIMITS, NAMES, "slower", 60) as server:
        server.slow_cost = quick.scaled(2.5)
        found, _ = probe(server, seconds=5)
    assert found.drift > 1.3 and not found.is_steady


def test_no_more_requests_are_sent_than_allowed():
    with FakeVllm(QUICK, LIMITS, NAMES) as server:
        found, _ = probe(server, max_requests=150)
        assert len(server.paths) == found.num_requests <= 150
        sent = len(server.paths)
        with pytest.raises(ValueError, match="max_requests is 50, but one r"):
            probe(server, max_requests=50)
        assert len(server.paths) == sent + 2  # it only looked


FAULTS = {
    "not vllm": "answers 200 to /version .* not as vLLM's server does",
    "other json": "not as vLLM's server does",
    "no tokens": "answers 404 to /tokenize .*Not Found",
    "refuses": r"answers 400 to a request for .* \(too long\)",
    "dies": "broke off .* start it again|no server answers",
    "silent": "silent for 0.5 s: look at its log",
    "rubbish": "stream holds .* is it vLLM's OpenAI server",
    "stops early": "sent 0 tokens where",
    "loads nothing": "set VLLM_ALLOW_RUNTIME_LORA_UPDATING=True where it st",
    "bad adapter": r"refuses to load d \(500: no such folder\)",
    "keeps it": "d is still loaded: never",
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_of_a_server_is_a_sentence(fault):
    names = {"a": None, "b": None, "c": None, "d": "/d"}
    before = threading.active_count()
    with FakeVllm(QUICK, LIMITS, NAMES[:3], fault, 40) as server:
        with pytest.raises(CalibrationError, match=FAULTS[fault]):
            probe(server, names, seconds=1.5, timeout_s=0.5)
        if fault not in ("dies", "keeps it"):
            assert server.adapters == NAMES[:3]
    assert threading.active_count() <= before + 8  # the server's own


def test_a_server_too_slow_for_the_seconds_is_a_sentence():
    with FakeVllm(COST.scaled(20), LIMITS, NAMES) as server:
        started = time.perf_counter()
        with pytest.raises(CalibrationError, match="give more seconds"):
            probe(server, seconds=0.7)
        assert time.perf_counter() - started < 1.5


def test_a_silent_server_does_not_outlast_the_seconds():
    with FakeVllm(QUICK, LIMITS, NAMES, "silent", 40) as server:
        started = time.perf_counter()
        with pytest.raises(CalibrationError, match="give more seconds"):
            probe(server, seconds=1, timeout_s=60)
        assert time.perf_counter() - started < 1.5


def test_no_server_and_no_adapter_are_sentences():
    with FakeVllm(QUICK, LIMITS, []) as server:
        with pytest.raises(CalibrationError, match="no adapter 'a', but none"):
            probe(server)
        url = server.url
    with pytest.raises(CalibrationError, match="no server answers at http"):
        probe(url)


def test_ctrl_c_leaves_nothing_behind():
    names = {"a": None, "b": None, "c": None, "d": "/d"}
    with FakeVllm(COST, LIMITS, NAMES[:3]) as server:
        main = threading.main_thread().ident
        interrupt = threading.Timer(
            0.7, signal.pthread_kill, (main, signal.SIGINT)
        )
        interrupt.start()
        with pytest.raises(KeyboardInterrupt):
            probe(server, names)
        assert server.adapters == NAMES[:3]
        alive = [t.name for t in threading.enumerate() if "Voice" in str(t)]
        assert alive == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"adapters": ["a"]}, "at least two"),
        ({"adapters": ["a", "a", "b"]}, "a name comes twice"),
        ({"adapters": ["a", "base"]}, "names 'base', which is the base"),
        ({"output_tokens": (1, 4)}, "must be at least 8"),
        ({"prompt_tokens": (9, 3)}, "prompt_tokens, longest, is 3"),
        ({"prompt_tokens": (9, 3000), "limits": engine_limits(2, 8, 8192)},
         None),
        ({"prompt_tokens": (9, 5000), "limits": engine_limits(2, 8, 8192)},
         "max_model_len is 4096"),
        ({"seconds": -1}, "seconds is -1"),
        ({"seconds": 10**9}, "seconds is"),
        ({"max_requests": 0}, "max_requests is 0"),
    ],
)  # fmt: skip
def test_absurd_arguments_are_sentences(changes, sentence):
    with FakeVllm(QUICK, LIMITS, NAMES) as server:
        if sentence is None:
            probe(server, **({"seconds": 2} | changes))
            return
        with pytest.raises(ValueError, match=sentence):
            probe(server, **changes)
        assert server.completions == []


def test_each_wrong_value_is_named_before_anything_is_sent():
    """As test_bad_input has it; where nothing is wrong, no server is there."""
    with FakeVllm(QUICK, LIMITS, NAMES) as server:
        url = server.url
    good = {
        "url": url, "adapters": NAMES, "limits": LIMITS, "api_key": "k",
        "prompt_tokens": (16, 64), "output_tokens": (8, 24), "seconds": 1,
        "max_requests": 500, "max_at_once": 4, "timeout_s": 1, "seed": 0,
        "progress": print,
    }  # fmt: skip
    for name in good:
        for wrong in WRONG:
            with pytest.raises((ValueError, TypeError, CalibrationError)) as e:
                calibrate(**good | {name: wrong})
            is_absent = "no server answers" in str(e.value)
            assert is_absent or name in str(e.value), (name, wrong)
