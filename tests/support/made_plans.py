"""Plans made by hand, of the kind that a search would return."""

from multilora.plan.answer import (
    Assumption,
    Backup,
    Engine,
    Loss,
    Memory,
    Neighbour,
    Outcome,
    Plan,
    Routed,
    Setting,
    Slo,
    Tenant,
)
from multilora.units import GIB

SETTING = Setting(
    max_loras=8,
    max_lora_rank=16,
    max_cpu_loras=32,
    max_num_batched_tokens=8192,
    max_num_seqs=256,
)
MEMORY = Memory(
    usable_bytes=int(21.6 * GIB),
    weight_bytes=int(14.19 * GIB),
    slot_bytes=int(0.61 * GIB),
    overhead_low_bytes=int(1.1 * GIB),
    overhead_high_bytes=int(2.0 * GIB),
    kv_token_bytes=57_344,
    kv_tokens_low=89_000,
    kv_tokens_high=106_000,
)
NAMES = [
    "acme", "billing-bot", "café", "sql v2", "it's=here", "x" * 80,
    "<script>alert(1)</script>", "new\nline", "$(reboot)", "`id`", "-rf",
    "~^.*$", "default", "Acme", 'quo"te', "{{ 7 }}", "1e3", "\u202egnp.exe",
    "comma,name", "--port=1", "${HOME}",
]  # fmt: skip


def outcome(p99_ms=410.0, share=1.0, loads=310):
    return Outcome(
        p50_ms=95.0,
        p99_ms=p99_ms,
        gap_ms=24.0,
        share=share,
        hit_rate=0.91,
        busy=0.63,
        num_slot_loads=loads,
        num_disk_loads=12,
    )


def tenant(name, place=0, **other):
    p99_ms = round(130 * 1.1**place % 480 + 10, 1)
    facts = {
        "name": name,
        "rank": (8, 16)[place % 2],
        "folder": f"/srv/adapters/tenant-{place}",
        "num_requests": 900 // (1 + place),
        "requests_per_s": 3 / (1 + place),
        "mean_prompt_tokens": 412.6,
        "mean_output_tokens": 120.2,
        "p50_ms": round(p99_ms / 4, 1),
        "p99_ms": p99_ms,
        "gap_ms": 24.5,
        "meets_slo": True,
        "cause": None,
    }
    return Tenant(**facts | other)


def engine(tenants, setting=SETTING, memory=MEMORY, backups=(), **other):
    return Engine(
        setting=setting,
        memory=memory,
        outcome=outcome(**other),
        tenants=tuple(tenants),
        backups=tuple(
            Backup(name=one.name, rank=one.rank, folder=one.folder)
            for one in backups
        ),
    )


def plan(engines, **other):
    facts = {
        "model": "Qwen/Qwen2.5-7B-Instruct",
        "vllm_version": "0.32.0",
        "card_gib": 24,
        "tensor_parallel_size": 1,
        "gpu_memory_utilization": 0.9,
        "max_model_len": 8192,
        "slo": Slo(),
        "seconds": 600.0,
        "num_requests": 4321,
        "cost": "fitted on the book's hours of an A10G",
        "is_met": True,
        "outcome": outcome(),
        "engines": tuple(engines),
        "neighbours": (
            Neighbour(dial="max_loras", value=7, outcome=outcome(530.0, 0.9)),
            Neighbour(dial="max_loras", value=9, outcome=outcome(402.0)),
            Neighbour(dial="max_num_seqs", value=512, outcome=None),
        ),
        "assumptions": (
            Assumption(
                what="a load from disk takes 40 ms",
                instead="it takes 400 ms",
                outcome=outcome(612.0, 0.8),
                flips=True,
            ),
            Assumption(
                what="all of the CPU tier stays in memory",
                instead="half of it",
                outcome=outcome(431.0),
                flips=False,
            ),
        ),
        "notes": ("Prefix caching is left out: real TTFT may be lower.",),
    }
    return Plan(**facts | other)


def one_engine():
    """One engine, ten tenants, folders known."""
    return plan([engine(tenant(f"tenant-{i}", i) for i in range(10))])


def three_engines():
    """Three engines, 40 tenants, each on one of them."""
    tenants = [tenant(f"tenant-{i}", i) for i in range(40)]
    return plan([engine(tenants[start::3]) for start in range(3)])


def two_gpus():
    """Tensor parallel over two GPUs; no folder is known."""
    tenants = [tenant(f"tenant-{i}", i, folder=None) for i in range(4)]
    return plan([engine(tenants)], tensor_parallel_size=2)


def too_slow():
    """A plan whose SLO is not met, with causes."""
    causes = ["load", "deferral", "congestion", "kv", "own", "api"]
    tenants = [
        tenant(
            f"tenant-{i}",
            i,
            p50_ms=140.0 + i,
            p99_ms=900.0 - 20 * i,
            meets_slo=i > 20,
            cause=causes[i % 6] if i <= 20 else None,
        )
        for i in range(24)
    ]
    return plan(
        [engine(tenants, p99_ms=820.0, share=3 / 24)],
        is_met=False,
        outcome=outcome(820.0, 3 / 24),
        slo=Slo(ttft_p99_ms=500, share=0.95, itl_ms=40),
    )


def hostile():
    """Two engines whose tenants have the worst names and folders."""
    tenants = [
        tenant(name, place, folder=f"/srv/ad apters/{name}".replace("\n", "_"))
        for place, name in enumerate(NAMES)
    ]
    return plan(
        [engine(tenants[::2]), engine(tenants[1::2])],
        model='/models/$(touch x) it\'s "7B"\nrm',
        cost="<script>alert(2)</script>",
        notes=("</style><script>alert(3)</script>\n$(x)",),
    )


def crowd(num_tenants=200):
    """One engine with many tenants."""
    return plan(
        [engine(tenant(f"customer-{i:03}", i) for i in range(num_tenants))]
    )


def with_spare():
    """Three engines that survive a loss: backups dealt to the two others."""
    tenants = [tenant(f"tenant-{i}", i) for i in range(12)]
    homes = [tenants[start::3] for start in range(3)]
    backups = [
        homes[(place + 1) % 3][::2] + homes[(place + 2) % 3][1::2]
        for place in range(3)
    ]
    losses = [
        Loss(engine=number, outcome=outcome(480.0), num_late=0)
        for number in (1, 2, 3)
    ]
    routers = [
        routed("placed", "gateway.conf", 410.0, 0),
        routed("round_robin", None, 730.0, 4, each=3.0),
    ]
    return plan(
        [engine(mine, backups=more)
         for mine, more in zip(homes, backups, strict=True)],
        spare=1,
        losses=tuple(losses),
        routers=tuple(routers),
    )  # fmt: skip


def routed(rule, file, p99_ms, num_late, each=1.0):
    return Routed(
        rule=rule, file=file, p50_ms=95.0, p99_ms=p99_ms,
        share=1 - num_late / 12, num_late=num_late, num_slot_loads=310,
        num_engines_each=each,
    )  # fmt: skip


def nine_engines():
    """So many engines that they are rows of a table."""
    return plan(
        [engine([tenant(f"t{place}")], p99_ms=12_345.0) for place in range(9)]
    )


EVERY = {
    "one engine": one_engine,
    "three engines": three_engines,
    "nine engines": nine_engines,
    "two GPUs": two_gpus,
    "too slow": too_slow,
    "hostile": hostile,
    "with a spare": with_spare,
    "crowd": crowd,
}
