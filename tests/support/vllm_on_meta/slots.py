"""The slots that vLLM's own LoRAModelManager allocates for a model."""

import torch
from vllm.lora.model_manager import LoRAModelManager

STACKED = "lora_a_stacked", "lora_b_stacked"
MOE_STACKED = tuple(
    f"{weight}_lora_{side}_stacked"
    for weight in ("w13", "w2")
    for side in "ab"
)


def slots(vllm_config, model):
    """Return what the manager allocates, by module, and its sum in bytes."""
    scheduler = vllm_config.scheduler_config
    manager = LoRAModelManager(
        model,
        scheduler.max_num_seqs,
        scheduler.max_num_batched_tokens,
        vllm_config.model_config.get_vocab_size(),
        vllm_config.lora_config,
        torch.device("meta"),
        vllm_config,
    )
    modules = {}
    for name, module in manager.modules.items():
        tensors = _stacked(module)
        modules[name] = [
            type(module).__name__,
            sum(tensor.nbytes for tensor in tensors),
            [list(tensor.shape) for tensor in tensors],
        ]
    return {
        "bytes": sum(entry[1] for entry in modules.values()),
        "num_modules": len(modules),
        "modules": modules,
        "packed_modules_mapping": manager.packed_modules_mapping,
        "is_3d_moe": manager._is_3d_moe_model,
        "is_non_gated_moe": manager._is_non_gated_moe,
    }


def _stacked(module):
    names = MOE_STACKED if hasattr(module, MOE_STACKED[0]) else STACKED
    tensors = []
    for name in names:
        value = getattr(module, name)
        tensors += [value] if isinstance(value, torch.Tensor) else value
    return tensors
