"""Pictures of the guide: the base and its detours, a queue's steps."""

from functools import cache

from multilora.arguments import integer
from multilora.figures import style
from multilora.figures.boxes import LETTERS, bare, box, counted
from multilora.memory.economics import lora_params_per_layer
from multilora.serving.steps import Job, simulate
from multilora.units import percent

WIDTH, RANK = 4096, 16
BATCH = (0, 1, -1, 0, 2, 3, 1, -1)  # a tenant a row, -1 for the base
QUEUE = (
    Job("a", 0, 0, 3), Job("b", 1, 0, 3), Job("c", 2, 0, 2),
    Job("a2", 0, 0, 3), Job("d", 3, 1, 2), Job("base", -1, 1, 3),
    Job("b2", 1, 2, 3), Job("c2", 2, 3, 2),
)  # fmt: skip
MAX_STEPS = 10


def detour_table(tenants):
    """Return who each row belongs to, and what the batch costs.

    Rows of tenants beyond the first `tenants` go to the base. Weights are
    those of a 4096 × 4096 layer and adapters of rank 16; flop_share is the
    detours' multiply-adds over the base's.
    """
    tenants = integer("tenants", tenants, 0, max(BATCH) + 1)
    rows = [tenant if tenant < tenants else -1 for tenant in BATCH]
    adapted = sum(row >= 0 for row in rows)
    thin = lora_params_per_layer(WIDTH, WIDTH, RANK)
    return {
        "rows": rows,
        "base_matmuls": 1,
        "thin_matmuls": 2 * tenants,
        "flop_share": adapted * thin / (len(rows) * WIDTH**2),
    }


def draw_detours(fig, tenants):
    """Draw a batch that passes the shared base, and each tenant's detour."""
    table = detour_table(tenants)
    (axes,) = style.panels(fig, bare(
        "One batch, one base, a detour for each tenant",
        (-0.1, 10.1), (9.0, -0.2),
    ))  # fmt: skip
    words = "W: one matmul\nfor all rows"
    box(axes, (3.2, 0.1), (3.6, 4.6), style.WEIGHTS, words)
    for tenant in range(tenants):
        lane = 5.05 + tenant
        axes.plot([4.6, 5.4], [lane + 0.4] * 2, color=style.SLOTS, lw=1.2)
        for left, name in ((3.2, "A"), (5.4, "B")):
            text = f"{name} of {LETTERS[tenant]}"
            box(axes, (left, lane), (1.4, 0.8), style.SLOTS, text)
    for place, tenant in enumerate(table["rows"]):
        name, color = "base", style.PALE
        if tenant >= 0:
            name, color = LETTERS[tenant], style.SLOTS
            _ways(axes, place, 5.45 + tenant, color)
        _ways(axes, place, 0.6 + 0.5 * place, style.WEIGHTS)
        for left in (0, 8.7):
            box(axes, (left, place + 0.05), (1.3, 0.9), color, name)
    num_thin = table["thin_matmuls"]
    return (
        f"8 rows, {counted(tenants, 'tenant')} beside the base: "
        f"{table['base_matmuls']} base matmul and {num_thin} thin ones, "
        f"{percent(table['flop_share'], 2)} more multiply-adds."
    )


def _ways(axes, place, lane, color):
    """Draw a row's way into a lane and out of it again."""
    for x in ((1.3, 3.2), (6.8, 8.7)):
        y = (place + 0.5, lane) if x[0] < 2 else (lane, place + 0.5)
        axes.plot(x, y, color=color, lw=0.9)


@cache
def queue_table(max_loras):
    """Return the Steps in which the eight requests of QUEUE run."""
    return simulate(QUEUE, max_loras)


def draw_queue(fig, step, max_loras):
    """Draw eight requests, admitted or deferred, up to one step."""
    steps = queue_table(max_loras)
    (axes,) = style.panels(fig, {
        "title": "Eight requests in the order they came", "xlabel": "step",
        "xlim": (-0.6, MAX_STEPS + 0.6), "ylim": (len(QUEUE) - 0.4, -1.2),
        "yticks": list(range(len(QUEUE))), "grid": "x",
        "yticklabels": [job.request_id for job in QUEUE],
    })  # fmt: skip
    step = integer("step", step, 0, MAX_STEPS)
    for name, color in (("running", style.HIT), ("deferred", style.DEFERRED)):
        axes.barh([-9], [0], color=color, label=name)
    axes.axvspan(step - 0.5, step + 0.5, color=style.PALE, alpha=0.2, lw=0)
    for item in steps[: step + 1]:
        for place, job in enumerate(QUEUE):
            for names, color in ((item.running, style.HIT),
                                 (item.deferred, style.DEFERRED)):  # fmt: skip
                if job.request_id in names:
                    axes.barh(place, 0.92, 0.7, item.step - 0.46, color=color)
    axes.legend(loc="upper right", ncols=2)
    return _queue_sentence(steps, step, max_loras)


def _queue_sentence(steps, step, max_loras):
    head = f"Step {step}, max_loras={max_loras}: "
    if step >= len(steps):
        return head + f"all have run, in {len(steps)} steps."
    now = steps[step]
    text = f"running {', '.join(now.running)}"
    if now.deferred:
        return head + f"{text}; deferred {', '.join(now.deferred)}."
    return head + f"{text}; nobody is deferred."
