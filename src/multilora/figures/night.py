"""Pages of /metrics, as vLLM would have written them in a simulated run."""

from itertools import pairwise

import numpy as np

from multilora.serving.cost import NS_PER_MS

NS_PER_S = 1000 * NS_PER_MS
# The bounds of vLLM 0.32.0's histograms that a diagnosis reads, shortened.
SECONDS = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2.5, 5, 10)
TOKENS = (1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)
LABELS = 'engine="0",model_name="base"'


def metric_pages(run, moments_s):
    """Return a page of metrics for each moment of a run, in s, as text.

    Gauges, names, tokens and first tokens are the run's. Steps, and so the
    gaps between tokens, are found again from its events: where no prompt is
    under way, all that run get a token a step.
    """
    steps = _steps(run)
    return [_page(run, steps, round(at * NS_PER_S)) for at in moments_s]


def _page(run, steps, at):
    trace, load = run.trace, run.workload
    is_running = (trace.admitted <= at) & (at < trace.finished)
    is_waiting = (trace.joined <= at) & (at < trace.admitted)
    active = np.unique(load.adapter_ids[is_running])
    named = load.adapter_ids[is_running & (trace.first_token <= at)]
    is_full = len(active) >= run.limits.max_loras
    is_out = ~np.isin(load.adapter_ids, active)
    num_deferred = int((is_waiting & is_out).sum()) if is_full else 0
    num_waiting = int(is_waiting.sum())
    names = ",".join(f"tenant-{one:02}" for one in np.unique(named))
    is_begun = trace.first_token <= at
    ends, tokens, gaps_s, counts = steps
    past = ends <= at
    lines = [
        f"vllm:num_requests_running{{{LABELS}}} {is_running.sum()}",
        f"vllm:num_requests_waiting{{{LABELS}}} {num_waiting}",
        _by_reason("deferred", num_deferred),
        _by_reason("capacity", num_waiting - num_deferred),
        f"vllm:kv_cache_usage_perc{{{LABELS}}} 0",
        f"vllm:prompt_tokens_total{{{LABELS}}} "
        f"{load.prompt_tokens[is_begun].sum()}",
        f'vllm:lora_requests_info{{max_lora="{run.limits.max_loras}",'
        f'running_lora_adapters="{names}",waiting_lora_adapters="{names}"}} '
        f"{at / NS_PER_S}",
        *_histogram("time_to_first_token_seconds", SECONDS,
                    run.ttft_ns[is_begun] / NS_PER_S),
        *_histogram("inter_token_latency_seconds", SECONDS, gaps_s[past],
                    counts[past, 1]),
        *_histogram("iteration_tokens_total", TOKENS, tokens[past],
                    counts[past, 0]),
    ]  # fmt: skip
    return "\n".join([*lines, ""])


def _by_reason(reason, num):
    name = "vllm:num_requests_waiting_by_reason"
    return f'{name}{{{LABELS},reason="{reason}"}} {num}'


def _histogram(name, bounds, values, counts=None):
    counts = np.ones(len(values), int) if counts is None else counts
    for bound in (*bounds, np.inf):
        most = "+Inf" if np.isinf(bound) else f"{bound:g}"
        num = counts[values <= bound].sum()
        yield f'vllm:{name}_bucket{{{LABELS},le="{most}"}} {num}'
    yield f"vllm:{name}_sum{{{LABELS}}} {(values * counts).sum():.6f}"
    yield f"vllm:{name}_count{{{LABELS}}} {counts.sum()}"


def _steps(run):
    """Return ends (ns), tokens, gaps in s and (steps, gaps), a stretch each.

    A stretch is what lies between two events: a step with prompts, or as
    many equal steps as it has room for.
    """
    trace, load = run.trace, run.workload
    events = np.unique([trace.admitted, trace.first_token, trace.finished])
    found = []
    for start, end in pairwise(events):
        is_in = (trace.admitted <= start) & (start < trace.finished)
        if not is_in.any():
            continue
        is_decoding = is_in & (trace.first_token <= start)
        is_new = is_in & (trace.admitted == start)
        num_decoding = int(is_decoding.sum())
        if (is_in & ~is_decoding).any():
            tokens, num = load.prompt_tokens[is_new].sum() + num_decoding, 1
        else:
            active = len(np.unique(load.adapter_ids[is_in]))
            step = run.cost.compute_ns(num_decoding, num_decoding, active)
            tokens, num = num_decoding, max(1, round((end - start) / step))
        gap_s = (end - start) / num / NS_PER_S
        found.append((end, tokens, gap_s, num, num * num_decoding))
    ends, tokens, gaps_s, *counts = map(np.array, zip(*found, strict=True))
    return ends, tokens, gaps_s, np.stack(counts, axis=1)
