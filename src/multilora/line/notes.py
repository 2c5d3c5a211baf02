"""What a line says that changes memory and is not counted: in sentences."""

from collections.abc import Mapping
from typing import Any

# By vLLM's argument: what it does to a GPU's memory.
_UNCOUNTED = {
    "cpu_offload_gb": "keeps that many GiB of the weights in host memory",
    "offload_group_size": "keeps some layers' weights in host memory",
    "kv_cache_memory_bytes": "sets the KV cache's size itself, and "
    "--gpu-memory-utilization counts no longer",
    "num_gpu_blocks_override": "sets the number of KV blocks itself",
    "speculative_config": "loads a draft beside the model, with KV of its own",
    "spec_model": "loads a draft beside the model, with KV of its own",
    "spec_method": "may load a draft beside the model, with KV of its own",
    "decode_context_parallel_size": "spreads each request's KV over GPUs",
    "prefill_context_parallel_size": "spreads each request's KV over GPUs",
    "enable_eplb": "keeps some experts twice",
    "eplb_config": "may keep some experts twice",
    "enable_tower_connector_lora": "gives the tower's modules slots too",
    "default_mm_loras": "names adapters, which take slots as others do",
    "specialize_active_lora": "captures more CUDA graphs",
    "max_lora_cls_labels": "adds slots for a classifier",
    "enable_moe_shared_loras": "shares slots among experts",
    "enable_mixed_moe_lora_format": "changes how experts' slots are kept",
    "cudagraph_capture_sizes": "changes what the CUDA graphs take",
    "max_cudagraph_capture_size": "changes what the CUDA graphs take",
    "compilation_config": "may change what CUDA graphs and steps take",
    "optimization_level": "may change what CUDA graphs and steps take",
    "block_size": "changes how KV blocks are rounded",
    "disable_hybrid_kv_cache_manager": "counts a window as whole attention",
    "enable_prefix_caching": "changes what a state takes; other models' KV "
    "keeps its size",
    "disable_sliding_window": "ends requests at the window",
    "kv_cache_dtype_skip_layers": "leaves some layers' KV at 16 bits",
    "mamba_cache_dtype": "changes what a state takes",
    "mamba_ssm_cache_dtype": "changes what a state takes",
    "mamba_block_size": "changes what a state takes",
    "mamba_cache_mode": "changes what a state takes",
    "language_model_only": "leaves a tower's weights out",
    "mm_encoder_only": "loads the tower alone",
    "mm_encoder_tp_mode": "keeps the whole tower on each GPU, if it is data",
    "skip_mm_profiling": "does not profile the tower: its peak is taken from "
    "what lies beyond --gpu-memory-utilization",
    "limit_mm_per_prompt": "changes the peak of the tower's profiled step",
    "mm_ipc_gpu_memory_gb": "keeps that many GiB for the tower's input",
    "hf_overrides": "changes the config, which is read here as it is stored",
    "hf_config_path": "takes the config from elsewhere; give it as "
    "--config-json",
    "model_class_overrides": "takes another class for the model",
    "model_impl": "may take another class for the model",
    "load_format": "may read a format of which config.json says nothing",
    "quantization_config": "changes the weights' format",
    "runner": "may serve no text, and so keep no KV",
    "convert": "may serve no text, and so keep no KV",
    "enable_dbo": "cuts a step into two, which changes its peak",
    "ubatch_size": "cuts a step into parts, which changes its peak",
    "kv_transfer_config": "may keep buffers on the GPU",
    "ec_transfer_config": "may keep buffers on the GPU",
    "kv_sharing_fast_prefill": "changes a step's peak",
    "attention_backend": "may take another workspace",
    "enable_return_routed_experts": "keeps a buffer of experts' numbers",
    "enable_prompt_embeds": "may change a step's peak",
    "worker_cls": "runs a worker that is not vLLM's own",
    "additional_config": "goes to a platform's plugin",
}
# Values that are as if the argument were absent, where they are not "off".
_OFF: tuple[Any, ...] = (False, 0, None, "", [])
_AS_ABSENT: dict[str, tuple[Any, ...]] = {
    "enable_prefix_caching": (True,),
    "load_format": ("auto", "safetensors"),
    "runner": ("auto", "generate"),
    "convert": ("auto", "none"),
    "model_impl": ("auto", "vllm"),
    "optimization_level": ("2",),
    "block_size": (16,),
    "decode_context_parallel_size": (1,),
    "prefill_context_parallel_size": (1,),
    "mamba_cache_dtype": ("auto",),
    "mamba_ssm_cache_dtype": ("auto",),
    "mamba_cache_mode": ("none",),
    "mm_encoder_tp_mode": ("weights",),
    "worker_cls": ("auto",),
}
_VARIABLES = {
    "VLLM_MEMORY_PROFILER_ESTIMATE_CUDAGRAPHS": "0 leaves CUDA graphs out of "
    "the KV cache's share",
    "VLLM_USE_V1": "0 takes the engine V0, of which nothing is known here",
    "VLLM_ATTENTION_BACKEND": "another backend may take another workspace",
}


def uncounted(values: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each argument that the ledger does not count.

    values are a line's, by vLLM's names with underscores.
    """
    found = [
        f"--{name.replace('_', '-')} {what}: that is not counted here"
        for name, what in _UNCOUNTED.items()
        if name in values and values[name] not in _AS_ABSENT.get(name, _OFF)
    ]
    if (replicas := values.get("data_parallel_size") or 1) > 1:
        found.append(
            f"--data-parallel-size {replicas}: the answer is for the GPUs of "
            "one replica; with --enable-expert-parallel experts are spread "
            "over all replicas and take less than counted here"
        )
    return found


def uncounted_variables(environment: Mapping[str, str]) -> list[str]:
    """Return a sentence for each variable that the ledger does not count."""
    return [
        f"{name}={environment[name]}: {what}; that is not counted here"
        for name, what in _VARIABLES.items()
        if name in environment
    ]
