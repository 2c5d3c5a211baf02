"""Stops of a slider, as a reader sees them: the name before a slider."""

# What vLLM has a flag for keeps the flag's name.
LABELS = {
    "base": "base",
    "card": "card",
    "card_gib": "card",
    "engines": "engines",
    "hot_every": "hot request every",
    "hot_load": "hot tenant's load",
    "load": "load",
    "max_cpu_loras": "max_cpu_loras",
    "max_lora_rank": "max_lora_rank",
    "max_loras": "max_loras",
    "model": "model",
    "newcomer_at": "newcomer walked",
    "noticed_s": "noticed after",
    "num_adapters": "adapters",
    "over": "cost over",
    "rank": "rank",
    "rate": "rate per adapter",
    "replicas": "hot tenant is on",
    "request": "request",
    "rows": "rows in the batch",
    "rule": "rule",
    "scrape_ms": "scraped every",
    "sessions": "sessions at once",
    "skew": "Zipf skew",
    "slo_ms": "promise",
    "slots": "slots",
    "small_rank": "small rank",
    "spread_hours": "busy hours over",
    "step": "step",
    "tensor_parallel_size": "tensor_parallel_size",
    "tenant": "tenant",
    "tenants": "tenants",
    "traffic": "traffic",
    "width": "layer width",
}


def label(axis):
    """Return the name of an axis that stands before its slider."""
    return LABELS.get(axis, axis.replace("_", " "))
