"""A fleet of two real servers, and what data/fleet_run.json keeps of it."""

import json
import os
import re
from contextlib import contextmanager
from importlib.metadata import version

import numpy as np
import pytest

from live_fleet import NUM_TENANTS, name_of, requests
from live_fleet_counts import cost_of, simulated, taken, workload_of
from multilora.engine import vllm_version
from multilora.engine.replicas import Replicas
from multilora.published import machine
from multilora.serving.cost import StepCost
from multilora.tenants import folder_of, tenant_names
from repository import ROOT

RECORD = ROOT / "src/multilora/data/fleet_run.json"
NUM_ENGINES = 2
PORTS = (18411, 18412)  # the ring of homes is made of addresses
MAX_LORAS = MAX_CPU_LORAS = 2
DISK_MS = 60
SIZES = MAX_NUM_SEQS, MAX_BATCHED_TOKENS = 16, 1024
PER_SECOND = 8
NUM_REQUESTS = 80
WANTED = requests(NUM_REQUESTS, PER_SECOND, seed=1)
OPTIONS = (
    *("--max-num-seqs", str(MAX_NUM_SEQS)),
    *("--max-num-batched-tokens", str(MAX_BATCHED_TOKENS)),
    "--no-enable-prefix-caching",
)


@contextmanager
def started():
    """Start two servers, a core each, with four tenants' files twice."""
    files = tenant_names()
    with pytest.MonkeyPatch.context() as patch:
        # The order in which a step's adapters are walked.
        patch.setenv("PYTHONHASHSEED", "0")
        with Replicas(
            folder_of("base"),
            {
                name_of(i): folder_of(files[i % len(files)])
                for i in range(NUM_TENANTS)
            },
            NUM_ENGINES,
            cores=sorted(os.sched_getaffinity(0))[:NUM_ENGINES],
            ports=PORTS,
            max_loras=MAX_LORAS,
            max_cpu_loras=MAX_CPU_LORAS,
            disk_ms=DISK_MS,
            is_runtime_loading_allowed=True,
            options=OPTIONS,
        ) as fleet:
            yield fleet


def row_of(policy, header, outcomes, phases):
    """Return the requests, and what is kept of one policy's run of them.

    The simulator's figures stand beside the engines'.
    """
    ttft_ms = np.array([1e3 * one.ttft_s for one in outcomes])
    took = [taken(outcomes, phase.arrivals) for phase in phases]
    arrivals = dict(sorted((took[0] | took[1]).items()))
    first_ns = min(one.at_ns for one in arrivals.values())
    num = [len(one) for one in took]
    loads = [phase.num_slot_loads for phase in phases]
    api_ms = float(ttft_ms.min())
    row = {
        "policy": policy,
        "header": header,
        "num_requests": num,
        "imbalance": round(max(num) * len(num) / sum(num), 3),
        "num_slot_loads": loads,
        "hit_rate": round(1 - sum(loads) / sum(num), 3),
        **_percentiles(ttft_ms),
        "cost": [cost_of(phase, api_ms)._asdict() for phase in phases],
        "used_before": [phase.used for phase in phases],
        "engine": [int(number in took[1]) for number in arrivals],
        "arrival_ns": [one.at_ns - first_ns for one in arrivals.values()],
    }
    requests = columns_of([x.prompt_tokens for x in arrivals.values()])
    return requests, row | {"simulated": simulated_row(row, requests)}


def simulated_row(row, requests):
    """Return what the simulator makes of a row's own arrivals."""
    found = [
        simulated(
            workload_of(row, requests, place), used, StepCost(**cost),
            MAX_LORAS, MAX_CPU_LORAS, SIZES,
        )
        for place, (used, cost) in enumerate(
            zip(row["used_before"], row["cost"], strict=True)
        )
    ]  # fmt: skip
    return {
        "num_slot_loads": [round(loads, 1) for loads, _ in found],
        **_percentiles(np.concatenate([ttft for _, ttft in found])),
    }


def columns_of(prompt_tokens):
    """Return the requests as columns, their texts counted in tokens."""
    return {
        "at_s": [round(one.at_s, 4) for one in WANTED],
        "tenant": [one.tenant for one in WANTED],
        "prompt_tokens": prompt_tokens,
        "output_tokens": [one.output_tokens for one in WANTED],
    }


def _percentiles(ttft_ms):
    p50, p99 = np.percentile(ttft_ms, [50, 99])
    return {"p50_ms": round(float(p50), 1), "p99_ms": round(float(p99), 1)}


def record(findings):
    """Write what was found into the data, in the place of the last run."""
    name, number = vllm_version()
    made = {name: number, "vllm-router": version("vllm-router"), **machine()}
    data = {
        "source": "make fleet RECORD=--record",
        "made": made,
        "base": "the tiny base of the labs, four tenants' files under 8 names",
        "num_engines": NUM_ENGINES,
        "num_tenants": NUM_TENANTS,
        "zipf": 1.0,
        "per_second": PER_SECOND,
        "disk_ms": DISK_MS,
        "max_loras": MAX_LORAS,
        "max_cpu_loras": MAX_CPU_LORAS,
        "max_num_seqs": MAX_NUM_SEQS,
        "max_num_batched_tokens": MAX_BATCHED_TOKENS,
        **findings,
    }
    RECORD.write_text(_in_rows(json.dumps(data, indent=1)) + "\n", "utf-8")


def _in_rows(text):
    """Write each list of numbers on one line."""
    return re.sub(
        r"\[[\d.,\s-]+\]", lambda found: " ".join(found[0].split()), text
    )
