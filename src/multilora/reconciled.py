"""Published figures beside what our formulas predict for them."""

from multilora.adapter_file import explain_file_bytes
from multilora.ledger import kv_tokens_lost
from multilora.published import model_shape, published
from multilora.reservation import slot_reservation_bytes
from multilora.units import GIB

_SURPRISES = ("saved in full", "too small", "prefix")


def adapter_file_table():
    """Return public adapter files with the reason for their size."""
    table = []
    for row in published("adapters")["rows"]:
        why = explain_file_bytes(
            row["file_bytes"],
            model_shape(row["model"], row.get("vocab_size")),
            row["rank"],
            row["target_modules"],
        )
        surprise = any(word in why for word in _SURPRISES)
        table.append(
            row
            | {
                "why": why,
                "note": row.get("note", ""),
                "is_plain": not surprise,
            }
        )
    return table


def odd_files():
    """Return the rows of adapter_file_table that hold a surprise."""
    table = adapter_file_table()
    seen = {}
    for row in table:
        if row.get("odd") or not row["is_plain"]:
            seen.setdefault(row["file_bytes"], row)
    return list(seen.values())


def kv_loss_table():
    """Return KV tokens lost against the smallest start, log and formula."""
    table = []
    for model, rows in _starts_with_kv().items():
        first = rows[0]
        for row in rows[1:]:
            lost = first["kv_tokens"] - row["kv_tokens"]
            extra = _startup_bytes(row) - _startup_bytes(first)
            if lost > 0 and extra > 0:
                predicted = kv_tokens_lost(model_shape(model), extra)
                table.append(row | {"lost": lost, "predicted": predicted})
    return table


def _starts_with_kv():
    starts = {}
    for row in published("startups")["rows"]:
        if row["kv_tokens"]:
            starts.setdefault(row["model"], []).append(row)
    return starts


def _startup_bytes(row):
    return slot_reservation_bytes(
        model_shape(row["model"]),
        row["max_loras"],
        row["max_lora_rank"],
        vllm_version="0.8.5",
    )


def startup_table():
    """Return published start-ups beside what the formula predicts, GiB."""
    data = published("startups")
    rows = [row for row in data["rows"] if row["loading_gib"]]
    base = data["base_loading_gib"]
    return {
        "model": [row["model"] for row in rows],
        "predicted": [_startup_bytes(row) / GIB for row in rows],
        "measured": [row["loading_gib"] - base[row["model"]] for row in rows],
    }
