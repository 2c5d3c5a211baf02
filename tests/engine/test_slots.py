"""What a running engine's slots and CPU tier hold, load and defer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multilora import engine, tenants
from multilora.adapters.check import check_adapter
from multilora.adapters.checkpoints import tensors
from multilora.cache.slots import AdapterSlotCache
from multilora.engine import memory
from multilora.memory.economics import (
    kv_bytes_per_token,
    slot_reservation_bytes,
)
from multilora.serving.steps import Job, simulate
from multilora.tenants import folder_of
from voices import BASE, FRUITS

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore")]


def test_the_spare_slot_stays_empty_whatever_comes(two):
    rng = np.random.default_rng(0)
    for _ in range(20):
        tags = rng.choice(["sql", "pirate", "json"], 3).tolist()
        two.generate([FRUITS] * 4, [*tags, None], max_tokens=1)
        assert two.slots()[2] is None
    assert all(float(t[-1].abs().max()) == 0 for t in memory.slot_tensors(two))


def test_the_ledger_is_lab_03s_arithmetic(two, choir):
    for running, slots in ((two, 3), (choir, 5)):
        shape, blocks = running.shape, memory.kv_blocks(running)
        assert memory.weight_bytes(running) == 4 * shape.num_params
        assert memory.slot_bytes(running) == slot_reservation_bytes(
            shape, slots, 16, lora_dtype="float32"
        )
        per_token = kv_bytes_per_token(shape, "float32")
        assert blocks.block_bytes == per_token * blocks.block_tokens
        assert blocks.num_total * blocks.block_bytes == 16 * 2**20
        assert blocks.num_free == blocks.num_total - 1


def test_a_slot_holds_the_adapters_weights_scaled_and_padded(two):
    two.generate([FRUITS], ["pirate"], max_tokens=1)  # rank 4 in a slot of 16
    slot = {name: key for key, name in two.slots().items()}["pirate"]
    module = two.manager.modules["model.layers.1.mlp.down_proj"]
    A = module.lora_a_stacked[0][slot, 0].numpy()
    B = module.lora_b_stacked[0][slot, 0].numpy()
    file = tensors(folder_of("pirate") / "adapter_model.safetensors")
    key = "base_model.model.model.layers.1.mlp.down_proj.lora_{}.weight"
    np.testing.assert_array_equal(A[:4], file[key.format("A")].values())
    np.testing.assert_allclose(B[:, :4], 2 * file[key.format("B")].values())
    assert not A[4:].any() and not B[:, 4:].any()


@settings(max_examples=15)
@given(
    st.lists(st.sampled_from([None, "sql", "pirate", "json"]), min_size=1,
             max_size=8),
    st.integers(1, 6),
)  # fmt: skip
def test_the_scheduler_does_as_ours(two, tags, max_tokens):
    ids = {None: -1, "sql": 1, "pirate": 2, "json": 3}
    replies, steps = two.watch([FRUITS] * len(tags), tags, max_tokens)
    jobs = [
        Job(str(number), ids[tag], 0, len(reply.token_ids))
        for number, (tag, reply) in enumerate(zip(tags, replies, strict=True))
    ]
    model = simulate(jobs, max_loras=2, max_num_seqs=256)
    assert len(model) == len(steps)
    for ours, theirs in zip(model, steps, strict=True):
        assert sorted(ours.running) == sorted(str(n) for n, _ in theirs.ran)
        assert ours.deferred == [str(n) for n, _ in theirs.waited]


def test_one_adapter_a_step_is_our_slot_cache(two):
    rng = np.random.default_rng(1)
    for name in ("sql", "pirate", "json"):
        two.forget(name)
    cache, ids = AdapterSlotCache(2), {"sql": 1, "pirate": 2, "json": 3}
    for name in rng.choice(list(ids), 60).tolist():
        num_loads = len(two.loads)
        two.generate([FRUITS], [name], max_tokens=1)
        misses = cache.misses
        slot = cache.activate(ids[name])
        assert two.slots()[slot] == name
        new = [load.kind for load in two.loads[num_loads:]]
        missed = cache.misses > misses
        assert new.count("slot") == missed
        # The CPU tier is as small as the slots: a miss reads the disk.
        assert new.count("disk") == missed


def test_a_larger_cpu_tier_spares_the_disk():
    with engine.start(BASE, max_loras=1, max_cpu_loras=3) as small:
        for name in ("sql", "pirate", "json"):
            small.load(name, folder_of(name))
        small.loads.clear()
        for name in ("sql", "pirate", "json") * 2:
            small.generate([FRUITS], [name], max_tokens=1)
        assert [load.kind for load in small.loads] == ["slot"] * 6
        assert set(small.cpu_tier()) == {"sql", "pirate", "json"}
        small.vacate("json")
        small.generate([FRUITS], ["json"], max_tokens=1)
        assert small.loads[-1].kind == "slot" and len(small.loads) == 7


def test_unloading_frees_slot_and_name(two):
    two.unload("json")
    assert "json" not in two.adapters
    assert "json" not in two.slots().values()
    two.load("json", folder_of("json"))


def test_check_adapter_and_vllm_agree_on_the_good_ones(choir):
    for name in tenants.tenant_names():
        facts = check_adapter(folder_of(name), choir.shape, 16)
        lora_id = choir.request(name).lora_int_id
        assert choir.manager.get_adapter(lora_id).rank == facts.rank
