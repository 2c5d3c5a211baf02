"""What vLLM's own loader does with adapters, on a base without weights."""

import json
import tempfile
from pathlib import Path

import torch
from vllm.config import set_current_vllm_config
from vllm.lora import lora_model, lora_weights, model_manager
from vllm.lora.model_manager import LoRAModelManager
from vllm.lora.request import LoRARequest
from vllm.lora.worker_manager import WorkerLoRAManager

from vllm_on_meta.answers import built, vllm_config_of
from vllm_on_meta.weights import finish


def answer(case, folder):
    """Return {"folders": what it does with each adapter}."""
    options = {"max_lora_rank": case.get("max_lora_rank", 64), "max_loras": 1}
    with tempfile.TemporaryDirectory(dir=folder) as model_folder:
        Path(model_folder, "config.json").write_text(
            json.dumps(case["config"])
        )
        config = vllm_config_of(model_folder, options, lora=True)
        with set_current_vllm_config(config):
            model = built(config)
            finish(model, config.model_config.dtype)
            return {"folders": _load_all(config, model, case["folders"])}


def _load_all(config, model, folders):
    for module in (lora_model, lora_weights, model_manager):
        module.PIN_MEMORY = False  # pinning asks for the GPU
    worker = WorkerLoRAManager(config, torch.device("meta"), {})
    scheduler = config.scheduler_config
    worker._adapter_manager = LoRAModelManager(
        model,
        scheduler.max_num_seqs,
        scheduler.max_num_batched_tokens,
        worker.vocab_size,
        config.lora_config,
        torch.device("meta"),
        config,
    )
    return [
        _load(worker, number, folder)
        for number, folder in enumerate(folders, start=1)
    ]


def _load(worker, number, folder):
    manager = worker._adapter_manager
    manager.remove_all_adapters()
    request = LoRARequest(f"adapter-{number}", number, str(folder))
    try:
        lora = worker._load_adapter(request)
        modules = {
            name: _is_applied(manager, lora, name) for name in lora.loras
        }
        scalings = {name: lora.loras[name].scaling for name in lora.loras}
        manager.add_adapter(lora)
        manager.activate_adapter(lora.id)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:2000]}
    return {"error": None, "modules": modules, "scalings": scalings}


def _is_applied(manager, lora, name):
    """Whether a module is one of vLLM's with slots, or is packed in one.

    The experts' gate_up_proj, "base_layer", goes in with their down_proj.
    """
    packed = {
        part for parts in manager.packed_modules.values() for part in parts
    }
    if name.endswith(".experts.base_layer"):
        name = name.removesuffix(".base_layer")
        return name in manager.modules and name in lora.loras
    return name in manager.modules or name in packed
