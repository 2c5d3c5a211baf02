"""Launches are counted by module, and published times are flat in rank."""

import pytest

from multilora.cache.load_cost import (
    published_slot_times,
    seconds_loading,
    slot_launches,
)
from multilora.models.shipped import model_shape


def test_launches_count_modules_not_bytes():
    llama, qwen = model_shape("Llama-2-7B"), model_shape("Qwen2.5-7B")
    # 32 layers of 7 and two tables cleared, 32 layers of 7 copied, A and B.
    assert slot_launches(llama) == 2 * (32 * 7 + 2 + 32 * 7)
    assert slot_launches(llama, ["q_proj", "v_proj"]) == 2 * (226 + 64)
    assert slot_launches(qwen) == 2 * (28 * 7 * 2)


def test_published_times_do_not_follow_bytes():
    times = published_slot_times()
    llama = [item for item in times if item.model == "Llama-2-7B"]
    assert [item.rank for item in llama] == [8, 16, 32]
    assert llama[2].num_bytes == 4 * llama[0].num_bytes
    # 32 layers, rank 8, two bytes a number; 8.5 to 8.7 ms over 900 launches.
    widths = 4 * 2 * 4096 + 3 * (4096 + 11008)
    assert llama[0].num_bytes == 2 * 8 * 32 * widths
    assert llama[0].us_per_launch == pytest.approx(8600 / 900)
    assert llama[2].high_ms <= llama[0].high_ms
    assert len({item.num_launches for item in llama}) == 1
    assert all(6 < item.us_per_launch < 11 for item in times)


def test_seconds_are_counts_times_milliseconds():
    assert seconds_loading(100, 10, 8.5, 40) == pytest.approx(1.25)
    with pytest.raises(ValueError, match="slot_loads is -1"):
        seconds_loading(-1, 0, 1, 1)
