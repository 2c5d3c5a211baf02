"""Parameters of every described family are those of transformers' class.

transformers 5.19 builds its own classes on torch's meta device, from the
small configs of tests/support/small_configs.json.
"""

from math import prod

import pytest

import transformers_models
from multilora.models.family import family_names
from multilora.models.shapes import ModelShape
from small_models import SMALL, uncovered

pytestmark = pytest.mark.engine

# Types that transformers does not have: vLLM's own classes are their truth,
# and their weights are compared in test_families_on_vllm.py.
LACKING = {
    "exaone",
    "internlm",  # vLLM 0.32.0 neither
    "internlm2",
    "internlm3",
    "kimi_k2",  # vLLM reads it as deepseek_v3
    "minicpm",
    "nemotron-nas",
}
COMPARED = [
    name
    for name, config in SMALL.items()
    if config["model_type"] not in LACKING
]


def test_every_family_that_transformers_has_is_compared():
    lacking = {
        name
        for name in family_names()
        if not transformers_models.has_class(name)
    }
    assert lacking == LACKING
    assert not uncovered()


@pytest.mark.parametrize("name", COMPARED)
def test_parameters_are_those_of_transformers(name):
    theirs = transformers_models.parameters(SMALL[name])
    shape = ModelShape.from_config(SMALL[name])
    assert shape.num_params == sum(map(prod, theirs.values()))
    assert _by_module(shape) == _as_modules(theirs, shape)


def _by_module(shape):
    """{path: sizes}: matrices as they are, of other parameters the number.

    The experts of a layer are together: how many there are, their input, and
    all outputs of gate and up, or those of down.
    """
    found = {}
    for place, module in shape.modules():
        if module.is_expert:
            _add_expert(found, place.rpartition(".")[0], module)
        elif module.is_linear or module.is_table:
            found[place] = [module.out_features, module.in_features]
            if module.num_biases:
                found[f"{place}.bias"] = [module.num_biases]
        else:
            found[place] = [module.num_params]
    return {
        place: sorted(sizes) if place.endswith((".w13", ".w2")) else sizes
        for place, sizes in found.items()
    }


def _add_expert(found, parent, module):
    place = f"{parent}.{'w2' if module.kind == 'w2' else 'w13'}"
    sizes = found.setdefault(place, [module.count, module.in_features, 0])
    sizes[2] += module.out_features
    if module.num_biases:
        biases = found.setdefault(f"{place}.bias", [module.count, 0])
        biases[1] += module.num_biases


def _as_modules(theirs, shape):
    """transformers' parameters in the form of _by_module."""
    experts = {
        place.rpartition(".")[0]
        for place, module in shape.modules()
        if module.is_expert
    }
    matrices = {
        place
        for place, module in shape.modules()
        if module.is_linear or module.is_table
    }
    found = {}
    for name, sizes in theirs.items():
        parent, _, last = name.rpartition(".")
        place = name.removesuffix(".weight")
        if parent in experts:
            kind = "w2" if last.startswith("down_proj") else "w13"
            is_bias = last.endswith("bias")
            key = f"{parent}.{kind}{'.bias' if is_bias else ''}"
            found[key] = list(sizes) if is_bias else sorted(sizes)
        elif place in matrices:
            found[place] = [sizes[0], prod(sizes[1:])]
        elif last == "bias" and parent in matrices:
            found[name] = list(sizes)
        else:
            place = place.removesuffix(".bias")
            found[place] = [found.get(place, [0])[0] + prod(sizes)]
    return found
