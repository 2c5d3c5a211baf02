"""One setting of all engines, played: what each tenant meets there."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from multilora.matmul.operands import BASE
from multilora.memory.kv import BLOCK_TOKENS
from multilora.memory.ledger import MemoryLedger, memory_ledger
from multilora.plan.answer import Memory, Setting
from multilora.plan.case import Case
from multilora.plan.load import Groups, engine_load
from multilora.plan.options import cpu_tier_bytes, kv_tokens_to_start
from multilora.serving.limits import Limits, engine_limits
from multilora.serving.run import ServingRun, serve
from multilora.serving.workload import Workload
from multilora.units import GIB


class Dials(NamedTuple):
    """What all engines of a plan have alike."""

    max_loras: int
    max_num_batched_tokens: int
    max_num_seqs: int


class World(NamedTuple):
    """What a plan takes for granted, and may be otherwise."""

    slower: float = 1.0
    faster_traffic: float = 1.0
    longer_replies: float = 1.0
    is_cold: bool = False
    disk_load_ms: float | None = None
    is_kv_high: bool = False


class Served(NamedTuple):
    """One engine: its tenants, setting, memory and run."""

    tenants: tuple[int, ...]
    setting: Setting
    ledger: MemoryLedger
    run: ServingRun


def setting_of(case: Case, tenants: Sequence[int], dials: Dials) -> Setting:
    """Return the Setting of an engine with these tenants.

    No more slots than tenants; the widest of their ranks; a CPU tier that
    holds each of them, or as many of the widest as the host has room for.
    """
    ranks = case.slot_ranks
    widest = max(ranks[tenant] for tenant in tenants)
    num_slots = min(dials.max_loras, len(tenants))
    if case.host_gib is None:
        num_copies = len(tenants)
    else:
        each = cpu_tier_bytes(case.shape, 1, widest)
        fitting = int(case.host_gib * GIB) // each
        num_copies = max(num_slots, min(len(tenants), fitting))
    return Setting(
        max_loras=num_slots,
        max_lora_rank=widest,
        max_cpu_loras=num_copies,
        max_num_batched_tokens=dials.max_num_batched_tokens,
        max_num_seqs=dials.max_num_seqs,
    )


def ledger_of(case: Case, setting: Setting) -> MemoryLedger:
    """Return the MemoryLedger of an engine with this Setting."""
    options = dict(case.options) | {
        "max_model_len": case.max_model_len,
        "max_num_batched_tokens": setting.max_num_batched_tokens,
        "max_num_seqs": setting.max_num_seqs,
    }
    return case.shape.remember(
        ("plan", case.card_gib, *setting.model_dump().values(),
         *sorted((k, str(v)) for k, v in options.items())),
        lambda: memory_ledger(
            case.shape, case.card_gib, setting.max_loras,
            setting.max_lora_rank, **options,  # type: ignore[arg-type]
        ),
    )  # fmt: skip


def memory_of(ledger: MemoryLedger) -> Memory:
    """Return the Memory of an answer: the same bytes, fixed parts summed."""
    overhead = ledger.overhead
    return Memory(
        usable_bytes=ledger.usable_bytes,
        weight_bytes=ledger.weight_bytes,
        slot_bytes=ledger.slot_bytes,
        overhead_low_bytes=ledger.buffer_bytes + overhead.low_bytes,
        overhead_high_bytes=ledger.buffer_bytes + overhead.high_bytes,
        kv_token_bytes=ledger.kv_token_bytes,
        kv_tokens_low=ledger.kv_tokens_low,
        kv_tokens_high=ledger.kv_tokens_high,
    )


def can_start(case: Case, ledger: MemoryLedger) -> bool:
    """True if even the low end of the KV range holds the longest request."""
    return ledger.kv_tokens_low >= kv_tokens_to_start(case.max_model_len)


def most_slots(case: Case, tenants: Sequence[int], dials: Dials) -> int:
    """Return the largest max_loras, up to that of dials, that starts; or 0."""
    low, high = 0, min(dials.max_loras, len(tenants)) + 1
    if _starts(case, tenants, dials._replace(max_loras=high - 1)):
        return high - 1
    while high - low > 1:
        middle = (low + high) // 2
        if _starts(case, tenants, dials._replace(max_loras=middle)):
            low = middle
        else:
            high = middle
    return low


def _starts(case, tenants, dials):
    return can_start(case, ledger_of(case, setting_of(case, tenants, dials)))


def settings_of(
    case: Case, groups: Groups, dials: Dials
) -> list[Setting] | None:
    """Return each engine's Setting, or None where they do not start.

    An engine of wide slots gets as many as start there, as long as another
    one has all that dials says.
    """
    nums = [most_slots(case, tenants, dials) for tenants in groups]
    wanted = [min(dials.max_loras, len(tenants)) for tenants in groups]
    if 0 in nums or all(n < w for n, w in zip(nums, wanted, strict=True)):
        return None
    return [
        setting_of(case, tenants, dials._replace(max_loras=num))
        for tenants, num in zip(groups, nums, strict=True)
    ]


def play(
    case: Case,
    groups: Groups,
    dials: Dials,
    world: World | None = None,
    known: Groups | None = None,
) -> list[Served] | None:
    """Return what each engine does, or None where they do not start.

    known are the tenants that each engine must be able to serve, None for
    its own.
    """
    world = world or World()
    settings = settings_of(case, known or groups, dials)
    if settings is None:
        return None
    found = []
    for number, tenants in enumerate(groups):
        setting = settings[number]
        ledger = ledger_of(case, setting)
        load = engine_load(case.workload, groups, number)
        run = _run(case, setting, ledger, _in_world(load, world), world)
        found.append(Served(tuple(tenants), setting, ledger, run))
    return found


def _in_world(load: Workload, world: World) -> Workload:
    longer = np.ceil(load.output_tokens * world.longer_replies)
    sooner = load.arrival_ns / world.faster_traffic
    return load._replace(
        arrival_ns=sooner.astype(np.int64),
        output_tokens=longer.astype(np.int64),
    )


def limits_of(setting: Setting, kv_tokens: int) -> Limits:
    """Return the Limits of an engine with so many KV tokens."""
    return engine_limits(
        setting.max_loras,
        setting.max_num_seqs,
        setting.max_num_batched_tokens,
        setting.max_cpu_loras,
        num_gpu_blocks=kv_tokens // BLOCK_TOKENS,
    )


def _run(case, setting, ledger, load, world) -> ServingRun:
    kv_tokens = ledger.kv_tokens_high if world.is_kv_high else (
        ledger.kv_tokens_low
    )  # fmt: skip
    cost = case.costs.slower(world.slower).cost(
        setting.max_loras,
        setting.max_lora_rank,
        world.is_cold,
        world.disk_load_ms,
    )
    limits = limits_of(setting, kv_tokens)
    return serve(load, limits, cost, used_before=_used(load, world))


def _used(load: Workload, world: World) -> list[int]:
    """Who was asked for before: all, the most popular last; or nobody."""
    if world.is_cold:
        return []
    ids = load.adapter_ids[load.adapter_ids != BASE]
    counts = np.bincount(ids.astype(np.intp), minlength=load.num_adapters)
    return np.argsort(counts, kind="stable").tolist()
