"""Fit the session generator to the public trace, and print how near it is.

    python tools/fit_traffic.py

Reads src/multilora/data/public_traffic.json alone. Think times, the spread of
runs and the two shares of users are taken as measured. The mean run (measured
with long pauses cut off, so a little short), sessions per second, their CV and
the memory are moved by steps that get smaller until the hit rates at four slot
counts, and the share of uses by the same user of late, come no nearer. Prints
the two settings to be typed into multilora.traffic.sessions, and a table.
"""

import numpy as np

from multilora.cache.hitrate import hit_rate_curve
from multilora.published import published
from multilora.traffic.lengths import lognormal_tokens
from multilora.traffic.locality import (
    favourites_kept,
    own_share,
    zipf_slope,
)
from multilora.traffic.sessions import Habits, session_arrivals

FIGURES = published("public_traffic")["gentd26"]
SLOTS = (4, 8, 32, 128)
SEEDS = range(10, 26)  # the tests take others
STEPS = (1.5, 1.2, 1.08, 1.03)


def measured_habits():
    of = FIGURES["sessions"]
    return Habits(
        run_mean=of["run_mean"],
        run_sigma=1.3,
        think_s=of["think_median_s"],
        think_sigma=of["think_sigma"],
        sessions_per_s=1 / 600,
        cv=1.5,
        memory=5.0,
        own=of["returns_own"],
        new_user=of["users_per_adapter"],
    )


def traces(part, habits, seeds=SEEDS):
    num = FIGURES[part]["num_uses"], FIGURES[part]["num_adapters"]
    return [session_arrivals(*num, habits, seed) for seed in seeds]


def rates(trace):
    curve = hit_rate_curve(trace.adapter_ids)
    return np.array([curve[slots - 1] for slots in SLOTS])


def errors(part, habits, seeds=SEEDS):
    """Return generated minus published hit rates, a row a seed."""
    at = [FIGURES["slots"].index(slots) for slots in SLOTS]
    public = np.array(FIGURES[part]["hit_rate"])[at]
    return np.array([rates(t) for t in traces(part, habits, seeds)]) - public


def loss(parts, habits):
    """Return the summed squares of the mean errors."""
    found = sum((errors(part, habits).mean(0) ** 2).sum() for part in parts)
    if "timed" in parts:  # the part whose users are known
        own = own_shares("timed", habits, SEEDS).mean()
        found += (own - FIGURES["sessions"]["own_share"]) ** 2
    return found


def own_shares(part, habits, seeds):
    return np.array([
        own_share(t.times_s, t.adapter_ids, t.user_ids)
        for t in traces(part, habits, seeds)
    ])  # fmt: skip


def fit(parts, habits, names):
    best = loss(parts, habits)
    for step in STEPS:
        is_better = True
        while is_better:
            is_better = False
            for name in names:
                for factor in (step, 1 / step):
                    moved = habits._replace(
                        **{name: getattr(habits, name) * factor}
                    )
                    found = loss(parts, moved)
                    if found < best:
                        best, habits, is_better = found, moved, True
    return Habits._make(float(f"{value:.3g}") for value in habits)


def run_sigma(habits):
    """Return the sigma whose longest hundredth of runs begins as measured."""
    target = FIGURES["sessions"]["run_p99"]
    tried = np.arange(1, 2.01, 0.05)
    p99 = [
        np.quantile(lognormal_tokens(200_000, habits.run_mean, s, 1_000), 0.99)
        for s in tried
    ]
    return round(float(tried[np.abs(np.array(p99) - target).argmin()]), 2)


def report(name, habits, parts):
    print(name, "=", habits)
    print("part    slots  public  generated  worst of ten seeds")
    for part in parts:
        found = errors(part, habits, range(10))
        for column, slots in enumerate(SLOTS):
            public = FIGURES[part]["hit_rate"][FIGURES["slots"].index(slots)]
            error = found[:, column]
            print(f"{part:6} {slots:6} {public:7.3f} "
                  f"{public + error.mean():10.3f} "
                  f"{np.abs(error).max():19.3f}")  # fmt: skip
    for part in parts:
        made = traces(part, habits, range(10))
        own = own_shares(part, habits, range(10)).mean()
        kept = np.mean([favourites_kept(t.adapter_ids) for t in made])
        slopes = np.mean(
            [[zipf_slope(t.adapter_ids, n) for n in (50, 200)] for t in made],
            axis=0,
        )
        print(f"{part}: own share {own:.3f}, favourites kept {kept:.1f} of "
              f"20, slopes {slopes[0]:.2f} {slopes[1]:.2f}")  # fmt: skip


def main():
    start = measured_habits()
    start = start._replace(run_sigma=run_sigma(start))
    both = ("all", "timed")
    report("GENTD26", fit(both, start, FITTED), both)
    longer = start._replace(run_mean=5.0)
    found = fit(("base",), longer, FITTED)
    report("GENTD26_BASE", found, ("base",))


FITTED = ("run_mean", "sessions_per_s", "cv", "memory")

if __name__ == "__main__":
    main()
