"""Fixtures of the labs, polite failures, and notebooks that can be skipped."""

import json
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

ROOT = Path(__file__).parent

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


@pytest.fixture(scope="session")
def root():
    """The folder of the repository."""
    return ROOT


@pytest.hookimpl(tryfirst=True)  # markers must stand before -m selects
def pytest_collection_modifyitems(config, items):
    not_asked = pytest.mark.skip(reason="installs vLLM anew: make rehearse")
    is_rehearsal = "colab" in config.getoption("markexpr")
    no_engine = pytest.mark.skip(reason="needs vLLM: make test-engine")
    for item in items:
        if item.path.suffix == ".ipynb":
            _skip_without(item)
        elif "engine" in item.keywords and find_spec("vllm") is None:
            item.add_marker(no_engine)
        if "colab" in item.keywords and not is_rehearsal:
            item.add_marker(not_asked)


def _skip_without(item):
    """Skip a notebook whose metadata asks for a package that is absent."""
    metadata = json.loads(item.path.read_text("utf-8"))["metadata"]
    for package in metadata.get("book", {}).get("requires", []):
        if package == "vllm":
            item.add_marker(pytest.mark.engine)
        if find_spec(package) is None:
            reason = f"{item.path.name} needs {package}"
            item.add_marker(pytest.mark.skip(reason=reason))
