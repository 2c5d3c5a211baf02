"""max_loras by what it serves: p99, tenants in time, KV tokens, hits."""

from functools import cache, lru_cache

from multilora import traffic
from multilora.arguments import choice, integer
from multilora.figures import style
from multilora.figures.serving import SLO_MS, TENANTS
from multilora.models.shipped import model_shape
from multilora.plan.advice import recommend
from multilora.plan.answer import Slo
from multilora.plan.case import make_case
from multilora.plan.choices import slot_choices
from multilora.plan.costs import fitted_costs
from multilora.serving.workload import make_workload
from multilora.traffic.generators import bursts
from multilora.traffic.lengths import lognormal_tokens
from multilora.units import percent

NUM_REQUESTS, RATE = 1_500, 5.0
MEAN_PROMPT, MEAN_OUTPUT = 256, 128
SLOTS = (1, 2, 4, 8, 12, 16, 24, 32, 40)
SLO = Slo(ttft_p99_ms=SLO_MS)
_TRACES = {
    "sessions": lambda num: traffic.sticky(
        num, TENANTS, stay=0.98, num_sessions=12
    ),
    "80/20": lambda num: traffic.eighty_twenty(num, TENANTS),
    "zipf": lambda num: traffic.zipf(num, TENANTS),
    "uniform": lambda num: traffic.uniform(num, TENANTS),
}
SHAPES = tuple(_TRACES)


@cache
def shaped_trace(shape, num_requests=20_000):
    """Return ids of 40 tenants; "sessions" are twelve at once."""
    trace = _TRACES[choice("shape", shape, SHAPES)](num_requests)
    trace.setflags(write=False)
    return trace


@cache
def shaped_workload(shape):
    """Return five minutes of them: five requests a second, at random."""
    num = NUM_REQUESTS
    return make_workload(
        bursts(num, RATE, cv=1),
        shaped_trace(shape, num),
        lognormal_tokens(num, MEAN_PROMPT, seed=1),
        lognormal_tokens(num, MEAN_OUTPUT, seed=2),
        TENANTS,
    )


@lru_cache(maxsize=128)
def choices_of(model, shape, card_gib, max_lora_rank, options=()):
    """Return slot_choices of one engine with the traffic of a shape.

    options are more arguments of memory_ledger, as (name, value) pairs.
    """
    base = model_shape(model)
    case = make_case(
        model, base, card_gib, shaped_workload(shape), fitted_costs(base),
        ranks=[max_lora_rank], slo=SLO, **dict(options),
    )  # fmt: skip
    return slot_choices(case, SLOTS)


def draw_slot_options(fig, model, traffic, card_gib, max_lora_rank, max_loras):
    """Draw p99 and KV tokens against max_loras, and where the card ends.

    The band is the range of KV tokens, the line its low end, which the p99
    was simulated with.
    """
    choices = choices_of(model, traffic, card_gib, max_lora_rank)
    max_loras = integer("max_loras", max_loras, 1, TENANTS)
    ticks = [1, 8, 16, 24, 32, 40]
    left, right = style.panels(fig, {
        "title": "p99 of the time to a first token", "xlabel": "max_loras",
        "ylabel": "ms", "xlim": (0, 40.5), "xticks": ticks, "yscale": "log",
        "ylim": (10, 2e6), "yticks": [10, 100, 1e3, 1e4, 1e5, 1e6],
        "yticklabels": ["10", "100", "1,000", "10,000", "100,000", "10⁶"],
    }, {
        "title": f"Left for KV of {card_gib} GiB", "xlabel": "max_loras",
        "ylabel": "thousand tokens", "xlim": (0, 40.5), "xticks": ticks,
        "yscale": "log", "ylim": (1, 40_000), "yticks": [1, 10, 100, 1000],
        "yticklabels": ["≤ 1", 10, 100, "1,000"],
    })  # fmt: skip
    slots = [row.max_loras for row in choices]
    starts = [row for row in choices if row.outcome is not None]
    # Nothing left lies on the axis' floor, where it can be seen.
    low, high = (
        [max(getattr(row, name), 1000) / 1000 for row in choices]
        for name in ("kv_tokens_low", "kv_tokens_high")
    )
    right.fill_between(slots, low, high, color=style.KV, alpha=0.3)
    right.plot(slots, low, color=style.KV)
    left.plot(
        [row.max_loras for row in starts],
        [row.outcome.p99_ms for row in starts],
        color=style.DEFERRED, marker="o", ms=3,
    )  # fmt: skip
    style.threshold(left, SLO_MS, "promised")
    last = max((row.max_loras for row in starts), default=0)
    for axes in (left, right):
        axes.axvspan(last + 0.5, 41, color=style.MISS, alpha=0.15, lw=0,
                     label="may not start")  # fmt: skip
    chosen = next(row for row in choices if row.max_loras == max_loras)
    dot = {"ms": 8, "clip_on": False, "label": "chosen"}
    if chosen.outcome is not None:
        left.plot(max_loras, chosen.outcome.p99_ms, "o",
                  color=style.DEFERRED, **dot)  # fmt: skip
    right.plot(max_loras, low[slots.index(max_loras)], "o", color=style.KV,
               **dot)  # fmt: skip
    style.legend(right, loc="upper right")
    return (
        f"{model} on {card_gib} GiB, {traffic}, max_lora_rank="
        f"{max_lora_rank}, max_loras={max_loras}: {_said(chosen)}; advice: "
        f"{recommend(choices, SLO).reason}."
    )


def _said(row):
    """Say what a row serves, in the sentence below the picture."""
    if row.outcome is None:
        return f"may not start, {row.kv_tokens_low:,} KV tokens at worst"
    return (
        f"p99 {row.outcome.p99_ms:,.0f} ms, "
        f"{percent(row.outcome.share)} of tenants within {SLO_MS} ms, "
        f"{percent(row.outcome.hit_rate)} hit, {row.kv_tokens_low:,} to "
        f"{row.kv_tokens_high:,} KV tokens left"
    )
