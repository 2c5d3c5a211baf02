"""KV by layer type: hand-worked pools, plain loops, vLLM's own numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kv_shapes import CHUNKED, FULL, LATENT, SLIDING, STATE, kept
from multilora.memory.economics import kv_bytes_per_token as in_the_bill
from multilora.memory.kv import (
    kv_bytes_per_request,
    kv_bytes_per_token,
    kv_pool,
    kv_tokens,
)
from multilora.models.layers import Cache
from multilora.models.shipped import model_shape
from multilora.units import GIB

LLAMA = model_shape("Llama-3.1-8B")


def test_the_bill_counts_tokens_as_the_pool_does():
    assert in_the_bill is kv_bytes_per_token
    assert kv_bytes_per_token(LLAMA) == 128 * 1024
    assert kv_bytes_per_token(LLAMA, "fp8") == 64 * 1024
    assert (
        kv_bytes_per_token(kept(*61 * [(Cache("mla", 1, 576),)])) == 61 * 1152
    )
    assert kv_bytes_per_token(kept(FULL, STATE)) == 512
    assert kv_bytes_per_token(kept((Cache("full", 2, 64, 32),))) == 384


def test_gpus_share_kv_heads_and_repeat_the_last_one():
    halves = [kv_bytes_per_token(LLAMA, "auto", n) for n in (1, 2, 8, 16)]
    assert halves == [131072, 65536, 16384, 16384]
    assert kv_bytes_per_token(kept(LATENT), "auto", 8) == 512


def test_a_state_in_groups_is_cut_by_whole_groups():
    def block_bytes(cache, gpus):
        shape = kept((cache,))
        return kv_pool(shape, GIB, tensor_parallel_size=gpus).block_bytes

    assert block_bytes(Cache("state", 0, 1000), 4) == 500
    assert block_bytes(Cache("state", 8, 100), 4) == 400
    assert block_bytes(Cache("state", 1, 100), 4) == 200


def test_a_shorter_last_group_leaves_padding():
    pool = kv_pool(kept(FULL, FULL, *3 * [SLIDING]), GIB, 16)
    assert pool.num_groups == 3
    # 5 layers in 3 groups of 2; each group has 1 or 2 blocks of a request.
    assert pool.blocks_per_request == 1 + 2 + 2
    assert pool.padding_share == pytest.approx(2 / 10)
    even = kv_pool(kept(FULL, *2 * [SLIDING]), GIB)
    assert even.padding_share == 0


def test_kinds_of_nearly_as_many_layers_share_the_longer_length():
    four_three = kept(*4 * [SLIDING], *3 * [FULL])
    assert kv_pool(four_three, GIB).num_groups == 2
    assert kv_pool(four_three, GIB, vllm_version="0.17.1").num_groups == 3
    five_two = kept(*5 * [SLIDING], *2 * [FULL])
    assert kv_pool(five_two, GIB).num_groups == 4


def test_a_smaller_page_takes_more_tokens_or_is_filled_up():
    wide = (Cache("full", 2, 128),)
    pool = kv_pool(kept(wide, SLIDING), GIB)
    assert (pool.block_bytes, pool.padding_share) == (16 * 1024, 0)
    odd = (Cache("full", 3, 64),)
    pool = kv_pool(kept(odd, SLIDING), GIB)
    assert pool.block_bytes == 16 * 768
    assert pool.padding_share > 0
    for version in ("0.11.0", "0.23.0"):
        with pytest.raises(ValueError, match="cannot make equal"):
            kv_pool(kept(odd, SLIDING), GIB, vllm_version=version)


def test_without_the_hybrid_manager_windows_count_as_whole():
    shape = kept(FULL, SLIDING, max_position_embeddings=100_000)
    whole = kv_pool(shape, GIB, disable_hybrid_kv_cache_manager=True)
    assert whole.num_groups == 1
    assert whole.num_tokens == GIB // (16 * 1024) * 16
    assert kv_tokens(shape, GIB) > whole.num_tokens


def test_chunks_are_groups_from_0_14_on():
    def groups(version):
        shape = kept(FULL, *3 * [CHUNKED])
        return kv_pool(shape, GIB, vllm_version=version).num_groups

    assert groups("0.13.0") == groups("0.10.1.1") == groups("0.9.2") == 1
    assert groups("0.10.0") == groups("0.14.0") == groups("0.32.0") == 4


def test_states_have_a_rule_from_0_20_1_to_0_32():
    def needed(version, checkpoints=0):
        state = (Cache("state", 0, 8000, checkpoints=checkpoints),)
        pool = kv_pool(kept(FULL, state), GIB, 48, vllm_version=version)
        return pool.blocks_per_request

    assert [needed(v) for v in ("0.20.1", "0.28.0", "0.32.0")] == [3, 4, 4]
    assert [needed(v, 1) for v in ("0.28.0", "0.32.0")] == [4, 5]
    for version in ("0.20.0", "0.33.0"):
        with pytest.raises(ValueError, match="layers with a state"):
            needed(version)


@given(
    st.integers(1, 200),
    st.integers(1, 60),
    st.integers(1, 400),
    st.sampled_from([16, 32]),
)
def test_a_window_has_room_for_what_it_ever_holds(
    window, batched, tokens, block
):
    """A plain loop over a request's tokens; at most one block to spare."""
    under_way = 2 * batched
    most = 0
    for done in range(tokens):
        first = max(0, done - (window - 1))
        end = min(tokens, done + under_way)
        most = max(most, len({at // block for at in range(first, end)}))
    shape = kept((Cache("sliding", 2, 64, window=window),))
    held = kv_bytes_per_request(
        shape, tokens, block_size=block, max_num_batched_tokens=batched
    )
    assert held // (512 * block) - most in (0, 1)


@given(st.lists(st.sampled_from([FULL, SLIDING, CHUNKED, LATENT, STATE]),
                min_size=1, max_size=12),
       st.integers(1, 4000), st.integers(1, 4000))  # fmt: skip
def test_a_longer_request_never_holds_less(layers, some, more):
    shape = kept(*layers)
    sizes = [
        kv_bytes_per_request(shape, tokens, max_num_batched_tokens=64)
        for tokens in (some, some + more, 10**6, 10**6 + 10_000)
    ]
    assert sizes == sorted(sizes)
    grows = FULL in layers or LATENT in layers
    assert (sizes[-1] > sizes[-2]) == grows


@given(st.integers(1, 5), st.integers(0, 2**24), st.integers(1, 3000))
def test_a_pool_holds_as_many_longest_requests_as_a_loop_admits(
    num_layers, available, longest
):
    pool = kv_pool(kept(*num_layers * [FULL]), available, longest)
    free, admitted = pool.num_blocks, 0
    while free >= pool.blocks_per_request:
        free -= pool.blocks_per_request
        admitted += 1
    assert int(pool.max_concurrency) == admitted
    assert pool.num_blocks * pool.block_bytes <= available
    assert pool.num_tokens <= pool.max_concurrency * longest


BAD = [
    ({"kv_bytes": -1}, "kv_bytes is -1"),
    ({"max_model_len": 0}, "max_model_len is 0"),
    ({"kv_cache_dtype": "int3"}, "kv_cache_dtype is 'int3'"),
    ({"tensor_parallel_size": 3}, "tensor_parallel_size is 3"),
    ({"block_size": 24}, "block_size is 24"),
    ({"block_size": 0}, "block_size is 0"),
    ({"enable_prefix_caching": 1.5}, "enable_prefix_caching is 1.5"),
    ({"max_num_batched_tokens": 0}, "max_num_batched_tokens is 0"),
    ({"vllm_version": "0.6.6"}, "vllm_version is '0.6.6'"),
    ({"vllm_version": "0.34.0"}, "from 0.7.0 to 0.33.0"),
    ({"vllm_version": "newest"}, "vllm_version is 'newest'"),
]


@pytest.mark.parametrize(("wrong", "named"), BAD)
def test_bad_input_is_named(wrong, named):
    with pytest.raises(ValueError, match=named):
        kv_pool(LLAMA, **{"kv_bytes": GIB} | wrong)


def test_bad_models_and_requests_are_named():
    with pytest.raises(ValueError, match="num_tokens is 0"):
        kv_bytes_per_request(LLAMA, 0)
    with pytest.raises(ValueError, match="no layer that keeps"):
        kv_tokens(kept(()), GIB)
    with pytest.raises(ValueError, match="give max_model_len"):
        kv_tokens(kept(FULL, max_position_embeddings=0), GIB)
    with pytest.raises(ValueError, match="3 KV heads"):
        kv_bytes_per_token(kept((Cache("full", 3, 64),)), "auto", 2)
    with pytest.raises(ValueError, match="7 elements of a state"):
        kv_tokens(kept((Cache("state", 0, 7),)), 1, tensor_parallel_size=2)
