"""Start vLLM with LoRA on whatever this machine has."""

from pathlib import Path

from multilora.adapters import checkpoints
from multilora.arguments import choice, integer, shown
from multilora.engine import quiet
from multilora.engine.guard import without_last_slot
from multilora.engine.running import Engine
from multilora.models.shapes import ModelShape
from multilora.models.versions import DEFAULT_VERSION, nearest_rule
from multilora.units import MIB

DTYPES = ("float32", "float16", "bfloat16")
MAX_COUNT = 4096
# One process, and these are ours to set.
_OURS = {"enable_lora", "kv_cache_memory_bytes", "tensor_parallel_size"}
KV_CACHE_BYTES = 16 * MIB


def start(
    model: str | Path,
    max_loras: int | None = 2,
    max_lora_rank: int = 16,
    max_cpu_loras: int | None = None,
    dtype: str | None = None,
    kv_cache_bytes: int | None = KV_CACHE_BYTES,
    max_model_len: int = 256,
    max_num_seqs: int = 256,
    guard_base_rows: bool = True,
    **options: object,
) -> Engine:
    """Return a running Engine on a model's folder, quiet and in-process.

    max_loras None starts without LoRA. dtype None is float32 on a CPU, and
    on CUDA what the card has: bfloat16, or float16 on older ones. A GPU
    gets kv_cache_bytes too; None lets vLLM fill the memory. On the CPU
    build guard_base_rows keeps one more slot than max_loras, which no
    adapter can enter, because that build hands base rows the last slot's
    adapter (vLLM pull request 48421). options go to vllm.LLM.
    Raises EngineUnavailableError without vLLM, CheckpointError for a folder
    without weights, ValueError or TypeError for an argument that is wrong,
    MemoryError when the machine has too little memory.
    """
    _check_model(model, options.get("load_format") != "dummy")
    check_slots(max_loras, max_lora_rank, max_cpu_loras)
    integer("max_num_seqs", max_num_seqs, 1, MAX_COUNT)
    choice("guard_base_rows", guard_base_rows, (True, False))
    for name in _OURS & options.keys():
        raise TypeError(f"{name} cannot be given: start sets it itself")
    max_model_len = integer("max_model_len", max_model_len, minimum=2)
    if dtype is not None:
        choice("dtype", dtype, DTYPES)
    if kv_cache_bytes is not None:
        integer("kv_cache_bytes", kv_cache_bytes, minimum=MIB)
    vllm = quiet.prepare()
    on_cuda = quiet.has_cuda()
    if kv_cache_bytes is not None:
        options["kv_cache_memory_bytes"] = kv_cache_bytes
    num_spare = int(guard_base_rows and not on_cuda and bool(max_loras))
    if max_loras is not None:
        options |= {
            "enable_lora": True,
            "max_loras": max_loras + num_spare,
            "max_lora_rank": max_lora_rank,
            "max_cpu_loras": (max_cpu_loras or max_loras) + num_spare,
        }
    defaults = {
        "enforce_eager": True,  # no compilation: it starts in seconds
        "enable_prefix_caching": False,
        "disable_log_stats": True,
        "use_tqdm_on_load": False,
        "seed": 0,
    }
    try:
        llm = vllm.LLM(
            model=str(model),
            dtype=dtype or _best_dtype(on_cuda),
            max_model_len=max_model_len,
            max_num_seqs=max_num_seqs,
            **(defaults | options),
        )
    except (MemoryError, RuntimeError, ValueError) as error:
        raise _explained(error) from error
    except AttributeError as error:
        raise _numba_came_first(error) from error
    engine = Engine(llm, Path(model), max_loras, num_spare)
    if num_spare:
        limited = without_last_slot(engine.manager.lora_config)
        engine.manager.lora_config = engine.scheduler.lora_config = limited
    return engine


def _best_dtype(on_cuda):
    if not on_cuda:
        return "float32"
    import torch

    has_bfloat16 = torch.cuda.get_device_capability() >= (8, 0)
    return "bfloat16" if has_bfloat16 else "float16"


def _check_model(model, has_weights):
    folder = Path(checkpoints.path_of("model", model))
    if not str(model) or not folder.is_dir():
        raise checkpoints.CheckpointError(
            f"model is {shown(str(model))}: no such folder"
        )
    if has_weights:
        checkpoints.weight_files(folder)
    ModelShape.from_config(folder)


def check_slots(
    max_loras: int | None, max_lora_rank: int, max_cpu_loras: int | None
) -> None:
    """Raise ValueError or TypeError for sizes that vLLM does not take."""
    choice("max_lora_rank", max_lora_rank, nearest_rule(DEFAULT_VERSION).ranks)
    if max_loras is None:
        if max_cpu_loras is not None:
            raise ValueError("max_cpu_loras is given, but max_loras is None")
        return
    integer("max_loras", max_loras, 1, MAX_COUNT)
    if max_cpu_loras is not None:
        # vLLM's own rule: the CPU tier holds what is in the slots too.
        integer("max_cpu_loras", max_cpu_loras, max_loras, MAX_COUNT)


def _numba_came_first(error):
    """Return what to do where vLLM trips over numba, else the error."""
    # vLLM's CPU build looks at every name of every module for its kernels;
    # llvmlite's library answers to any name, __dict__ too.
    if "_lib_fn_wrapper" not in str(error):
        return error
    return RuntimeError(
        "numba was imported before the engine started, which vLLM's CPU "
        "build does not survive: restart Python and start the engine first"
    )


def _explained(error):
    """Say what to do where memory ran out; else give the error back."""
    text = str(error).lower()
    if isinstance(error, MemoryError) or "memory" in text:
        return MemoryError(
            f"the engine did not get its memory ({error}): lower max_loras, "
            "max_lora_rank or kv_cache_bytes, or free memory first"
        )
    return error
