"""The options that describe one engine, and the engine they mean."""

from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from multilora.arguments import choice, integer
from multilora.evidence.hours_play import kv_tokens_left
from multilora.serving.calibration import read_calibration
from multilora.serving.cost import StepCost
from multilora.serving.limits import Limits, engine_limits
from multilora.serving.terms import fitted_cost, fitted_models
from multilora.serving.workload import Workload

PANEL = "The engine"
SLOTS, RANK, SEATS, BUDGET = 8, 16, 256, 8192
BLOCK_TOKENS = 16
MODELS = fitted_models()


def _option(name, words):
    return typer.Option(name, help=words, rich_help_panel=PANEL)


MaxLoras = Annotated[
    int | None, _option("--max-loras", f"Adapter slots; by default {SLOTS}.")
]
MaxCpuLoras = Annotated[
    int | None,
    _option(
        "--max-cpu-loras",
        "Adapters in CPU memory; by default as many as slots.",
    ),
]
MaxLoraRank = Annotated[
    int | None,
    _option("--max-lora-rank", f"The slots' rank; by default {RANK}."),
]
MaxNumSeqs = Annotated[
    int | None,
    _option("--max-num-seqs", f"Requests in a step; by default {SEATS}."),
]
MaxNumBatchedTokens = Annotated[
    int | None,
    _option(
        "--max-num-batched-tokens", f"Tokens in a step; by default {BUDGET}."
    ),
]
KvTokens = Annotated[
    int | None,
    _option(
        "--kv-tokens",
        'vLLM\'s "GPU KV cache size"; by default what the slots leave on '
        "the card of the model's recorded hours.",
    ),
]
Model = Annotated[
    str | None,
    _option(
        "--model", f"Whose cost: {' or '.join(MODELS)}, by default the first."
    ),
]
Calibrated = Annotated[
    Path | None,
    _option(
        "--calibration",
        "A file that multilora.serving.calibrate wrote: your engine's cost "
        "and limits.",
    ),
]


class Engine(NamedTuple):
    """What is served on: limits, costs, and where the costs are from."""

    limits: Limits
    cost: StepCost
    source: str
    notes: tuple[str, ...]

    @property
    def kv_tokens(self) -> int | None:
        blocks = self.limits.num_gpu_blocks
        return None if blocks is None else blocks * self.limits.block_size

    def require_fitting(self, workload: Workload) -> None:
        """Raise ValueError if a request alone is longer than the KV cache."""
        longest = int((workload.prompt_tokens + workload.output_tokens).max())
        if self.kv_tokens is not None and longest - 1 > self.kv_tokens:
            raise ValueError(
                f"--kv-tokens is {self.kv_tokens:,}, but the log holds a "
                f"request of {longest:,} tokens, which no engine with so "
                "little KV cache takes"
            )


def engine_of(
    max_loras: int | None,
    max_cpu_loras: int | None,
    max_lora_rank: int | None,
    max_num_seqs: int | None,
    max_num_batched_tokens: int | None,
    kv_tokens: int | None,
    model: str | None,
    calibration: Path | None,
    is_cold: bool,
) -> Engine:
    """Return the Engine that the options of a command describe."""
    if kv_tokens is not None:
        kv_tokens = integer("kv_tokens", kv_tokens, minimum=BLOCK_TOKENS)
    asked = {
        "max_loras": max_loras,
        "max_cpu_loras": max_cpu_loras,
        "max_num_seqs": max_num_seqs,
        "max_num_batched_tokens": max_num_batched_tokens,
        "num_gpu_blocks": kv_tokens and kv_tokens // BLOCK_TOKENS,
    }
    asked = {name: value for name, value in asked.items() if value is not None}
    if calibration is not None:
        if model is not None or max_lora_rank is not None:
            raise ValueError(
                "--calibration is given, which holds the model and the rank: "
                "leave out --model and --max-lora-rank"
            )
        return _calibrated(calibration, asked, is_cold)
    return _fitted(MODELS[0] if model is None else model,
                   RANK if max_lora_rank is None else max_lora_rank,
                   asked, is_cold)  # fmt: skip


def _fitted(model, rank, asked, is_cold):
    model = choice("model", model, MODELS)
    limits = {
        "max_loras": SLOTS,
        "max_num_seqs": SEATS,
        "max_num_batched_tokens": BUDGET,
    } | asked
    cost = fitted_cost(limits["max_loras"], rank, model, is_cold)
    if "num_gpu_blocks" not in limits:
        left = kv_tokens_left(model, limits["max_loras"], rank)
        if left < BLOCK_TOKENS:
            raise ValueError(
                f"max_loras is {limits['max_loras']}, whose slots of rank "
                f"{rank} leave no KV cache on the card of {model}'s hours: "
                "lower it, or give --kv-tokens"
            )
        limits["num_gpu_blocks"] = left // BLOCK_TOKENS
    source = f"{model}, rank {rank}, costs fitted on recorded hours"
    return Engine(engine_limits(**limits), cost, source, ())


def _calibrated(path, asked, is_cold):
    found = read_calibration(path)
    limits = found.limits._asdict() | asked
    if "num_gpu_blocks" in asked:
        limits["block_size"] = BLOCK_TOKENS
    if "max_loras" in asked and "max_cpu_loras" not in asked:
        limits["max_cpu_loras"] = max(
            limits["max_loras"], limits["max_cpu_loras"]
        )
    cost = found.cost if is_cold else found.cost._replace(first_use_ns=0)
    notes = found.notes
    if not found.is_steady:
        notes = (
            *notes,
            "The calibrated machine was not steady: its speed changed by over "
            "10 % while it was measured.",
        )
    source = f"{found.model}, costs calibrated on vLLM {found.engine_version}"
    return Engine(engine_limits(**limits), cost, source, notes)
