"""KV pools of models as vLLM's own classes made them, and by version."""

import pytest

from kv_shapes import kept
from multilora.memory.kv import kv_pool, kv_tokens
from multilora.models.layers import Cache
from multilora.units import GIB

# num_tokens, num_blocks and groups that vLLM 0.32.0 made of these bytes, on
# an H100 as its own classes decide; caches by what the models' layers keep.
GEMMA_3_1B = kept(
    *[(Cache("full" if n % 6 == 5 else "sliding", 1, 256, window=512),)
      for n in range(26)],
    max_position_embeddings=32768,
)  # fmt: skip
GPT_OSS_20B = kept(
    *[(Cache("sliding" if n % 2 == 0 else "full", 8, 64, window=128),)
      for n in range(24)],
    max_position_embeddings=131072,
)  # fmt: skip
MISTRAL_7B = kept(
    *32 * [(Cache("sliding", 8, 128, window=4096),)],
    max_position_embeddings=32768,
)
DEEPSEEK_V3 = kept(
    *61 * [(Cache("mla", 1, 576),)], max_position_embeddings=163840
)
DELTA_NET = Cache("state", 0, 3 * 8192), Cache("state", 0, 32 * 128 * 128)
QWEN3_NEXT = kept(
    *12 * [DELTA_NET, DELTA_NET, DELTA_NET, (Cache("full", 2, 256),)],
    max_position_embeddings=32768,
)
VLLM = [
    (GEMMA_3_1B, 1_023_830, 262_144, 7),
    (GPT_OSS_20B, 620_762, 43_690, 2),
    (MISTRAL_7B, 209_551, 8_192, 1),
    (DEEPSEEK_V3, 244_464, 15_279, 1),
    (QWEN3_NEXT, 628_460, 1_285, 4),
]


@pytest.mark.parametrize(("shape", "tokens", "blocks", "groups"), VLLM)
def test_a_pool_of_16_gib_is_vllms(shape, tokens, blocks, groups):
    pool = kv_pool(shape, 16 * GIB)
    assert (pool.num_tokens, pool.num_blocks) == (tokens, blocks)
    assert pool.num_groups == groups
    assert pool.can_serve_longest


def test_a_state_makes_blocks_of_more_tokens():
    pool = kv_pool(QWEN3_NEXT, 16 * GIB)
    # 1,097,728 bytes of state against 2,048 of a token: 536 tokens, in
    # blocks of 16 tokens 544.
    assert pool.block_size == 544
    assert pool.blocks_per_request == 3 * 2 + 61


def mamba_2(attention, conv, groups, sums):
    return (
        *attention,
        Cache("state", 0, conv, checkpoints=1),
        Cache("state", *groups, checkpoints=1),
        sums,
    )


ONE_GROUP = mamba_2(
    [Cache("full", 2, 64)],
    3 * 1024,
    (1, 3 * 2 * 128),
    Cache("state", 0, 16 * 64 * 128),
)
EIGHT_GROUPS = mamba_2(
    [],
    3 * 2048,
    (8, 3 * 2 * 128),
    Cache("state", 0, 32 * 64 * 128, element_bytes=4),
)
FALCON_H1 = kept(*4 * [ONE_GROUP], max_position_embeddings=8192)
NEMOTRON_H = kept(
    *3 * [EIGHT_GROUPS], (Cache("full", 2, 128),), max_position_embeddings=8192
)


@pytest.mark.parametrize(
    ("shape", "gpus", "block", "tokens"),
    [
        (FALCON_H1, 1, 528, 6_849_805),
        (FALCON_H1, 2, 544, 13_296_909),
        (NEMOTRON_H, 1, 1056, 7_655_664),
        (NEMOTRON_H, 2, 1056, 15_311_811),
    ],
)
def test_a_small_mamba_2_model_is_vllms(shape, gpus, block, tokens):
    """Also recorded from vLLM 0.32.0: layers of both kinds, or of one."""
    pool = kv_pool(shape, 16 * GIB + 12345, tensor_parallel_size=gpus)
    assert (pool.block_size, pool.num_tokens) == (block, tokens)


def test_without_prefix_caching_a_state_has_one_block():
    pool = kv_pool(QWEN3_NEXT, 3 * GIB, enable_prefix_caching=False)
    assert pool.blocks_per_request == 3 * 1 + 61


def test_latents_in_8_bits_have_blocks_of_64_tokens():
    # 4 layers of DeepSeek-V3 in 3 GiB, as vLLM 0.32.0 logs it.
    shape = kept(*4 * [(Cache("mla", 1, 576),)],
                 max_position_embeddings=163840)  # fmt: skip
    pool = kv_pool(shape, 3 * GIB, kv_cache_dtype="fp8")
    assert (pool.block_size, pool.num_tokens) == (64, 1_398_080)


VERSIONS = [
    ("0.7.0", 2**30 // (26 * 16384) * 16),
    ("0.9.0", 2**30 // (26 * 16384) * 16),
    ("0.9.1", 2**30 // (4 * 16384) // 7 * 16),
    ("0.20.0", 2**30 // (4 * 16384) // 7 * 16),
    ("0.20.1", int(16384 / (6 * (544 + 1) + 2048) * 32768)),
    ("0.26.0", int(16384 / (6 * (1056 + 1) + 2048) * 32768)),
]


@pytest.mark.parametrize(("version", "tokens"), VERSIONS)
def test_versions_count_the_same_gib_of_gemma_3_1b(version, tokens):
    """Worked by hand from each version's get_kv_cache_config and log."""
    assert kv_tokens(GEMMA_3_1B, GIB, vllm_version=version) == tokens
