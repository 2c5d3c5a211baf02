"""What vLLM's own classes make of one config."""

import contextlib
import json
import tempfile
import traceback
from pathlib import Path

import torch
from torch.testing._internal.distributed.fake_pg import FakeStore
from vllm.config import set_current_vllm_config
from vllm.distributed import parallel_state
from vllm.engine.arg_utils import EngineArgs
from vllm.model_executor.model_loader.utils import initialize_model
from vllm.model_executor.models import ModelRegistry
from vllm.model_executor.models.interfaces import supports_lora
from vllm.usage.usage_lib import UsageContext
from vllm.utils.torch_utils import set_default_torch_dtype

from vllm_on_meta import kv, slots, weights
from vllm_on_meta.device import OnMeta

OURS = {
    "name": None,
    "keep_quantization": True,
    "rank": 0,
    "available_bytes": (16 << 30, 1 << 40),  # the second holds any request
}
DEFAULTS = {
    "dtype": "bfloat16",
    "enforce_eager": True,
    "load_format": "dummy",
    "skip_tokenizer_init": True,
}
LORA = {"enable_lora": True, "max_loras": 2, "max_lora_rank": 8}
REFUSALS = (  # vLLM's own words when it does not serve a config
    "is not supported anymore",
    "is no longer supported",
    "is not supported for this model",
    "Unknown quantization method",
    "Number of experts in the model must be greater than 0",
)


def answer(case, folder):
    """Return the answers for {"config": dict, option: value}.

    See vllm_models.ask for the options and for what is answered.
    """
    options = OURS | case
    config = dict(options.pop("config"))
    config = config.get("config", config)
    ours = {name: options.pop(name) for name in OURS}
    if not ours["keep_quantization"]:
        _drop_quantization(config)
    result = {"name": ours["name"], "error": None, "refused": None}
    with tempfile.TemporaryDirectory(dir=folder) as model:
        Path(model, "config.json").write_text(json.dumps(config))
        try:
            result |= _class_of(model, options)
            lora = result["supports_lora"]
            vllm_config = vllm_config_of(model, options, lora)
            result["engine"] = _engine(vllm_config)
            with set_current_vllm_config(vllm_config):
                _ask_model(vllm_config, ours, lora, result)
        except Exception as error:
            if any(words in str(error) for words in REFUSALS):
                return result | {"refused": str(error)}
            result["error"] = traceback.format_exc()
    return result


def _drop_quantization(config):
    nested = (value for value in config.values() if isinstance(value, dict))
    for part in (config, *nested):
        part.pop("quantization_config", None)


def _class_of(model, options):
    """Return the class that serves the model, and if it takes adapters."""
    config = _engine_args(model, options, lora=False).create_model_config()
    cls, architecture = ModelRegistry.resolve_model_cls(
        config.architectures, model_config=config
    )
    return {
        "architecture": architecture,
        "class": cls.__name__,
        "supports_lora": supports_lora(cls),
    }


def vllm_config_of(model, options, lora):
    """Return the VllmConfig that `vllm serve` would have."""
    return _engine_args(model, options, lora).create_engine_config(
        UsageContext.OPENAI_API_SERVER
    )


def _engine_args(model, options, lora):
    arguments = DEFAULTS | (LORA if lora else {}) | options
    if not lora:
        arguments = {
            name: value
            for name, value in arguments.items()
            if "lora" not in name
        }
    return EngineArgs(model=model, **arguments)


def _engine(vllm_config):
    model, cache = vllm_config.model_config, vllm_config.cache_config
    scheduler = vllm_config.scheduler_config
    return {
        "dtype": model.dtype,
        "quantization": model.quantization,
        "max_model_len": model.max_model_len,
        "max_num_batched_tokens": scheduler.max_num_batched_tokens,
        "max_num_seqs": scheduler.max_num_seqs,
        "kv_cache_dtype": cache.cache_dtype,
        "enable_prefix_caching": cache.enable_prefix_caching,
    }


def _ask_model(vllm_config, ours, lora, result):
    """Build the model; add what it says to the result, a step at a time."""
    dtype = vllm_config.model_config.dtype
    model = built(vllm_config, ours["rank"])
    result["class"] = type(model).__name__
    result |= _declared(model)
    result["weights"] = weights.parameters(model)
    result["buffers"] = weights.buffers(model)
    result["after_loading"] = weights.finish(model, dtype)
    with _noting(result, "kv"):
        result["kv"] = kv.kv(vllm_config, ours["available_bytes"])
    if lora:
        with _noting(result, "slots"):
            result["slots"] = slots.slots(vllm_config, model)


def built(vllm_config, rank=0):
    """Return vLLM's model of one rank, on the meta device."""
    _start_rank(vllm_config.parallel_config, rank)
    dtype = vllm_config.model_config.dtype
    with set_default_torch_dtype(dtype), torch.device("meta"), OnMeta():
        return initialize_model(vllm_config)


def _declared(model):
    """Return what the class declares for LoRA and for loading."""
    names = (
        "packed_modules_mapping",
        "embedding_modules",
        "is_3d_moe_weight",
        "is_non_gated_moe",
        "lora_skip_prefixes",
    )
    mapper = getattr(model, "hf_to_vllm_mapper", None)
    mapped = {
        kind: {str(old): new for old, new in value.items()}
        for kind, value in (vars(mapper) if mapper else {}).items()
        if isinstance(value, dict) and value
    }
    found = {name: getattr(model, name, None) for name in names}
    return found | {"hf_to_vllm_mapper": mapped}


@contextlib.contextmanager
def _noting(result, what):
    """Keep the other answers if this one fails."""
    try:
        yield
    except Exception:
        result["error"] = (result["error"] or "") + traceback.format_exc()
        result[what] = None


def _start_rank(parallel, rank):
    """Be this rank, in a world of that size with nobody else in it."""
    world = parallel.world_size
    torch.distributed.init_process_group(
        "fake", rank=rank, world_size=world, store=FakeStore()
    )
    parallel.rank = rank
    parallel_state.init_distributed_environment(
        world, rank, "fake://", rank, "fake"
    )
    parallel_state.initialize_model_parallel(
        parallel.tensor_parallel_size, parallel.pipeline_parallel_size
    )
