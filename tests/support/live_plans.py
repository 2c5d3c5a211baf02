"""A plan of one engine, from a calibration and a workload, without a search.

`multilora plan --calibration` makes such plans; here the setting is given.
"""

import numpy as np

from multilora.plan.answer import (
    Engine,
    Memory,
    Outcome,
    Plan,
    Setting,
    Slo,
    Tenant,
)
from multilora.serving.diagnosis import tenant_table
from multilora.serving.limits import engine_limits
from multilora.serving.run import serve

NO_MEMORY = Memory(
    usable_bytes=0, weight_bytes=0, slot_bytes=0, overhead_low_bytes=0,
    overhead_high_bytes=0, kv_token_bytes=0, kv_tokens_low=0, kv_tokens_high=0,
)  # fmt: skip


def planned(model, names, workload, setting, cost, slo_ms, itl_ms=None):
    """Return the Plan of an engine that serves a Workload at this cost."""
    limits = engine_limits(
        setting.max_loras, setting.max_num_seqs,
        setting.max_num_batched_tokens, setting.max_cpu_loras,
    )  # fmt: skip
    run = serve(workload, limits, cost, used_before=range(len(names)))
    seconds = float(workload.arrival_ns[-1] - workload.arrival_ns[0]) / 1e9
    tenants = tuple(_tenants(names, run, seconds, slo_ms))
    p50, p99 = np.percentile(run.ttft_ns, [50, 99]) / 1e6
    outcome = Outcome(
        p50_ms=p50,
        p99_ms=p99,
        gap_ms=float(np.nanpercentile(run.tpot_ns, 99)) / 1e6,
        share=sum(one.meets_slo for one in tenants) / len(tenants),
        hit_rate=float(run.is_hit.mean()),
        busy=min(1.0, run.utilisation["busy"]),
        num_slot_loads=run.trace.totals.num_slot_loads,
        num_disk_loads=run.trace.totals.num_disk_loads,
    )
    return one_engine(
        model, tenants, setting, outcome, slo_ms, seconds,
        workload.num_requests, itl_ms,
    )  # fmt: skip


def one_engine(
    model, tenants, setting, outcome, slo_ms, seconds, num, itl_ms=None
):
    """Return a Plan that says what is given."""
    engine = Engine(
        setting=setting, memory=NO_MEMORY, outcome=outcome, tenants=tenants
    )
    return Plan(
        model=str(model), vllm_version="0.32.0", card_gib=1,
        tensor_parallel_size=1, gpu_memory_utilization=0.9,
        max_model_len=1024, slo=Slo(ttft_p99_ms=slo_ms, itl_ms=itl_ms),
        seconds=seconds, num_requests=num, cost="calibrated",
        is_met=outcome.share >= 1, outcome=outcome, engines=(engine,),
        neighbours=(), assumptions=(), notes=(),
    )  # fmt: skip


def _tenants(names, run, seconds, slo_ms):
    load, table = run.workload, tenant_table(run)
    for place, tenant in enumerate(table["tenant"]):
        is_theirs = load.adapter_ids == tenant
        p99 = float(table["p99_ms"][place])
        gaps = run.tpot_ns[is_theirs]
        gaps = gaps[np.isfinite(gaps)]
        yield Tenant(
            name=names[tenant],
            rank=8,
            num_requests=int(is_theirs.sum()),
            requests_per_s=float(is_theirs.sum()) / seconds,
            mean_prompt_tokens=float(load.prompt_tokens[is_theirs].mean()),
            mean_output_tokens=float(load.output_tokens[is_theirs].mean()),
            p50_ms=float(table["p50_ms"][place]),
            p99_ms=p99,
            gap_ms=float(np.percentile(gaps, 99)) / 1e6 if len(gaps) else None,
            meets_slo=p99 <= slo_ms,
        )


def setting(max_loras=2, max_cpu_loras=3, tokens=1024, seqs=16):
    return Setting(
        max_loras=max_loras, max_lora_rank=8, max_cpu_loras=max_cpu_loras,
        max_num_batched_tokens=tokens, max_num_seqs=seqs,
    )  # fmt: skip
