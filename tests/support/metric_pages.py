"""Pages of /metrics as vLLM 0.32.0 writes them, with numbers of our choice."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
TOKENS = (1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192)
LABELS = {"model_name": "base", "engine": "0"}


def page(
    *,
    running=0,
    deferred=0,
    capacity=0,
    kv=0.0,
    lora_lines=((4, (), 1.0),),
    preemptions=0,
    prompt_tokens=0,
    ttft_s=(),
    gaps_s=(),
    step_tokens=(),
    started_s=None,
    corrupted=None,
    engines=1,
):
    """Return a page; lora_lines are (max_lora, names, time).

    Each engine has all of the numbers.
    """
    registry = CollectorRegistry()
    gauges = {
        "vllm:num_requests_running": running,
        "vllm:num_requests_waiting": deferred + capacity,
        "vllm:kv_cache_usage_perc": kv,
    }
    counters = {
        "vllm:num_preemptions": preemptions,
        "vllm:prompt_tokens": prompt_tokens,
    }
    if corrupted is not None:
        counters["vllm:corrupted_requests"] = corrupted
    histograms = {
        "vllm:time_to_first_token_seconds": (ttft_s, SECONDS),
        "vllm:inter_token_latency_seconds": (gaps_s, SECONDS),
        "vllm:iteration_tokens_total": (step_tokens, TOKENS),
    }
    every = [LABELS | {"engine": str(k)} for k in range(engines)]

    def metric(kind, name, labels, **more):
        return kind(name, name, labels, registry=registry, **more)

    for name, value in gauges.items():
        made = metric(Gauge, name, list(LABELS))
        for labels in every:
            made.labels(**labels).set(value)
    by_reason = metric(
        Gauge, "vllm:num_requests_waiting_by_reason", [*LABELS, "reason"]
    )
    for labels in every:
        by_reason.labels(**labels, reason="deferred").set(deferred)
        by_reason.labels(**labels, reason="capacity").set(capacity)
    for name, value in counters.items():
        made = metric(Counter, name, list(LABELS))
        for labels in every:
            made.labels(**labels).inc(value)
    for name, (values, bounds) in histograms.items():
        made = metric(Histogram, name, list(LABELS), buckets=bounds)
        for labels in every:
            for value in values:
                made.labels(**labels).observe(value)
    if lora_lines:
        names = ("max_lora", "waiting_lora_adapters", "running_lora_adapters")
        info = metric(Gauge, "vllm:lora_requests_info", names)
        for most, adapters, at in lora_lines:
            joined = ",".join(adapters)
            info.labels(str(most), joined, joined).set(at)
    if started_s is not None:
        metric(Gauge, "process_start_time_seconds", []).set(started_s)
    return generate_latest(registry).decode()
