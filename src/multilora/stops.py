"""Stops of a slider, as a reader sees them: a name, a value, its unit."""

# Axis: what stands before the slider, and the unit after a value. What vLLM
# has a flag for keeps the flag's name.
AXES = {
    "base": ("base", ""),
    "hot_every": ("hot request every", "step"),
    "load": ("load", "request/s"),
    "max_cpu_loras": ("max_cpu_loras", "adapter"),
    "max_lora_rank": ("max_lora_rank", ""),
    "max_loras": ("max_loras", "slot"),
    "model": ("model", ""),
    "newcomer_at": ("newcomer walked", "of 4"),
    "num_adapters": ("adapters", "adapter"),
    "over": ("cost over", ""),
    "rank": ("rank", ""),
    "rate": ("rate per adapter", "request/s"),
    "request": ("request", ""),
    "rows": ("rows in the batch", "row"),
    "sessions": ("sessions at once", "session"),
    "skew": ("Zipf skew", ""),
    "slots": ("slots", "slot"),
    "small_rank": ("small rank", ""),
    "spread_hours": ("busy hours over", "h"),
    "step": ("step", ""),
    "tenant": ("tenant", ""),
    "tenants": ("tenants", "tenant"),
    "traffic": ("traffic", ""),
    "width": ("layer width", ""),
}
COUNTED = {"adapter", "row", "session", "slot", "step", "tenant"}


def label(axis):
    """Return the name of an axis that stands before its slider."""
    return AXES.get(axis, (axis.replace("_", " "), ""))[0]


def value_text(axis, stop):
    """Return a stop with its unit: '8 slots', '0.05 request/s', 'zipf'."""
    text = str(stop)
    if isinstance(stop, int | float):
        text = f"{stop:,}" if isinstance(stop, int) else f"{stop:g}"
    unit = AXES.get(axis, (axis, ""))[1]
    if unit in COUNTED and stop != 1:
        unit += "s"
    return f"{text} {unit}".rstrip()
