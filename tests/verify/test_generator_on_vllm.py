"""vLLM's load generator sends just what we name: whom, when, how long."""

import shutil
import sys
import time

import numpy as np
import pytest

from fake_vllm import FakeVllm
from multilora.serving.cost import step_cost
from multilora.serving.limits import engine_limits
from multilora.serving.replies import CalibrationError
from multilora.serving.workload import make_workload
from multilora.tenants import folder_of
from multilora.verify.generator import python_with_vllm, send

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore")]

FAKE = step_cost(20, 0, 0, 0, 0, 0), engine_limits(4, 64, 8192), ["a", "b"]
WORKLOAD = make_workload(
    np.arange(30) / 10, np.arange(30) % 2, np.arange(30) * 7 + 1,
    np.arange(30) % 5 + 1,
)  # fmt: skip
MODELS = [("a", "b", "base")[k % 3] for k in range(30)]


def test_each_request_is_the_one_that_was_named():
    with FakeVllm(*FAKE) as server:
        started = time.perf_counter()
        sent = send(
            server.url, MODELS, WORKLOAD, str(folder_of("base")),
            sys.executable,
        )  # fmt: skip
        assert time.perf_counter() - started > 2.9
    got = [(m, len(p), n) for m, p, n in server.completions]
    assert got == list(
        zip(MODELS, WORKLOAD.prompt_tokens, WORKLOAD.output_tokens,
            strict=True)
    )  # fmt: skip
    starts = {tuple(prompt[:8]) for _, prompt, _ in server.completions[2:]}
    assert len(starts) == 28  # no two share a prefix
    assert sent.num_failed == 0 and 2.5 < sent.seconds < 10
    # A step takes 20 ms, and a request joins at the next.
    assert 15 < np.median(sent.ttft_ms) < 60
    is_one = WORKLOAD.output_tokens == 1
    assert np.isnan(sent.gap_ms[is_one]).all()
    assert 15 < np.median(sent.gap_ms[~is_one]) < 30


def test_requests_that_a_server_refuses_are_failures():
    with FakeVllm(*FAKE) as server:
        sent = send(
            server.url, ["a", "b", "gone"] * 10, WORKLOAD,
            str(folder_of("base")), sys.executable,
        )  # fmt: skip
    assert sent.num_failed == 10
    assert np.isnan(sent.ttft_ms[2::3]).all()
    assert all(sent.errors[2::3]) and not any(sent.errors[::3])


def test_a_base_that_is_not_there_is_a_sentence():
    with FakeVllm(*FAKE) as server, pytest.raises(ValueError, match="without"):
        send(server.url, MODELS, WORKLOAD, "/nowhere/base", sys.executable)
    with pytest.raises(CalibrationError, match="none of 30 requests"):
        send(
            server.url, MODELS, WORKLOAD, str(folder_of("base")),
            sys.executable,
        )  # fmt: skip


def test_the_script_vllm_leads_to_its_python():
    script = shutil.which("vllm", path=str(sys.prefix) + "/bin")
    if script is None:
        pytest.skip("this environment has no script called vllm")
    assert "python" in python_with_vllm(script)
