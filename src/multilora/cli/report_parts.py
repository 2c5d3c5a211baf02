"""The tables of a plan's page."""

from multilora.cli.markup import escaped, table
from multilora.deploy.quoting import counted
from multilora.deploy.serve_args import serve_line
from multilora.units import percent as exact_percent

MAX_LINES = 18  # of a serve line that is shown; its file has all
MAX_ENGINES = 3  # whose lines are shown
# What most of a late request's wait was; the words of serving.diagnosis.
CAUSES = {
    "api": "the API server",
    "deferral": "waits for a slot",
    "kv": "waits for KV memory",
    "seats": "waits for max_num_seqs",
    "load": "loads of its adapter",
    "congestion": "other requests' tokens",
    "own": "its own prompt",
}


def percent(share):
    """Return a share as text, whole percents without a point: "95 %"."""
    is_whole = abs(100 * share - round(100 * share)) < 1e-9
    return exact_percent(share, 0 if is_whole else 1)


def slo_text(slo):
    """Return what is promised to one tenant, as words."""
    text = f"a TTFT of {slo.ttft_p99_ms:g} ms at their 99th percentile"
    if slo.itl_ms is not None:
        text += f" and a mean gap of {slo.itl_ms:g} ms between tokens"
    return text


def verdict_text(tenant):
    """Return "met", or why a tenant's late requests are late."""
    if tenant.meets_slo:
        return "met"
    cause = tenant.cause
    return f"late: {CAUSES.get(cause, cause)}" if cause else "late"


def question(plan):
    """Return what was asked, as a table."""
    rate = plan.num_requests / plan.seconds if plan.seconds else 0
    width = plan.tensor_parallel_size
    rows = [
        ("model", plan.model),
        (
            "GPUs",
            f"{plan.card_gib:g} GiB each, {width} an engine "
            "(tensor_parallel_size)",
        ),
        ("gpu_memory_utilization", f"{plan.gpu_memory_utilization:g}"),
        ("max_model_len", f"{plan.max_model_len:,}"),
        ("vLLM", plan.vllm_version),
        ("tenants", f"{plan.num_tenants:,}"),
        (
            "traffic",
            f"{counted(plan.num_requests, 'request')} in {plan.seconds:,.0f} "
            f"s, {rate:.3g} a second",
        ),
        ("SLO", f"{slo_text(plan.slo)}, for {percent(plan.slo.share)} of "
                "tenants"),
    ]  # fmt: skip
    return table(("", ""), rows, is_narrow=True, room=300)


def settings(plan):
    """Return the engines' arguments and what they meet, an engine a column.

    Many engines are rows, for a page has no room for as many columns.
    """
    names = (
        "engine", "tenants", "max_loras", "max_lora_rank", "max_cpu_loras",
        "max_num_batched_tokens", "max_num_seqs", "KV tokens", "TTFT p50",
        "TTFT p99", "gap p99", "tenants in SLO", "no load needed", "busy",
        "slot loads", "disk loads",
    )  # fmt: skip
    rows = [_engine_cells(*item) for item in enumerate(plan.engines, 1)]
    caption = "Arguments of vllm serve, and what the simulation gives; ms"
    if len(rows) <= MAX_ENGINES:
        head, *lines = zip(names, *rows, strict=True)
        places = range(1, len(head))
        head = ("", *(f"engine {number}" for number in head[1:]))
        return table(head, lines, caption, places, is_narrow=True)
    few = (0, 1, 2, 3, 4, 7, 9, 11)
    return table(
        [names[place] for place in few],
        [[row[place] for place in few] for row in rows],
        caption,
        range(1, len(few)),
    )


def _engine_cells(number, engine):
    setting, memory, outcome = engine.setting, engine.memory, engine.outcome
    return (
        number, f"{len(engine.tenants):,}", setting.max_loras,
        setting.max_lora_rank, setting.max_cpu_loras,
        setting.max_num_batched_tokens, setting.max_num_seqs,
        f"{memory.kv_tokens_low:,} to {memory.kv_tokens_high:,}",
        *_outcome_cells(outcome), percent(outcome.busy),
        f"{outcome.num_slot_loads:,}", f"{outcome.num_disk_loads:,}",
    )  # fmt: skip


def _outcome_cells(outcome):
    gap = "none" if outcome.gap_ms is None else f"{outcome.gap_ms:,.0f}"
    return (
        f"{outcome.p50_ms:,.0f}", f"{outcome.p99_ms:,.0f}", gap,
        percent(outcome.share), percent(outcome.hit_rate),
    )  # fmt: skip


def serve_lines(plan):
    """Return the commands of the first engines, long ones cut."""
    found = []
    for number in range(1, min(len(plan.engines), MAX_ENGINES) + 1):
        lines = serve_line(plan, number).splitlines()
        found.append(f"<p>Engine {number}, engine-{number}.sh:</p>")
        shown = [escaped(line, 200) for line in lines[:MAX_LINES]]
        if len(lines) > MAX_LINES:
            more = counted(len(lines) - MAX_LINES, "line")
            shown.append(f"    … {more} more in engine-{number}.sh")
        found.append(f"<pre>{'<br>'.join(shown)}</pre>")
    if more := len(plan.engines) - MAX_ENGINES:
        if more > 0:
            found.append(
                f"<p>{counted(more, 'more engine')}: see engine-*.sh.</p>"
            )
    return "\n".join(found)


def neighbours(plan):
    """Return the plan with one dial moved, or that nothing was moved."""
    if not plan.neighbours:
        return "<p>No other setting was simulated.</p>"
    rows = [("this plan", *_outcome_cells(plan.outcome))]
    rows += [
        (f"{one.dial} = {one.value:,}", *_cells(one.outcome))
        for one in plan.neighbours
    ]
    return table(
        ("setting", "p50", "p99", "gap", "in SLO", "hits"),
        rows,
        "The same plan with one dial moved; TTFT and gap in ms",
        range(1, 6),
    )


def assumptions(plan):
    """Return what was taken for granted, what flips the verdict first."""
    if not plan.assumptions:
        return "<p>No assumption was tried otherwise.</p>"
    rows = [
        (
            one.what,
            one.instead,
            *_cells(one.outcome)[1:4:2],
            "yes" if one.flips else "no",
        )
        for one in sorted(plan.assumptions, key=lambda one: not one.flips)
    ]
    return table(
        ("taken for granted", "if instead", "p99", "in SLO", "new verdict"),
        rows,
        "TTFT in ms; a new verdict is one on the SLO",
        (2, 3),
        room=300,
    )


def _cells(outcome):
    if outcome is None:
        return ("", "no start", "", "", "")
    return _outcome_cells(outcome)
