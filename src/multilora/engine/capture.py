"""Measure an engine of a real model's shape with dummy weights.

    python -m multilora.engine.capture [FILE]

On a GPU: Llama-2-7B and Llama-3.1-8B, 1 to 64 adapters, ranks 8 to 64. On a
CPU: the small base's shape, to try the script. Times are ratios in one run.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from multilora.engine import has_cuda, memory, start, vllm_version
from multilora.engine.dummies import write_adapter, write_base
from multilora.models.shapes import ModelShape
from multilora.published import machine
from multilora.units import MIB


@dataclass(frozen=True)
class Size:
    """How much to measure: batch rows, tokens, adapters and ranks."""

    models: tuple[str, ...]
    ranks: tuple[int, ...]
    num_adapters: tuple[int, ...]
    rows: int
    prompt_tokens: int
    reply_tokens: int
    num_rounds: int
    kv_cache_bytes: int | None


GPU = Size(("Llama-2-7B", "Llama-3.1-8B"), (8, 16, 32, 64),
           (1, 2, 4, 8, 16, 32, 64), 64, 128, 128, 5, None)  # fmt: skip
TINY = Size(("small base",), (8,), (1, 2, 4), 4, 8, 8, 3, 16 * MIB)


def capture(size: Size) -> dict:
    """Return what a page needs of this machine: device, and a run a rank."""
    return {
        "device": _device(),
        "size": {**vars(size)},
        "runs": [
            _run(model, rank, size)
            for model in size.models
            for rank in size.ranks
        ],
    }


def _run(model, rank, size):
    max_loras = max(size.num_adapters)
    with tempfile.TemporaryDirectory() as folder:
        base, adapter = Path(folder, "base"), Path(folder, "adapter")
        write_base(base, model)
        write_adapter(adapter, ModelShape.from_config(base), rank)
        engine = start(
            base,
            max_loras=max_loras,
            max_lora_rank=rank,
            max_num_seqs=size.rows,
            max_model_len=size.prompt_tokens + size.reply_tokens,
            kv_cache_bytes=size.kv_cache_bytes,
            load_format="dummy",
            skip_tokenizer_init=True,
        )
        with engine:
            names = [f"tenant-{n}" for n in range(max_loras)]
            for name in names:
                # One file serves all: vLLM knows adapters by id.
                engine.load(name, adapter, check=False)
            return {
                "model": model,
                "max_loras": max_loras,
                "max_lora_rank": rank,
                "memory": _memory(engine),
                "sweep": _sweep(engine, names, size),
                "first_token": _first_token(engine, names[0], size),
            }


def _memory(engine):
    blocks = memory.kv_blocks(engine)
    return {
        "weight_bytes": memory.weight_bytes(engine),
        "slot_bytes": memory.slot_bytes(engine),
        "kv_blocks": blocks.num_total,
        "kv_block_bytes": blocks.block_bytes,
        "kv_block_tokens": blocks.block_tokens,
    }


def _sweep(engine, names, size):
    """Rounds in turn, base first in each; medians of the paired ratios."""
    counts = (0, *size.num_adapters)
    rounds = []
    for number in range(size.num_rounds + 1):
        timed = {
            count: _time_batch(engine, names[:count], size) for count in counts
        }
        if number:  # the first warms up
            rounds.append(timed)
    return [
        {
            "num_adapters": count,
            "tokens_per_second_over_base": statistics.median(
                timed[0][0] / timed[count][0] for timed in rounds
            ),
            "itl_over_base": statistics.median(
                timed[count][1] / timed[0][1] for timed in rounds
            ),
            "itl_ms": 1e3 * statistics.median(t[count][1] for t in rounds),
        }
        for count in size.num_adapters
    ]


def _time_batch(engine, names, size):
    """Return (seconds of the batch, median seconds of a decode step)."""
    from vllm import SamplingParams

    core, seconds = engine.llm.llm_engine, []
    sampling = SamplingParams(
        temperature=0,
        max_tokens=size.reply_tokens,
        ignore_eos=True,
        detokenize=False,
    )
    for row in range(size.rows):
        tokens = [1 + (row + n) % 100 for n in range(size.prompt_tokens)]
        core.add_request(
            str(row),
            {"prompt_token_ids": tokens},
            sampling,
            lora_request=(
                engine.request(names[row % len(names)]) if names else None
            ),
        )
    while core.has_unfinished_requests():
        begun = time.perf_counter()
        core.step()
        seconds.append(time.perf_counter() - begun)
    return sum(seconds), statistics.median(seconds[len(seconds) // 2 :])


def _first_token(engine, name, size):
    """Return seconds to a first token over a warm slot's, median ratios."""
    one = Size(**{**vars(size), "rows": 1, "reply_tokens": 1})
    states = {
        "slot": lambda: None,
        "CPU tier": lambda: engine.vacate(name),
        "disk": lambda: engine.forget(name),
    }
    rounds = []
    for _ in range(4 * size.num_rounds):
        timed = {}
        for state, prepare in states.items():
            prepare()
            timed[state] = _time_batch(engine, [name], one)[0]
        rounds.append(timed)
    return {
        state: statistics.median(t[state] / t["slot"] for t in rounds)
        for state in states
    }


def _device():
    import torch

    distribution, number = vllm_version()
    found = {
        "name": machine()["cpu"],
        "vllm": number,
        "distribution": distribution,
        "torch": torch.__version__,
        "date": date.today().isoformat(),
    }
    if has_cuda():
        found["name"] = torch.cuda.get_device_name()
        found["driver"] = subprocess.run(
            [
                "nvidia-smi",
                "--query-gpu=driver_version",
                "--format=csv,noheader",
            ],
            capture_output=True,
            text=True,
        ).stdout.strip()
    return found


def main(path: str | Path | None = None) -> None:
    """Measure, and write JSON to path; by default where the pages read it."""
    if path is None and not has_cuda():
        sys.exit(
            "no CUDA here: name a file, and a tiny capture of this CPU is "
            "written to it, to try the script; the pages show GPUs only"
        )
    default = Path(__file__).parents[1] / "data/gpu_capture.json"
    text = json.dumps(capture(GPU if has_cuda() else TINY), indent=1)
    Path(path or default).write_text(text + "\n", encoding="utf-8")
    print(f"written: {path or default}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
