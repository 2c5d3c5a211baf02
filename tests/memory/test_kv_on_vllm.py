"""KV pools are those that vLLM's own functions make of the same layers."""

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kv_shapes import kept
from multilora.memory.kv import kv_bytes_per_request, kv_pool
from multilora.models.layers import Cache

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore")]

HEADS = st.sampled_from([(1, 64), (2, 64), (3, 64), (4, 32), (2, 128)])
ATTENTION = st.one_of(
    st.builds(lambda h: Cache("full", *h), HEADS),
    st.builds(
        lambda h, window: Cache("sliding", *h, window=window),
        HEADS,
        st.sampled_from([50, 100, 4096]),
    ),
    st.builds(lambda h: Cache("chunked", *h, window=256), HEADS),
    st.builds(lambda: Cache("full", 2, 64, value_width=32)),
)
LATENT = st.just(Cache("mla", 1, 576))
STATE = st.builds(
    lambda size, more: Cache("state", 0, size, checkpoints=more),
    st.sampled_from([500, 20_000]),
    st.integers(0, 1),
)


def patterns(kinds):
    """Layers as models repeat them: a few kinds, each so many times."""
    runs = st.tuples(kinds, st.integers(1, 7))
    return st.lists(runs, min_size=1, max_size=4).map(
        lambda found: [cache for cache, times in found for _ in range(times)]
    )


LAYERS = st.one_of(
    patterns(ATTENTION),
    patterns(LATENT),
    # Beside a state vLLM counts with one KV width for the whole model, and
    # without attention with states of one size, as in every such model.
    patterns(st.one_of(st.just(Cache("full", 2, 64)), STATE)).filter(
        lambda found: (
            any(cache.kind == "full" for cache in found)
            or len(set(found)) == 1
        )
    ),
)


@pytest.fixture(scope="module")
def vllm():
    from vllm.v1 import kv_cache_interface
    from vllm.v1.core import kv_cache_utils, single_type_kv_cache_manager

    single_type_kv_cache_manager.register_all_kvcache_specs(_engine(1, 1, 0))
    return SimpleNamespace(specs=kv_cache_interface, utils=kv_cache_utils)


def _engine(max_model_len, batched, is_disabled, mode="align"):
    """What the functions read of a VllmConfig, as `vllm serve` has it."""
    from vllm.v1.kv_cache_layout import KVCacheLayout

    return SimpleNamespace(
        scheduler_config=SimpleNamespace(
            disable_hybrid_kv_cache_manager=is_disabled
        ),
        attention_config=SimpleNamespace(hisparse_config=None),
        cache_config=SimpleNamespace(
            get_resolved_kv_cache_layout=lambda: KVCacheLayout.LBNHC,
            num_gpu_blocks_override=None,
            prefix_cache_retention_interval=None,
            mamba_cache_mode=mode,
        ),
        kv_transfer_config=None,
        speculative_config=None,
        model_config=SimpleNamespace(
            max_model_len=max_model_len, original_max_model_len=max_model_len
        ),
        parallel_config=SimpleNamespace(
            decode_context_parallel_size=1, tensor_parallel_size=1
        ),
        num_prefill_lookahead_tokens=0,
        max_in_flight_tokens=2 * batched,
    )


def _specs(vllm, caches, block):
    """vLLM's spec of each layer, as its layers would declare it."""
    import torch

    states = [c.width * 2 for c in caches if c.kind == "state"]
    tokens = [c.num_elements * 2 for c in caches if c.kind != "state"]
    padded = None
    if states and tokens:
        step = block
        while block * tokens[0] < max(states):
            block += step
        padded = block * tokens[0]
    made = {}
    for number, cache in enumerate(caches):
        heads = {
            "block_size": block,
            "num_kv_heads": cache.heads,
            "head_size": cache.width,
            "dtype": torch.bfloat16,
        }
        both = heads | {"head_size_v": cache.value_width or None}
        if cache.kind == "full":
            spec = vllm.specs.FullAttentionSpec(**both)
        elif cache.kind == "sliding":
            spec = vllm.specs.SlidingWindowSpec(
                **both, sliding_window=cache.window
            )
        elif cache.kind == "chunked":
            spec = vllm.specs.ChunkedLocalAttentionSpec(
                **both, attention_chunk_size=cache.window
            )
        elif cache.kind == "mla":
            spec = vllm.specs.MLAAttentionSpec(**heads)
        else:
            spec = vllm.specs.MambaSpec(
                block_size=block,
                shapes=((cache.width,),),
                dtypes=(torch.bfloat16,),
                page_size_padded=padded,
                mamba_cache_mode="align",
                num_prefill_checkpoint_blocks=cache.checkpoints,
            )
        made[f"layers.{number}"] = spec
    return made


@settings(max_examples=300, deadline=None)
@given(
    LAYERS,
    st.integers(10**6, 10**8),
    st.integers(1, 3000),
    st.sampled_from([16, 32]),
    st.integers(1, 300),
    st.booleans(),
)
def test_a_pool_is_vllms(
    vllm, caches, available, longest, block, batched, is_disabled
):
    engine = _engine(longest, batched, is_disabled)
    specs = _specs(vllm, caches, block)
    shape = kept(*[(cache,) for cache in caches])
    options = {
        "max_model_len": longest,
        "block_size": block,
        "max_num_batched_tokens": batched,
        "disable_hybrid_kv_cache_manager": is_disabled,
    }
    try:
        groups = vllm.utils.get_kv_cache_groups(engine, dict(specs))
        vllm.utils.validate_kv_cache_layout(
            engine.cache_config.get_resolved_kv_cache_layout(), groups
        )
    except (NotImplementedError, ValueError):
        with pytest.raises(ValueError, match="shape"):
            kv_pool(shape, available, **options)
        return
    config = vllm.utils.get_kv_cache_config_from_groups(
        engine, groups, available
    )
    tokens, concurrency = vllm.utils.get_kv_cache_capacity(engine, config)
    pool = kv_pool(shape, available, **options)
    assert pool.num_groups == len(groups)
    assert pool.block_bytes == vllm.utils._pool_bytes_per_block(engine, groups)
    assert pool.num_blocks == config.num_blocks
    assert pool.max_concurrency == concurrency
    assert pool.num_tokens == tokens
    needed = vllm.utils._max_memory_usage_bytes_from_groups(engine, groups)
    assert needed == pool.blocks_per_request * pool.block_bytes
    if not is_disabled:
        assert needed == kv_bytes_per_request(
            shape,
            longest,
            block_size=block,
            max_num_batched_tokens=batched,
        )
    assert pool.can_serve_longest == (needed <= available - pool.block_bytes)
