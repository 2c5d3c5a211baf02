"""Every described family, at small sizes, has the recorded numbers.

family_truth.json holds transformers' count of parameters on the meta device
and what vLLM's own classes allocate; `make family-truth` records it again.
"""

import json
from pathlib import Path

import pytest

import small_models
from multilora.models.shapes import ModelShape
from small_models import SMALL, by_library, uncovered

TRUTH = json.loads(
    Path(small_models.__file__)
    .with_name("family_truth.json")
    .read_text("utf-8")
)["models"]


def test_every_family_has_recorded_numbers():
    assert not uncovered()
    assert TRUTH.keys() == SMALL.keys()


@pytest.mark.parametrize(
    "name", [name for name in SMALL if "num_params" in TRUTH.get(name, ())]
)
def test_parameters_are_those_of_transformers(name):
    shape = ModelShape.from_config(SMALL[name])
    assert shape.num_params == TRUTH[name]["num_params"]


@pytest.mark.parametrize("name", SMALL)
def test_weights_slots_and_kv_are_those_of_vllm(name):
    ours = by_library(SMALL[name])
    assert ours == {key: TRUTH[name][key] for key in ours}
