"""A step cost from steps that were timed: least squares, never negative."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from multilora.arguments import items
from multilora.serving.cost import BENDS, StepCost, step_cost
from multilora.serving.nnls import nonnegative_least_squares
from multilora.serving.timed import TimedStep, checked, groups_of

LEAST_STEP_MS = 1e-6  # step_cost refuses a step of no time
MOST_WEIGHT = 16  # steps alike that count; more say no more about the form
# A knee must bring the squares below this share, and gain more than noise.
KNEE_SHARE, KNEE_RMS = 0.6, 0.01
DOUBTFUL = 0.1  # larger relative errors are the machine's
REWEIGHTED = 10
LEAST_SCALE = 0.3  # of the median step: one below it was seen too late
WORTH_SAYING = 0.1
ALIKE = 0.01  # of the largest singular value: columns that move together
COLUMNS = ("step_ms", "seq_ms", "prompt_token_ms", "lora_ms", "adapter_ms",
           "slot_load_ms", "disk_load_ms")  # fmt: skip
COUNT_OF = {"seq": 1, "prompt_token": 0, "adapter": 2}  # of _counts


class Fit(NamedTuple):
    """A StepCost, how far it is off, and what it cannot know.

    residuals maps a kind of probe to the median of |fitted - timed| / timed
    over its groups of steps alike. notes are sentences.
    """

    cost: StepCost
    residuals: dict[str, float]
    notes: tuple[str, ...]


def fit_cost(timed: Iterable[TimedStep]) -> Fit:
    """Return the Fit of a StepCost to timed steps.

    Steps alike are averaged, without the slowest and the quickest tenth;
    squares are of relative errors. Bends are added, at counts that were
    timed, where they bring the squares below 0.6 of what they were;
    adapter_share is 0, adapter_ms says the same. A token of a prompt has one
    cost: that with an adapter, where such were timed; notes say how far a
    prompt of the base is off. Raises ValueError for no
    steps, a time that is not above 0, or a negative count.
    """
    timed = [checked(item) for item in items("timed", timed, TimedStep)]
    groups = groups_of(timed)
    firsts = [g for g in groups if g.counts[-1] and not _is_aside(g, groups)]
    steps = [
        g for g in groups if not g.counts[-1] and not _is_aside(g, groups)
    ]
    if not steps:
        raise ValueError(
            "timed holds no step between two tokens: there must be one, not "
            "is_first, at least"
        )
    bends = _bends(steps)
    values = dict(zip(_names(bends), _solve(steps, bends)[0], strict=True))
    cost = _cost(values, bends, 0.0)
    api_ms = _api_ms(cost, firsts)
    cost = _cost(values, bends, max(0.0, api_ms))
    notes = [*_told_apart(steps), *_api_notes(api_ms, firsts)]
    notes += _base_notes(cost, groups)
    return Fit(cost, _residuals(cost, steps + firsts), tuple(notes))


def _is_aside(group, groups):
    """True for a base's prompts where an adapter's were timed too."""
    prompt, _, active = group.counts[:3]
    return (
        prompt > 0
        and not active
        and any(g.counts[0] and g.counts[2] for g in groups)
    )


def _base_notes(cost, groups):
    aside = [g for g in groups if _is_aside(g, groups) and not g.counts[-1]]
    if not aside:
        return []
    ratio = float(np.median([g.ms / fitted_ms(cost, g.counts) for g in aside]))
    if abs(ratio - 1) < WORTH_SAYING:
        return []
    return [
        f"steps with the base's prompts take {ratio:.2f} of what is fitted"
    ]


def _design(steps, bends):
    """Return the columns of _names(bends), a row a group, unweighted."""
    counts = np.array([group.counts for group in steps], dtype=float)
    prompt, running, active, slots, disks = counts.T[:5]
    columns = {
        "step_ms": np.ones(len(steps)), "seq_ms": running,
        "prompt_token_ms": prompt, "lora_ms": (active > 0) * 1.0,
        "adapter_ms": active, "slot_load_ms": slots, "disk_load_ms": disks,
    }  # fmt: skip
    for name, knee in bends.items():
        beyond = np.maximum(columns[f"{name}_ms"] - knee, 0)
        columns[f"{name}_ms"] = columns[f"{name}_ms"] - beyond
        columns[f"far {name}"] = beyond
    return np.stack([columns[name] for name in _names(bends)], axis=1)


def _names(bends):
    return [*COLUMNS, *(f"far {name}" for name in bends)]


def _solve(steps, bends):
    """Return (values, loss): least squares of relative errors, by weight.

    Errors beyond DOUBTFUL count in proportion only (Huber, 1964): a machine
    that stalls makes one step too long, and the next too short.
    """
    ms = np.array([group.ms for group in steps])
    num = np.minimum([group.num for group in steps], MOST_WEIGHT)
    share = num / num.sum()
    scale = np.maximum(ms, LEAST_SCALE * np.median(ms))
    design, target = _design(steps, bends) / scale[:, None], ms / scale
    trust = np.ones(len(steps))
    for _ in range(REWEIGHTED):
        root = np.sqrt(share * trust)
        values = nonnegative_least_squares(
            design * root[:, None], target * root
        )
        error = np.abs(design @ values - target)
        before, trust = trust, DOUBTFUL / np.maximum(error, DOUBTFUL)
        if np.allclose(trust, before, atol=1e-3):
            break
    far = DOUBTFUL * (2 * error - DOUBTFUL)
    loss = np.where(error > DOUBTFUL, far, error**2)
    return values, float(share @ loss)


def _bends(steps):
    """Add the knee that helps most, one a name, while it helps clearly."""
    bends: dict[str, int] = {}
    square = _solve(steps, bends)[1]
    while square > KNEE_RMS**2:
        tried = [
            (_solve(steps, bends | {name: knee})[1], name, knee)
            for name in BENDS
            if name not in bends
            for knee in _knees(steps, name)
        ]
        if not tried or min(tried)[0] > KNEE_SHARE * square:
            break
        square, name, knee = min(tried)
        bends[name] = knee
    return bends


def _knees(steps, name):
    """Return the counts that may be a knee: not the least, nor the most."""
    seen = {group.counts[COUNT_OF[name]] for group in steps} - {0}
    return sorted(seen)[1:-1]


def _cost(values, bends, api_ms):
    return step_cost(
        max(values["step_ms"], LEAST_STEP_MS),
        values["seq_ms"],
        values["prompt_token_ms"],
        0.0,
        values["slot_load_ms"],
        values["disk_load_ms"],
        lora_ms=values["lora_ms"],
        adapter_ms=values["adapter_ms"],
        api_ms=api_ms,
        bends={k: (knee, values[f"far {k}"]) for k, knee in bends.items()},
    )


def fitted_ms(cost: StepCost, counts: tuple[int, ...]) -> float:
    """Return what a step costs, from the counts of a TimedStep, in order."""
    prompt, running, active, slots, disks, is_first = counts
    ns = cost.compute_ns(prompt, running, active) + cost.load_ns(slots, disks)
    return float(ns + cost.api_ns * is_first) / 1e6


def _api_ms(cost, firsts):
    """Return what first tokens took beyond their step; may be below 0."""
    beyond = [item.ms - fitted_ms(cost, item.counts) for item in firsts]
    return float(np.median(beyond)) if beyond else 0.0


def _residuals(cost, groups):
    errors = defaultdict(list)
    for group in groups:
        error = fitted_ms(cost, group.counts) / group.ms - 1
        errors[group.kind].append(abs(error))
    return {kind: float(np.median(e)) for kind, e in errors.items()}


def _told_apart(steps):
    """Say which costs no step shows, and which only show together."""
    design = _design(steps, {})
    norms = np.linalg.norm(design, axis=0)
    notes = [
        f"{name} was in no probe and is 0"
        for name, norm in zip(COLUMNS, norms, strict=True)
        if not norm
    ]
    shown = np.flatnonzero(norms)
    _, sizes, ways = np.linalg.svd(design[:, shown] / norms[shown])
    for size, way in zip(sizes, ways, strict=False):
        if size < ALIKE * sizes[0]:
            alike = [COLUMNS[k] for k in shown[np.abs(way) > 0.1]]
            notes.append(f"{' and '.join(alike)} could not be told apart")
    return notes


def _api_notes(api_ms, firsts):
    if not firsts:
        return ["api_ms was in no probe and is 0"]
    if api_ms < 0:
        return [f"api_ms came out at {api_ms:.1f} ms and is 0: too small"]
    return []
