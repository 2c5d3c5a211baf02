"""Public start-ups of vLLM beside what the ledger says of them."""

from multilora.memory.ledger import MemoryLedger, memory_ledger
from multilora.models.shapes import ModelShape
from multilora.models.versions import nearest_rule
from multilora.published import published
from multilora.units import GIB


def public_starts() -> list[dict]:
    """Return a row for each public start-up: what it logged, what we say.

    loading_gib and kv_tokens are the log's; ours are our_loading_gib and the
    range kv_tokens_low to kv_tokens_high. `assumed` says what the log does
    not tell and we took, or is None. Where the log does not say
    max_num_batched_tokens, it is the larger of max_model_len and 2,048.
    """
    return [_beside(row) for row in published("public_starts")["rows"]]


def _beside(row):
    ledger = _ledger(row)
    rule = nearest_rule(row["vllm_version"])
    loaded = ledger.loading_bytes
    if not rule.are_slots_in_loading_line:
        loaded -= ledger.slot_bytes
    return row | {
        "our_loading_gib": loaded / GIB,
        "kv_tokens_low": ledger.kv_tokens_low,
        "kv_tokens_high": ledger.kv_tokens_high,
    }


def _ledger(row) -> MemoryLedger:
    return memory_ledger(
        ModelShape.from_config(row["config"], name=row["model"]),
        row["card_gib"],
        row["max_loras"],
        row["max_lora_rank"] or 16,
        row["gpu_memory_utilization"],
        vllm_version=row["vllm_version"],
        max_model_len=row["max_model_len"],
        max_num_batched_tokens=max(2048, row["max_model_len"]),
    )
