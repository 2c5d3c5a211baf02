"""Parameters of quantised models: ours are those that vLLM allocates.

vLLM 0.32.0 builds its own classes on the meta device. Left out are scales of
attention that it drops after loading (q_scale, k_scale, v_scale, prob_scale
and zero points: at most 18 B a layer).
"""

import re

import pytest

import vllm_models
from multilora.memory.weights import weight_breakdown
from multilora.models.shapes import ModelShape
from quantised import CONFIGS, EXPERTS, MODELS, SPREAD, config

pytestmark = pytest.mark.engine

DROPPED = re.compile(r"\.attn\.([qkv]|prob)_(scale|zero_point)$")


@pytest.mark.parametrize("tensor_parallel_size", [1, 2])
def test_each_format_takes_what_vllm_allocates(tensor_parallel_size):
    options = {"tensor_parallel_size": tensor_parallel_size}
    configs = {
        f"{name} {model}": config(model, name)
        for name in CONFIGS
        for model in MODELS
    }
    _assert_equal(configs, options)


@pytest.mark.parametrize(("size", "whole"), SPREAD)
def test_experts_take_what_vllm_allocates(size, whole):
    options = {"tensor_parallel_size": size, "enable_expert_parallel": whole}
    _assert_equal(EXPERTS, options)


def _assert_equal(configs, options):
    ours = {}
    for name, fields in configs.items():
        shape = ModelShape.from_config(fields)
        found = weight_breakdown(shape, **options)
        ours[name] = found.weights, found.buffers
    options = {**options, "allow_deprecated_quantization": True}
    cases = [
        {"name": name, "config": fields, **options}
        for name, fields in configs.items()
    ]
    answers = vllm_models.ask(cases)
    theirs = {
        name: _bytes(answer)
        for name, answer in zip(configs, answers, strict=True)
    }
    assert ours == theirs


def _bytes(answer):
    """Bytes of all parameters, and of the buffers that are tables."""
    assert answer.get("weights"), answer["error"]
    kept = [
        row
        for row in answer["weights"]["tensors"]
        if not DROPPED.search(row[0])
    ]
    tables = [row for row in answer["buffers"] if row[0].endswith("cache")]
    return sum(row[3] for row in kept), sum(row[3] for row in tables)
