"""The cascade on vLLM's own classes, with nothing of this book: a witness.

    python cascade_on_vllm.py MODEL ADAPTER [--residents-first]

MODEL is a folder with a config.json, ADAPTER a PEFT folder that fits it.
Prints how many adapters are copied into slots when four slots hold 1, 2, 3,
4 and a step needs 1, 2, 3, 5, for three orders of the step. For vLLM 0.32.0
on a CPU; model weights are random, only LoRA slots matter.
"""

import argparse
import tempfile

import torch
from vllm.config import set_current_vllm_config
from vllm.distributed import parallel_state
from vllm.engine.arg_utils import EngineArgs
from vllm.lora.request import LoRARequest
from vllm.lora.worker_manager import LRUCacheWorkerLoRAManager
from vllm.model_executor.model_loader import get_model
from vllm.v1.worker import cpu_model_runner

ORDERS = ((1, 2, 3, 5), (1, 5, 2, 3), (5, 1, 2, 3))


class ResidentsFirst(LRUCacheWorkerLoRAManager):
    """The change: slots first, then CPU copies, then what is on disk."""

    def _apply_adapters(self, lora_requests):
        slots = self._adapter_manager._active_adapters
        copies = self._adapter_manager._registered_adapters
        super()._apply_adapters(
            sorted(
                lora_requests,
                key=lambda request: (
                    (request.lora_int_id not in slots)
                    + (request.lora_int_id not in copies)
                ),
            )
        )


def start(model, manager_class):
    """Return a LoRA worker manager of four slots and nine CPU copies."""
    config = EngineArgs(
        model=model, load_format="dummy", skip_tokenizer_init=True,
        enable_lora=True, max_loras=4, max_cpu_loras=9, max_lora_rank=64,
        enforce_eager=True, max_model_len=64,
    ).create_engine_config()  # fmt: skip
    cpu_model_runner._set_torch_accelerator_to_noop()
    with set_current_vllm_config(config):
        if not parallel_state.model_parallel_is_initialized():
            rendezvous = f"file://{tempfile.mkdtemp()}/rendezvous"
            parallel_state.init_distributed_environment(
                1, 0, rendezvous, 0, "gloo"
            )
            parallel_state.ensure_model_parallel_initialized(1, 1)
        model = get_model(vllm_config=config)
        manager = manager_class(
            config, torch.device("cpu"), model.embedding_modules
        )
        manager.create_lora_manager(model, config)
    return manager


def num_loads(manager, adapter, order):
    """Return how often an adapter is copied into a slot for one step."""
    requests = {
        number: LoRARequest(f"adapter-{number}", number, adapter)
        for number in (1, 2, 3, 4, 5)
    }
    for number in (1, 2, 3, 4):
        manager._apply_adapters([requests[number]])
    slots, loads = manager._adapter_manager, 0
    activate = slots.activate_adapter

    def counted(lora_id):
        nonlocal loads
        loads += lora_id not in slots._active_adapters
        return activate(lora_id)

    slots.activate_adapter = counted
    manager._apply_adapters([requests[number] for number in order])
    slots.activate_adapter = activate
    return loads


def main():
    """Print the loads of each order."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("adapter")
    parser.add_argument("--residents-first", action="store_true")
    options = parser.parse_args()
    kind = LRUCacheWorkerLoRAManager
    if options.residents_first:
        kind = ResidentsFirst
    for order in ORDERS:
        manager = start(options.model, kind)
        print(*order, "->", num_loads(manager, options.adapter, order))


if __name__ == "__main__":
    main()
