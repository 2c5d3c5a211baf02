"""Fixtures of the labs, polite failures, and notebooks that can be skipped."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from multilora.labs.switch import (
    NAMES,
    NotAttemptedError,
    SlipError,
    implementation,
)
from summary import pytest_terminal_summary  # noqa: F401  a hook

ROOT = Path(__file__).parent
SANITISED = "tests/nbval_sanitize.cfg"

# A busy machine is no bug: no deadline for one example of a property test.
settings.register_profile(
    "book", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("book")


def _lab_fixture(name):
    @pytest.fixture(name=name)
    def fixture():
        return implementation(name)

    return fixture


for _lab in NAMES.values():
    for _name in _lab:
        globals()[f"{_name}_fixture"] = _lab_fixture(_name)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    try:
        return (yield)
    except (NotAttemptedError, SlipError) as slip:
        reason = str(slip)
    # A learner needs the sentence, not the spec's stack.
    pytest.fail(reason, pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef, request):
    try:
        return (yield)
    except SlipError as slip:
        reason = str(slip)
    pytest.fail(reason, pytrace=False)


def pytest_configure(config):
    """Find nbval's rules from whatever folder pytest was started in."""
    if config.getoption("nbval_sanitize_with", None) is None:
        config.option.nbval_sanitize_with = str(ROOT / SANITISED)
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker and find_spec("vllm") and sys.platform == "linux":
        _keep_vllm_on_one_core(int(worker.removeprefix("gw")))


def _keep_vllm_on_one_core(number):
    """Engines of two workers on the same cores hold each other up."""
    cores = sorted(os.sched_getaffinity(0))
    core = str(cores[number % len(cores)])
    os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", core)
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.hookimpl(optionalhook=True)  # there is no such hook without xdist
def pytest_xdist_make_scheduler(config, log):
    """Keep on one worker what looks at what the others of its kind found."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            if "evidence/test_recon_" in nodeid:
                return "reconciliation"
            return super()._split_scope(nodeid)

    if config.getoption("dist") == "loadfile":
        return Scheduling(config, log)
    return None


# Tests that run only when -m names their marker, and what does so.
ASKED_FOR = {
    "browser": "builds pages or drives a Chromium: make browser",
    "colab": "installs vLLM anew: make rehearse",
    "stored": "checks notebooks and pages as stored: make lint",
}


@pytest.hookimpl(tryfirst=True)  # markers must stand before -m selects
def pytest_collection_modifyitems(config, items):
    asked = config.getoption("markexpr")
    no_engine = pytest.mark.skip(reason="needs vLLM: make test-engine")
    for item in items:
        if item.path.suffix == ".ipynb":
            _mark_engine(item)
        # Not `in item.keywords`: a folder's name is a keyword too.
        if item.get_closest_marker("engine") and find_spec("vllm") is None:
            item.add_marker(no_engine)
        for marker, reason in ASKED_FOR.items():
            if item.get_closest_marker(marker) and marker not in asked:
                item.add_marker(pytest.mark.skip(reason=reason))


def _mark_engine(item):
    """Mark a notebook whose metadata asks for vLLM, as tests are marked."""
    metadata = item.parent.nb.metadata  # nbval has read it
    if "vllm" in metadata.get("book", {}).get("requires", []):
        item.add_marker(pytest.mark.engine)
