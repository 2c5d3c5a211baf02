"""The memory of a card: what starts, and the KV tokens that remain."""

import numpy as np
import pytest

from multilora.memory import economics
from multilora.memory.ledger import kv_tokens_lost, memory_ledger
from multilora.memory.reservation import slot_reservation_bytes
from multilora.models.shapes import ALL_LINEAR
from multilora.models.shipped import model_shape
from multilora.published import published
from multilora.units import gib


def test_the_exercise_that_does_not_start():
    shape = model_shape("Llama-2-7B")
    naive = 32 * economics.adapter_bytes(4096, 32, 64)
    linear = slot_reservation_bytes(shape, 32, 64, target_modules=ALL_LINEAR)
    full = slot_reservation_bytes(shape, 32, 64)
    assert gib(naive) == 4.0
    assert round(gib(linear), 2) == 9.53
    assert round(gib(full), 2) == 9.81
    ledger = memory_ledger(shape, 24, 32, 64)
    assert not ledger.can_start
    assert ledger.kv_tokens == 0
    assert memory_ledger(shape, 24, 32, 32).can_start


def test_published_kv_tokens_follow_from_the_slots():
    data = published("startups")
    errors = []
    for model in ("Llama-3.1-8B", "Qwen2.5-7B"):
        shape = model_shape(model)
        rows = [row for row in data["rows"]
                if row["model"] == model and row["kv_tokens"]]  # fmt: skip
        reserved = [
            slot_reservation_bytes(
                shape, row["max_loras"], row["max_lora_rank"],
                vllm_version="0.8.5",
            )
            for row in rows
        ]  # fmt: skip
        for row, size in zip(rows[1:], reserved[1:], strict=True):
            lost = rows[0]["kv_tokens"] - row["kv_tokens"]
            predicted = kv_tokens_lost(shape, max(0, size - reserved[0]))
            if lost > 0 and predicted:
                errors.append(abs(predicted / lost - 1))
    assert len(errors) > 55
    assert np.median(errors) < 0.05
    assert np.quantile(errors, 0.9) < 0.1


LLAMA = model_shape("Llama-2-7B")
BAD = [
    (memory_ledger, (LLAMA, 0), ValueError, "card_gib is 0"),
    (memory_ledger, (LLAMA, 24, 2, 16, 1.5), ValueError, "gpu_memory_util"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "arguments", "error", "named"), BAD)
def test_bad_input_is_named(function, arguments, error, named):
    with pytest.raises(error, match=named):
        function(*arguments)
