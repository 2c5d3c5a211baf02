"""What vLLM's own loader does with an adapter, on a base without weights.

`load(cases)` asks; run as a program it answers, in the engine's process.
"""

import json
import os
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

from repository import ROOT


def load(cases, timeout=600):
    """Return, for each case, what vLLM does with each of its adapters.

    A case is {"config": a config.json as a dict, "folders": paths,
    "max_lora_rank": 64}. An answer is {"error": None or vLLM's sentence,
    "modules": {vLLM's name of a module in the file: whether it is applied},
    "scalings": {name: scale}} for each folder; a base that vLLM does not
    build gives {"error": its traceback} instead.
    """
    with tempfile.TemporaryDirectory() as folder:
        questions, answers = Path(folder, "q.json"), Path(folder, "a.json")
        questions.write_text(json.dumps(cases, default=str))
        run = subprocess.run(
            [_engine_python(), __file__, questions, answers],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if not answers.exists():
            raise RuntimeError(f"vLLM's process ended: {run.stderr[-3000:]}")
        return json.loads(answers.read_text())


def _engine_python():
    from importlib.util import find_spec

    if find_spec("vllm"):
        return sys.executable
    return str(ROOT / ".venv-engine/bin/python")


def main(questions, answers):
    """Answer each case in a fork, so that no state of vLLM's is shared."""
    from vllm_on_meta.gpu import pretend

    cases = json.loads(Path(questions).read_text())
    pretend("H100")
    from vllm_on_meta import answers as vllm_answers  # vLLM, for all forks
    from vllm_on_meta.configs import register

    register()
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for number, case in enumerate(cases):
            path = Path(folder, f"{number}.json")
            if not (child := os.fork()):
                _child(vllm_answers, case, path)
            _, status = os.waitpid(child, 0)
            died = {"error": f"the process ended with status {status}"}
            done = path.exists()
            found.append(json.loads(path.read_text()) if done else died)
    Path(answers).write_text(json.dumps(found))


def _child(vllm_answers, case, path):
    try:
        path.write_text(json.dumps(_answer(vllm_answers, case), default=str))
    except BaseException:
        path.write_text(json.dumps({"error": traceback.format_exc()}))
    finally:
        os._exit(0)


def _answer(vllm_answers, case):
    import torch
    from vllm.config import set_current_vllm_config
    from vllm.model_executor.model_loader.utils import initialize_model
    from vllm.utils.torch_utils import set_default_torch_dtype

    from vllm_on_meta.device import OnMeta
    from vllm_on_meta.weights import finish

    options = {"max_lora_rank": case.get("max_lora_rank", 64), "max_loras": 1}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "config.json").write_text(json.dumps(case["config"]))
        config = vllm_answers.vllm_config_of(folder, options, lora=True)
        with set_current_vllm_config(config):
            vllm_answers.start_rank(config.parallel_config, 0)
            dtype = config.model_config.dtype
            with (
                set_default_torch_dtype(dtype),
                torch.device("meta"),
                OnMeta(),
            ):
                model = initialize_model(config)
            finish(model, dtype)
            return _load_all(config, model, case["folders"])


def _load_all(config, model, folders):
    import torch
    from vllm.lora import lora_model, lora_weights, model_manager
    from vllm.lora.model_manager import LoRAModelManager
    from vllm.lora.worker_manager import WorkerLoRAManager

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
    from vllm.lora.request import LoRARequest

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


if __name__ == "__main__":
    main(*sys.argv[1:])
