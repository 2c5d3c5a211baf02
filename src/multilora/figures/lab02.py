"""Pictures of lab 02: replies by tag, deferral, slots, wrong bases."""

import numpy as np

from multilora import tenants
from multilora.arguments import choice
from multilora.figures import style
from multilora.memory.economics import slot_reservation_bytes
from multilora.models.shapes import ModelShape
from multilora.serving.steps import Job, simulate
from multilora.units import format_bytes

FLOAT32 = 4


def draw_tag_matrix(fig, matrix):
    """Draw {tag: {style: share}}, tags being styles, as shaded numbers."""
    tags = list(matrix)
    shares = np.array([[row[tag] for tag in tags] for row in matrix.values()])
    (axes,) = style.panels(fig, {
        "title": "Replies that are exactly one style's answer",
        "xlabel": "style of the answer", "ylabel": "tag of the request",
        "xlim": (-0.5, len(tags) - 0.5), "ylim": (len(tags) - 0.5, -0.5),
        "xticks": list(range(len(tags))), "xticklabels": tags,
        "yticks": list(range(len(tags))), "yticklabels": tags,
        "grid": None,
    })  # fmt: skip
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1.3, aspect="auto")
    for (row, column), share in np.ndenumerate(shares):
        axes.text(column, row, f"{share:.2f}", ha="center", va="center",
                  color="white" if share > 0.6 else style.INK)  # fmt: skip
    diagonal = [row[tag] for tag, row in matrix.items()]
    others = [
        share
        for tag, row in matrix.items()
        for other, share in row.items()
        if other != tag
    ]
    return (
        f"On its own tag's style: {min(diagonal):.3f} to {max(diagonal):.3f}; "
        f"on any other: at most {max(others):.3f}."
    )


def deferral_table(num_adapters, max_loras, reply_tokens=5):
    """Return (jobs, Steps): a request for each adapter, then one of base."""
    jobs = [
        Job(f"adapter {number}", number, 0, reply_tokens)
        for number in range(1, num_adapters + 1)
    ]
    jobs.append(Job("base", -1, 0, reply_tokens))
    return jobs, simulate(jobs, max_loras)


def draw_deferral(fig, num_adapters, max_loras):
    """Draw who runs and who is deferred when all ask at once."""
    jobs, steps = deferral_table(num_adapters, max_loras)
    (axes,) = style.panels(fig, {
        "title": "One request each, all at step 1, five tokens",
        "xlabel": "step of the engine", "xlim": (0.4, 50),
        "ylim": (8.7, -0.7), "yticks": [], "grid": "x",
    })  # fmt: skip
    names = [job.request_id for job in jobs]
    for row, name in enumerate(names):
        first = next(s.step for s in steps if name in s.running) + 1
        num_steps = sum(name in s.running for s in steps)
        axes.barh(row, first - 1, 0.6, 1, color=style.DEFERRED,
                  label="deferred" if row == 0 else None)  # fmt: skip
        axes.barh(row, num_steps, 0.6, first, color=style.HIT,
                  label="running" if row == 0 else None)  # fmt: skip
        axes.text(first + num_steps + 0.4, row, name, va="center", size=8)
    style.legend_above(axes, ncols=2)
    return (
        f"{num_adapters} adapters, max_loras={max_loras}: all done after "
        f"{len(steps)} steps; the base is never deferred."
    )


def draw_reservation(fig, max_loras, max_lora_rank):
    """Draw what slots reserve beside the small base's own weights."""
    shape = ModelShape.from_config(tenants.folder_of("base"), name="base")
    weights = shape.num_params * FLOAT32
    slots = slot_reservation_bytes(shape, max_loras, max_lora_rank, "float32")
    (axes,) = style.panels(fig, {
        "title": "Our small base, float32", "xlabel": "MiB", "xscale": "log",
        "xlim": (0.01, 1000), "ylim": (-0.6, 1.6), "yticks": [0, 1],
        "yticklabels": ["slots", "base"], "grid": "x",
    })  # fmt: skip
    axes.barh(1, weights / 2**20, 0.6, color=style.WEIGHTS)
    axes.barh(0, slots / 2**20, 0.6, color=style.SLOTS)
    style.threshold(axes, weights / 2**20, "size of the base", vertical=True)
    style.legend_above(axes, ncols=1)
    return (
        f"max_loras={max_loras}, max_lora_rank={max_lora_rank}: slots take "
        f"{format_bytes(slots)}, {slots / weights:.2f} times the base."
    )


def draw_wrong_base(fig, base):
    """Draw how well each tenant answers when it is put on a base."""
    crossed = tenants.record()["crossed"]
    rows = crossed[choice("base", base, crossed)]
    names = list(rows)
    (axes,) = style.panels(fig, {
        "title": "Adapters on this base",
        "xlabel": "share of held-out prompts", "xlim": (0, 1.02),
        "ylim": (len(names) - 0.4, -0.9), "yticks": list(range(len(names))),
        "yticklabels": names, "grid": "x",
    })  # fmt: skip
    places = np.arange(len(names))
    exact = [rows[name]["exact"] for name in names]
    plain = [rows[name]["base's answer"] for name in names]
    axes.barh(places - 0.18, exact, 0.34, color=style.HIT, label="exact")
    axes.barh(places + 0.18, plain, 0.34, color=style.PALE,
              label="the base's own answer")  # fmt: skip
    style.legend_above(axes, ncols=2)
    return (
        f"On {base}, exact and the base's own answer: "
        + ", ".join(
            f"{name} {right:.2f} and {own:.2f}"
            for name, right, own in zip(names, exact, plain, strict=True)
        )
        + "."
    )
