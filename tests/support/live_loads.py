"""Loads that a calibration has not seen: sent to a live server, predicted."""

import threading
import time
from typing import NamedTuple

import numpy as np

from multilora.serving import probes
from multilora.serving.client import Client
from multilora.serving.prediction import predict
from multilora.serving.rounds import Found, Session, drift_of
from multilora.serving.scenes import Call, Scene
from multilora.serving.served import checked_adapters, look_at, words
from multilora.serving.workload import geometric_tokens, make_workload

LENGTHS = {"prompt_tokens": (8, 96), "output_tokens": (4, 32)}
MAX_AT_ONCE = 8


class Load(NamedTuple):
    """Tenants drawn by weights, at the rate that keeps a server so busy."""

    name: str
    weights: tuple[float, ...]
    busy: float
    seconds: float
    seed: int


def workload_of(load, calibration):
    """Return the load's Workload, as slow as its share of busy asks for."""
    rng = np.random.default_rng(load.seed)
    slowest, quickest = 1.0, 40.0  # requests a second
    for _ in range(12):
        rate = (slowest * quickest) ** 0.5
        rng = np.random.default_rng(load.seed)
        num = max(10, round(rate * load.seconds))
        times = np.cumsum(rng.exponential(1 / rate, num))
        shares = np.array(load.weights) / sum(load.weights)
        ids = rng.choice(len(shares), num, p=shares)
        workload = make_workload(
            times,
            ids,
            np.maximum(geometric_tokens(num, 24, 96, load.seed), 8),
            np.maximum(geometric_tokens(num, 12, 32, load.seed + 1), 4),
            num_adapters=len(shares),
        )
        if predict(calibration, workload).busy > load.busy:
            quickest = rate
        else:
            slowest = rate
    return workload


class Watched:
    """A live server under loads: what came of each, and the drift."""

    def __init__(self, server, names, limits):
        self.server, self.names = server, names
        client = Client(server.url, 10**6, 3600)
        served = look_at(client, checked_adapters(names))
        sizes = probes.lengths(
            *LENGTHS.values(), limits.max_num_batched_tokens
        )
        round_, _ = probes.scenes(
            served.base, names, limits, sizes, MAX_AT_ONCE
        )
        self.session = Session(
            client, served, limits, words(client, served.base), 7, print
        )
        self.checks = probes.checks(round_)
        self.last = self.check()

    def check(self):
        return [s for c in self.checks for s in self.session.played(c)]

    def play(self, load, calibration):
        """Send a load; return the row of what was measured and predicted."""
        workload = workload_of(load, calibration)
        calls = tuple(Call(name, 8, 1) for name in self.names)
        self.session.played(Scene("warm", (), calls))
        self.server.count_loads()
        ttft_ms = self.send(workload)
        slot_loads, disk_loads = self.server.count_loads()
        before, self.last = self.last, self.check()
        used = range(len(self.names))
        found = predict(calibration, workload, used_before=used)
        p50, p99 = np.percentile(ttft_ms, [50, 99])
        return {
            "load": load.name,
            "num_requests": workload.num_requests,
            "seconds": round(float(workload.arrival_ns[-1]) / 1e9, 1),
            "drift": round(drift_of(Found(before, self.last, [])), 3),
            "measured": {
                "p50_ms": round(float(p50), 1),
                "p99_ms": round(float(p99), 1),
                "num_slot_loads": slot_loads,
                "num_disk_loads": disk_loads,
            },
            "predicted": {
                "p50_ms": _rounded(found.p50_ms),
                "p99_ms": _rounded(found.p99_ms),
                "num_slot_loads": found.num_slot_loads,
                "num_disk_loads": found.num_disk_loads,
                "busy": round(found.busy, 3),
            },
        }

    def send(self, workload):
        """Send each request at its time; return TTFT in ms, in order."""
        rng = np.random.default_rng(1)
        ttft = np.full(workload.num_requests, np.nan)
        start = time.perf_counter() + 0.5

        def ask(place, model, prompt, num_tokens):
            moments = list(
                self.session.client.stream(model, prompt, num_tokens)
            )
            assert moments[-1][1] == num_tokens
            ttft[place] = 1e3 * (moments[1][0] - moments[0][0])

        threads = []
        for place, (at, tenant, prompt, output) in enumerate(
            zip(*workload[:4], strict=True)
        ):
            tokens = rng.choice(self.session.vocabulary, prompt).tolist()
            thread = threading.Thread(
                target=ask,
                args=(place, self.names[tenant], tokens, int(output)),
            )
            time.sleep(max(0, start + at / 1e9 - time.perf_counter()))
            thread.start()
            threads.append(thread)
        for thread in threads:
            thread.join()
        assert np.isfinite(ttft).all()
        return ttft


def _rounded(interval):
    return None if interval is None else [round(ms, 1) for ms in interval]
