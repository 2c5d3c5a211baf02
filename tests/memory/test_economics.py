"""The bill: hand-worked values, real shapes, tokens and engines."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora.memory import economics
from multilora.models.shipped import model_shape
from multilora.units import MIB, mib


def test_the_five_numbers():
    assert economics.lora_params_per_layer(4096, 4096, 16) == 131_072
    assert 4096**2 / 131_072 == 128
    assert economics.adapter_bytes(4096, 32, 16) == 32 * MIB
    assert economics.adapters_per_gib(4096, 32, 16) == 32
    ratio = economics.shrink_ratio(7_000_000_000, 4096, 32, 16)
    assert round(ratio) == 417
    assert economics.gpus_saved(100, 8) == 87
    assert economics.engines_needed(10**17 + 1, 1) == 10**17 + 1


def test_real_shapes_at_rank_16():
    for model, size in (("Llama-2-7B", 76.25), ("Llama-3.1-8B", 80)):
        params = economics.adapter_params(model_shape(model), 16, "all-linear")
        assert mib(2 * params) == size
    # The square formula is right for Llama-2-7B's q, k, v, o.
    attention = ["q_proj", "k_proj", "v_proj", "o_proj"]
    params = economics.adapter_params(model_shape("Llama-2-7B"), 16, attention)
    assert 2 * params == economics.adapter_bytes(4096, 32, 16)


def test_kv_bytes_and_flops():
    shape = model_shape("Llama-3.1-8B")
    assert economics.kv_bytes_per_token(shape) == 128 * 1024
    base = economics.base_flops_per_token(shape)
    share = economics.delta_flops_per_token(shape, 16) / base
    assert 0.005 < share < 0.01
    square = economics.lora_params_per_layer(4096, 4096, 16) / 4096**2
    assert square == 2 * 16 / 4096


@given(st.integers(1, 500), st.integers(1, 64))
def test_engines_are_the_smallest_number_that_holds_all(tenants, max_loras):
    engines = economics.engines_needed(tenants, max_loras)
    assert engines * max_loras >= tenants > (engines - 1) * max_loras
    assert economics.gpus_saved(tenants, max_loras) == tenants - engines


LLAMA = model_shape("Llama-2-7B")
BAD = [
    (economics.lora_params_per_layer, (0, 4, 4), ValueError, "in_features"),
    (economics.lora_params_per_layer, (4, 4, -1), ValueError, "rank is -1"),
    (economics.lora_params_per_layer, (4, 4, 1.5), TypeError, "rank is 1.5"),
    (economics.lora_params_per_layer, (4, 4, math.nan), TypeError, "rank"),
    (economics.adapter_bytes, (4096, 0, 16), ValueError, "layers is 0"),
    (economics.adapter_bytes, ("4096", 32, 16), TypeError, "hidden is '4096'"),
    (economics.adapters_per_gib, (4096, 32, 0), ValueError, "rank is 0"),
    (economics.shrink_ratio, (0, 4096, 32, 16), ValueError, "base_params"),
    (economics.gpus_saved, (0, 8), ValueError, "tenants is 0"),
    (economics.gpus_saved, (100, 0), ValueError, "max_loras is 0"),
    (economics.gpus_saved, (True, 8), TypeError, "tenants is True"),
    (economics.kv_bytes_per_token, (LLAMA, 0), ValueError, "kv_cache_dtype"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "arguments", "error", "named"), BAD)
def test_bad_input_is_named(function, arguments, error, named):
    with pytest.raises(error, match=named):
        function(*arguments)
