"""A configuration of inference-perf that sends an engine its traffic."""

import math
from typing import Any

from multilora.arguments import items, shown
from multilora.deploy.quoting import comment
from multilora.deploy.serve_args import port_of
from multilora.deploy.yaml_files import yaml_text
from multilora.plan.answer import Engine, Plan, Tenant, engine_of

# Shares are parts of 2**20: their sum is 1 in any order, to the last bit,
# and inference-perf accepts no other.
PARTS = 2**20
SHORTEST_S, LONGEST_S = 60, 900


def traffic_split(tenants: list[Tenant]) -> list[dict[str, Any]]:
    """Return {name, split} of the tenants that ask; the splits' sum is 1.

    A tenant's share is of the requests, rounded to 1 / PARTS but never to
    0. Empty where nobody asks or more than PARTS do.
    Raises TypeError for what are no Tenants.
    """
    tenants = items("tenants", tenants, Tenant)
    counts: dict[str, int] = {}
    for one in tenants:
        counts[one.name] = counts.get(one.name, 0) + one.num_requests
    counts = {name: count for name, count in counts.items() if count}
    if not counts or len(counts) > PARTS:
        return []
    whole = sum(counts.values())
    spare = PARTS - len(counts)  # each has one part already
    shares = {name: 1 + spare * count // whole
              for name, count in counts.items()}  # fmt: skip
    most = max(counts, key=lambda name: counts[name])
    shares[most] += PARTS - sum(shares.values())
    return [
        {"name": name, "split": parts / PARTS}
        for name, parts in shares.items()
    ]


def load_test(plan: Plan, number: int) -> dict[str, Any] | None:
    """Return the configuration for one engine; None where nobody asks it.

    Arrivals are Poisson at the engine's rate, for the plan's time but 60 to
    900 s; every prompt and reply has the engine's mean length in tokens.
    Source: inference-perf 0.7.0, config/; held against its models by a test.
    Raises as engine_of does.
    """
    engine = engine_of(plan, number)
    split = traffic_split(list(engine.tenants))
    rate = _rate(plan, engine)
    if not split or not rate:
        return None
    slo = {"ttft": plan.slo.ttft_p99_ms / 1000}
    if plan.slo.itl_ms is not None:
        slo["itl"] = plan.slo.itl_ms / 1000
    seconds = min(max(math.ceil(plan.seconds), SHORTEST_S), LONGEST_S)
    return {
        "api": {"type": "completion", "streaming": True},
        "data": {
            "type": "random",
            "input_distribution": _fixed(_mean(engine, "mean_prompt_tokens")),
            "output_distribution": _fixed(_mean(engine, "mean_output_tokens")),
        },
        "load": {
            "type": "poisson",
            "stages": [{"rate": rate, "duration": seconds}],
            "base_seed": 0,
            "lora_traffic_split": split,
        },
        "server": {
            "type": "vllm",
            "model_name": plan.model,
            "base_url": f"http://127.0.0.1:{port_of(plan, number)}",
            "ignore_eos": True,
        },
        "tokenizer": {"pretrained_model_name_or_path": plan.model},
        "report": {
            "request_lifecycle": {
                "per_adapter": True,
                "percentiles": [50, 99],
            },
            "goodput": {"constraints": slo},
        },
        "storage": {
            "local_storage": {"path": f"load-test-{number}-{{timestamp}}"}
        },
    }


def load_test_file(plan: Plan, number: int) -> str:
    """Return the configuration's text; comments alone where nobody asks.

    Raises as load_test does.
    """
    made = load_test(plan, number)
    if made is None:
        return comment([f"Nobody asks engine {number}: there is no test."])
    about = [
        "Run with: inference-perf --config_file FILE (0.7.0 or newer, Python "
        "3.12). It asks the engine itself, and each adapter by its name.",
        "Its report by adapter has the TTFT at the 50th and 99th percentile: "
        "compare them with plan.json. The plan's traffic came as it was "
        "recorded; this test keeps its rate, the adapters' shares and the "
        "mean lengths, not its bursts and long prompts. Expect lower times "
        "at the 99th percentile where the plan's traffic was uneven.",
    ]
    if len(plan.engines) > 1:
        about.append(
            "Run the files of all engines at the same time: one host's "
            "engines share its CPUs and its disk."
        )
    return comment(about) + yaml_text([made])


def _rate(plan: Plan, engine: Engine) -> float:
    """Return requests a second, to four digits, 0 where there are none."""
    rate = sum(one.requests_per_s for one in engine.tenants)
    if not rate and plan.seconds:
        rate = sum(one.num_requests for one in engine.tenants) / plan.seconds
    return float(f"{rate:.4g}")


def _mean(engine: Engine, name: str) -> int:
    """Return the mean of the engine's requests, whole tokens, at least 1."""
    tokens = sum(
        getattr(one, name) * one.num_requests for one in engine.tenants
    )
    return max(1, round(tokens / sum(o.num_requests for o in engine.tenants)))


def _fixed(tokens: int) -> dict[str, Any]:
    if not isinstance(tokens, int):
        raise TypeError(f"tokens is {shown(tokens)}, but must be an int")
    return {
        "type": "fixed",
        "min": tokens,
        "max": tokens,
        "mean": tokens,
        "std_dev": 0,
    }
