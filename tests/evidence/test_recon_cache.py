"""Slots and CPU tier against vLLM's manager; the cascade, and its mending."""

import numpy as np
import pytest

from multilora import tenants
from multilora.cache.tiers import AdapterTiers
from multilora.models.shapes import ModelShape
from programs import python
from repository import ROOT

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore")]

NUM_ADAPTERS = 9
SIZES = ((1, 1), (2, 2), (2, 4), (3, 5), (4, 4), (4, 9), (8, 8))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An adapter that fits the small base; its weights do not matter."""
    from multilora.engine.dummies import write_adapter

    folder = tmp_path_factory.mktemp("adapters") / "any"
    write_adapter(folder, ModelShape.from_config(tenants.folder_of("base")), 8)
    return folder


@pytest.fixture
def bare(folder):
    """Makes vLLM's manager with (max_loras, max_cpu_loras)."""
    from multilora.engine.bare import BareLoRA

    def make(max_loras, max_cpu_loras=None, num_adapters=NUM_ADAPTERS):
        made = BareLoRA(tenants.folder_of("base"), max_loras, 8, max_cpu_loras)
        made.add(folder, range(1, num_adapters + 1))
        return made

    return make


def steps_of(rng, num_steps, largest):
    """Random steps: distinct adapters in random order."""
    ids = np.arange(1, NUM_ADAPTERS + 1)
    return [
        rng.permutation(ids)[: rng.integers(1, largest + 1)].tolist()
        for _ in range(num_steps)
    ]


def compare(bare, tiers, step):
    """One step on both; assert that nothing differs; return new loads."""
    before = tiers.slot_loads, tiers.disk_loads
    slots, loads = bare.step(step)
    tiers.activate_step(step)
    assert slots == tiers.slots
    assert bare.lru_order == tiers.lru_order
    assert bare.cpu_tier == tiers.cpu_tier
    kinds = [load.kind for load in loads]
    assert kinds.count("slot") == tiers.slot_loads - before[0]
    assert kinds.count("disk") == tiers.disk_loads - before[1]
    return kinds


@pytest.mark.parametrize("batch", [False, True], ids=["one", "batches"])
def test_slots_and_cpu_tier_do_as_vllms(bare, findings, batch):
    rng = np.random.default_rng(5)
    cases, loads = 0, 0
    for max_loras, max_cpu_loras in SIZES:
        theirs = bare(max_loras, max_cpu_loras)
        ours = AdapterTiers(max_loras, max_cpu_loras)
        for step in steps_of(rng, 200, max_loras if batch else 1):
            loads += len(compare(theirs, ours, step))
            cases += 1
    assert loads > 1000
    what = "whole batches a step, in the order given"
    findings.add(
        key="tiers, batches" if batch else "tiers, one a step",
        claim="slots, both LRU orders, loads from disk and into slots: "
        + (what if batch else "one adapter a step"),
        ours="cache.tiers.AdapterTiers",
        vllm="add_adapter",
        cases=cases,
        unit="steps that differ",
    )


def test_vllm_walks_the_set_and_so_do_we(bare, findings):
    """As in the engine: a set of LoRARequests, in whatever order it has."""
    from vllm.v1.worker.gpu.lora_utils import LoraState

    rng = np.random.default_rng(6)
    theirs, ours = bare(5, 7), AdapterTiers(5, 7)
    cases = 0
    for step in steps_of(rng, 200, 5):
        # The order of a set of the same requests, made the same way.
        walked = {theirs.adapters[lora_id] for lora_id in step}
        ours.activate_step([item.lora_int_id for item in walked])
        slots, _ = theirs.step(step, as_set=True)
        assert slots == ours.slots
        assert theirs.lru_order == ours.lru_order
        # The newer model runner, V2, builds its set of the same requests.
        state = LoraState(max_num_reqs=5)
        for index, lora_id in enumerate(step):
            state.add_request(str(index), index, theirs.adapters[lora_id])
        names = [str(index) for index in range(len(step))]
        assert list(state.get_activate_loras(names)) == list(walked)
        cases += 1
    findings.add(
        key="set order",
        claim="a step's LoRARequests walked as a Python set: slots and their "
        "LRU order, that walk given",
        ours="cache.tiers.AdapterTiers.activate_step",
        vllm="the set",
        cases=cases,
        unit="steps that differ",
    )


def test_the_witness_one_miss_up_to_four_loads(bare, findings):
    orders = {(1, 2, 3, 5): 1, (1, 5, 2, 3): 3, (5, 1, 2, 3): 4}
    for order, wanted in orders.items():
        theirs, ours = bare(4, 9), AdapterTiers(4, 9)
        for lora_id in (1, 2, 3, 4):
            theirs.step([lora_id])
            ours.activate(lora_id)
        slots, loads = theirs.step(list(order))
        ours.activate_step(order)
        assert len(loads) - 1 == wanted  # one of them is the disk's
        assert (ours.slot_loads - 4, ours.slots) == (wanted, slots)
    findings.add(
        key="witness",
        claim="4 slots hold 1 2 3 4, a step needs 1 2 3 5: 1, 3 or 4 loads",
        ours="cache.tiers.AdapterTiers.activate_step",
        vllm="_apply_adapters",
        cases=len(orders),
        unit="loads",
    )


def test_residents_first_on_vllms_own_class(bare, findings):
    """The patch: same trace, the fewest loads that are possible."""
    from multilora.engine.residents_first import residents_first

    rng = np.random.default_rng(7)
    steps = steps_of(rng, 400, 4)
    plain, mended, ours = bare(4, 6), bare(4, 6), AdapterTiers(4, 6)
    fewest = 0
    for step in steps:
        plain.step(step, as_set=True)
        absent = set(step) - set(mended.lru_order)
        with residents_first():
            walked = {mended.adapters[lora_id] for lora_id in step}
            _, loads = mended.step(step, as_set=True)
        new = [int(item.adapter) for item in loads if item.kind == "slot"]
        assert set(new) == absent and len(new) == len(absent)
        fewest += len(absent)
        ours.activate_step(
            [item.lora_int_id for item in walked], "residents first"
        )
        assert mended.lru_order == ours.lru_order
        assert mended.cpu_tier == ours.cpu_tier
    with_patch = sum(item.kind == "slot" for item in mended.loads)
    without = sum(item.kind == "slot" for item in plain.loads)
    assert with_patch == fewest == ours.slot_loads < without
    # Outside the block vLLM is as it was, also after an error.
    with pytest.raises(KeyError), residents_first():
        raise KeyError
    theirs = bare(4, 9)
    for lora_id in (1, 2, 3, 4):
        theirs.step([lora_id])
    assert len(theirs.step([5, 1, 2, 3])[1]) == 5
    findings.add(
        key="residents first",
        claim="vLLM's class, residents first: one load an absent adapter",
        ours="cache.walks.WALKS",
        vllm="the walk",
        cases=len(steps),
        unit="loads too many",
    )


def test_a_load_is_the_same_launches_whatever_the_rank(bare, findings,
                                                       tmp_path):  # fmt: skip
    """Fills and copies, counted by torch while vLLM loads a slot."""
    from collections import Counter

    from torch.utils._python_dispatch import TorchDispatchMode

    from multilora.cache.load_cost import slot_launches
    from multilora.engine.dummies import write_adapter

    class Counting(TorchDispatchMode):
        def __init__(self):
            super().__init__()
            self.seen = Counter()

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            self.seen[func.overloadpacket.__name__] += 1
            return func(*args, **(kwargs or {}))

    shape = ModelShape.from_config(tenants.folder_of("base"))
    theirs, wanted = bare(1), slot_launches(shape)
    for rank in (1, 4, 8):
        write_adapter(tmp_path / str(rank), shape, rank)
        theirs.add(tmp_path / str(rank), [rank])
        theirs.step([rank])
        theirs.manager._active_adapters.pop(rank)
        with Counting() as counting:
            theirs.manager.activate_adapter(rank)
        assert counting.seen["fill_"] + counting.seen["copy_"] == wanted
    findings.add(
        key="launches",
        claim="fills and copies of one load, whatever its rank",
        ours="cache.load_cost.slot_launches",
        vllm="set_lora",
        cases=3,
        unit="launches",
    )


@pytest.mark.parametrize(
    ("flags", "loads"), [([], "134"), (["--residents-first"], "111")]
)
def test_the_witness_stands_without_this_book(flags, loads):
    """What a maintainer of vLLM would run: a script that needs only vLLM."""
    said = python(
        ROOT / "tools/cascade_on_vllm.py",
        *(tenants.folder_of(name) for name in ("base", "sql")),
        *flags,
        timeout=300,
        VLLM_LOGGING_LEVEL="ERROR",
    )
    assert said.returncode == 0, said.stderr[-2000:]
    counts = [line.split("-> ")[1] for line in said.stdout.splitlines()]
    assert "".join(counts) == loads
