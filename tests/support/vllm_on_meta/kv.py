"""The KV cache that vLLM plans for a model, and would log."""

from dataclasses import fields
from types import SimpleNamespace

from vllm.config import get_layers_from_vllm_config
from vllm.distributed.kv_transfer.kv_connector.utils import (
    get_current_attn_backends,
)
from vllm.model_executor.layers.attention_layer_base import AttentionLayerBase
from vllm.platforms import current_platform
from vllm.v1.attention.backends.utils import (
    get_supported_kv_cache_layouts,
    resolve_kv_cache_layout,
)
from vllm.v1.core import kv_cache_utils
from vllm.v1.core.single_type_kv_cache_manager import (
    register_all_kvcache_specs,
)
from vllm.v1.worker.gpu_model_runner import GPUModelRunner


def kv(vllm_config, available):
    """Return each layer's spec, the groups, and tokens per available bytes.

    The steps are the engine core's (EngineCore._initialize_kv_caches), in its
    order. Available is a list of bytes for a rank's blocks.
    """
    register_all_kvcache_specs(vllm_config)
    current_platform.update_block_size_for_backend(vllm_config)
    specs, layout = _specs(vllm_config)
    cache = vllm_config.cache_config
    names = (
        "block_size",
        "mamba_block_size",
        "mamba_page_size_padded",
        "mamba_cache_mode",
    )
    layers = get_layers_from_vllm_config(vllm_config, AttentionLayerBase)
    return {name: getattr(cache, name) for name in names} | {
        "layout": layout.name,
        "max_in_flight_tokens": vllm_config.max_in_flight_tokens,
        "layers": {
            name: _layer(layer, specs.get(name))
            for name, layer in layers.items()
        },
        "capacity": [
            _capacity(vllm_config, specs, amount) for amount in available
        ],
    }


def _specs(vllm_config):
    runner = SimpleNamespace(
        vllm_config=vllm_config, shared_kv_cache_layers={}
    )
    specs = GPUModelRunner.get_kv_cache_spec(runner)
    layouts = get_supported_kv_cache_layouts(
        get_current_attn_backends(vllm_config)
    )
    layout = resolve_kv_cache_layout(
        vllm_config, [[layout.name for layout in layouts]], specs.values()
    )
    return specs, layout


def _layer(layer, spec):
    found = {
        "backend": layer.get_attn_backend().get_name(),
        "shared_with": getattr(layer, "kv_sharing_target_layer_name", None),
    }
    if spec:
        found["kind"] = type(spec).__name__
        found["page_bytes"] = spec.page_size_bytes
        found |= {one.name: getattr(spec, one.name) for one in fields(spec)}
    return found


def _capacity(vllm_config, specs, amount):
    """Return how many tokens fit; vLLM refuses less than one request."""
    try:
        (config,) = kv_cache_utils.get_kv_cache_configs(
            vllm_config, [dict(specs)], [amount]
        )
    except ValueError as error:
        return {"available_bytes": amount, "refused": str(error)}
    tokens, requests = kv_cache_utils.get_kv_cache_capacity(
        vllm_config, config
    )
    return {
        "available_bytes": amount,
        "num_blocks": config.num_blocks,
        "bytes_per_block": kv_cache_utils._pool_bytes_per_block(
            vllm_config, config.kv_cache_groups
        ),
        "tokens": tokens,
        "max_concurrency": requests,
        "groups": [_group(group) for group in config.kv_cache_groups],
    }


def _group(group):
    spec = group.kv_cache_spec
    return {
        "kind": type(spec).__name__,
        "block_size": spec.block_size,
        "page_bytes": spec.page_size_bytes,
        "layers": list(group.layer_names),
    }
