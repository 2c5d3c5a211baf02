"""Slots, weights and KV of every described family are vLLM 0.32.0's own.

vLLM builds its own classes on the meta device, from the small configs of
tests/support/small_configs.json, once for each way to start the engine.
"""

from collections import Counter

import pytest

import vllm_families
from multilora.memory.sharding import Parallel, slot_elements
from multilora.memory.wrapped import wrapped_modules
from multilora.models.shapes import ModelShape
from small_models import (
    MAX_LORA_RANK,
    MAX_LORAS,
    SMALL,
    by_library,
    starts,
    uncovered,
)

pytestmark = pytest.mark.engine

LORA_BYTES = 2


@pytest.fixture(scope="module")
def answers():
    return vllm_families.ask_all()


def test_every_family_is_compared_and_vllm_builds_every_config(answers):
    assert not uncovered()
    assert vllm_families.errors(answers) == {}


@pytest.mark.parametrize("name", SMALL)
def test_bytes_are_those_that_vllm_allocates(name, answers):
    ours = by_library(SMALL[name])
    assert ours == vllm_families.by_vllm(answers[name])


@pytest.mark.parametrize("name", SMALL)
def test_slots_are_under_the_names_that_the_class_packs(name, answers):
    shape = ModelShape.from_config(SMALL[name])
    for way, options in starts(SMALL[name]).items():
        theirs = vllm_families.slots_by_name(answers[name][way])
        assert _slots_by_name(shape, **options) == theirs, way


@pytest.mark.parametrize("name", SMALL)
def test_packed_names_are_those_of_the_class(name, answers):
    shape = ModelShape.from_config(SMALL[name])
    packed = answers[name]["one GPU"]["slots"]["packed_modules_mapping"]
    members = {}
    for _, module in wrapped_modules(shape):
        is_packed = module.into != module.name and module.kind != "gate"
        if is_packed and not (module.is_expert or module.is_table):
            members.setdefault(module.into, set()).add(module.name)
    assert members == {into: set(packed.get(into, ())) for into in members}


def _slots_by_name(shape, lora_target_modules=None, **options):
    """{vLLM's name of a module: the bytes of its slots in all layers}."""
    found = Counter()
    for times, module in wrapped_modules(shape, lora_target_modules):
        elements = slot_elements(module, MAX_LORA_RANK, Parallel(**options))
        found[module.into] += times * elements * MAX_LORAS * LORA_BYTES
    return {into: size for into, size in found.items() if size}
