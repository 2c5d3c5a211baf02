"""Engines that the tests of this room share."""

import sys
import uuid

import pytest

import families
from multilora import engine, tenants
from multilora.tenants import corpus, folder_of
from voices import BASE, VOICES


@pytest.fixture(scope="module", autouse=True)
def numba_stays_out(request):
    """No test of this process may import numba: see make test-peers."""
    if request.node.get_closest_marker("engine"):
        assert "llvmlite" not in sys.modules


@pytest.fixture(scope="session")
def two():
    """An engine with two slots and three adapters."""
    with engine.start(BASE, max_loras=2) as running:
        for name in ("sql", "pirate", "json"):
            running.load(name, folder_of(name))
        yield running


@pytest.fixture(scope="session")
def choir():
    """An engine with a slot for every tenant."""
    with engine.start(BASE, max_loras=4) as running:
        for name in tenants.tenant_names():
            running.load(name, folder_of(name))
        yield running


@pytest.fixture(scope="session")
def held_out(choir):
    """The held-out questions, and every voice's replies in one batch."""
    questions = corpus.every_held_out()
    prompts = [item.prompt for item in questions]
    tags = [voice for voice in VOICES for _ in prompts]
    replies = choir.generate(prompts * len(VOICES), tags)
    return questions, {
        voice: [item for item in replies if item.adapter == voice]
        for voice in VOICES
    }


@pytest.fixture
def token(monkeypatch):
    """A mark on all that starts in this test; none of it may remain."""
    token = uuid.uuid4().hex
    monkeypatch.setenv(families.TOKEN, token)
    yield token
    families.wait_until_gone(token)
