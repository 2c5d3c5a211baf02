"""Measure what the public traces are like, and store the figures.

    python tools/measure_traffic.py SEQUENCE USES WINDOWS

SEQUENCE and USES are GenTD26 in the columns request,base,adapter and
seconds,user,base,adapter; WINDOWS is a day of ServeGen's clients in
client,window_10min,req_per_s,cv (see multilora.traffic.public). Rewrites
src/multilora/data/public_traffic.json: figures, never the rows.
"""

import json
import re
import sys
from pathlib import Path

import numpy as np

from multilora.cache.hitrate import hit_rate_curve
from multilora.traffic.locality import (
    favourites_kept,
    own_share,
    top_shares,
    zipf_slope,
)
from multilora.traffic.public import read_sequence, read_uses, read_windows
from multilora.traffic.windows import WINDOW_S

TARGET = Path(__file__).parents[1] / "src/multilora/data/public_traffic.json"
SLOTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
WITHIN_S = 600  # a longer pause ends a session
NUM_SHUFFLES = 20
NUM_CLIENTS = 162  # of ServeGen's file, those without a request that day too
DAY_WINDOWS = 144
GENTD26 = {
    "source": "Alibaba clusterdata, cluster-trace-v2026-GenAI (GenTD26: "
    "diffusion, real adapter ids), snapshot 7a6c496",
    "url": "https://github.com/alibaba/clusterdata/tree/7a6c496/"
    "cluster-trace-v2026-GenAI",
    "licence": "none stated, so its rows are not carried",
    "what": "all: every use in order; base: uses of the busiest base model; "
    "timed: the uses with a time and a user. hit_rate: exact LRU at slots, "
    f"cold start counted; shuffled: mean over {NUM_SHUFFLES} random orders "
    "of the same ids; zipf: slope of log uses on log rank over the first 50 "
    "and 200; favourites_kept: of the first half's top 20, in the second's",
}
SESSIONS = (
    "of timed. A session is a run of uses of one adapter by one user with at "
    f"most {WITHIN_S} s between two. own_share: uses whose adapter was last "
    "used by the same user and at most that long ago. returns_own: of the "
    "other uses of a known adapter, those by its last user. think: pauses "
    "within sessions, sigma of their logarithm; num_days: first to last use"
)
SERVEGEN = {
    "source": "ServeGen (Alibaba, 2025), clients of the large model, day 8",
    "url": "https://github.com/alibaba/ServeGen",
    "licence": "Apache-2.0",
    "what": f"top: share of requests of the busiest clients of {NUM_CLIENTS};"
    " active: share of the day's windows of ten minutes in which a client has "
    "a row; rates and cvs: of a client's row; sigma: standard deviation of a "
    "logarithm. rate_sigma: of clients' mean rates while active; "
    "within_sigma: median over clients; stay: median correlation of log rate "
    "with the next window's, clients active all day",
}


def main(sequence_path, uses_path, windows_path):
    sequence = read_sequence(sequence_path)
    uses = read_uses(uses_path)
    busiest = np.bincount(sequence.base_ids).argmax()
    parts = {
        "all": sequence.adapter_ids,
        "base": sequence.adapter_ids[sequence.base_ids == busiest],
        "timed": uses.adapter_ids,
    }
    figures = {
        "gentd26": GENTD26
        | {"slots": SLOTS}
        | {name: of_ids(ids) for name, ids in parts.items()}
        | {"sessions": {"what": SESSIONS} | of_sessions(uses)},
        "servegen": SERVEGEN | of_windows(read_windows(windows_path)),
    }
    text = json.dumps(figures, indent=1)
    TARGET.write_text(one_line_a_row(text) + "\n", "utf-8")


def one_line_a_row(text):
    """Return JSON whose lists of numbers stand on one line each."""
    return re.sub(
        r"\[[^\[\]{}]*\]", lambda found: " ".join(found[0].split()), text
    )


def of_ids(ids):
    rng = np.random.default_rng(0)
    shuffled = [rates(rng.permutation(ids)) for _ in range(NUM_SHUFFLES)]
    return {
        "num_uses": len(ids),
        "num_adapters": len(np.unique(ids)),
        "hit_rate": rounded(rates(ids)),
        "shuffled": rounded(np.mean(shuffled, axis=0)),
        "zipf": rounded([zipf_slope(ids, 50), zipf_slope(ids, 200)], 2),
        "favourites_kept": favourites_kept(ids),
    }


def rates(ids):
    curve = hit_rate_curve(ids)
    return np.array([curve[min(slots, len(curve)) - 1] for slots in SLOTS])


def of_sessions(uses):
    runs, pauses = [], []
    last, run_of, last_user = {}, {}, {}
    num_returns = num_own = num_reached = 0
    rows = zip(uses.times_s, uses.user_ids, uses.adapter_ids, strict=True)
    for time, user, adapter in rows:
        key = (user, adapter)
        goes_on = key in last and time - last[key] <= WITHIN_S
        if goes_on:
            pauses.append(time - last[key])
            runs[run_of[key]] += 1
        else:
            run_of[key] = len(runs)
            runs.append(1)
        reached = goes_on and last_user[adapter] == user
        num_reached += reached
        if adapter in last_user and not reached:
            num_returns += 1
            num_own += last_user[adapter] == user
        last[key], last_user[adapter] = time, user
    pauses, runs = np.array(pauses), np.array(runs)
    own = own_share(uses.times_s, uses.adapter_ids, uses.user_ids, WITHIN_S)
    assert np.isclose(own, num_reached / len(uses.times_s))
    num_users = len(np.unique(uses.user_ids))
    return {
        "own_share": round(own, 4),
        "num_sessions": len(runs),
        "run_mean": round(float(runs.mean()), 2),
        "run_of_one": round(float((runs == 1).mean()), 3),
        "run_p99": round(float(np.quantile(runs, 0.99)), 1),
        "think_median_s": float(np.median(pauses)),
        "think_sigma": round(float(np.log(pauses[pauses > 0]).std()), 2),
        "returns_own": round(num_own / num_returns, 2),
        "num_users": num_users,
        "users_per_adapter": round(
            num_users / len(np.unique(uses.adapter_ids)), 2
        ),
        "num_days": round(float(np.ptp(uses.times_s)) / 86_400, 1),
    }


def of_windows(windows):
    num = np.round(windows.rates * WINDOW_S).astype(np.int64)
    requests = np.repeat(windows.tenant_ids, num)
    num_rows = np.bincount(windows.tenant_ids, minlength=NUM_CLIENTS)
    active = num_rows / DAY_WINDOWS
    heard = np.flatnonzero(num_rows)
    logs = [np.log(windows.rates[windows.tenant_ids == k]) for k in heard]
    mean = [np.exp(log).mean() for log in logs]
    long = [log for log in logs if len(log) > 20]
    whole = [log for log in logs if len(log) == DAY_WINDOWS]
    cv_logs = [np.log(windows.cvs[windows.tenant_ids == k]) for k in heard]
    return {
        "num_clients": NUM_CLIENTS,
        "num_silent": int((num_rows == 0).sum()),
        "num_requests": int(num.sum()),
        "least_requests": int(num.min()),
        "tops": [1, 10, 20],
        "top": rounded(top_shares(requests, [1, 10, 20]), 3),
        "active_median": round(float(np.median(active)), 3),
        "active_mean": round(float(active.mean()), 3),
        "active_sd": round(float(active.std()), 3),
        "rate_sigma": round(float(np.std(np.log(mean))), 2),
        "within_sigma": round(float(np.median([x.std() for x in long])), 2),
        "stay": round(
            float(np.median([np.corrcoef(x[1:], x[:-1])[0, 1]
                             for x in whole])), 2
        ),
        "cv_median": round(float(np.median(windows.cvs)), 2),
        "cv_median_by_requests": round(
            float(np.median(np.repeat(windows.cvs, num))), 2
        ),
        "cv_sigma": round(
            float(np.std([np.median(log) for log in cv_logs])), 2
        ),
        "cv_within": round(
            float(np.median([x.std() for x in cv_logs if len(x) > 20])), 2
        ),
    }  # fmt: skip


def rounded(values, digits=5):
    return [round(float(value), digits) for value in values]


if __name__ == "__main__":
    main(*sys.argv[1:])
