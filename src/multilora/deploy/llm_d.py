"""A plan's engines behind llm-d's router: the scorers that it must run."""

from typing import Any

from multilora.deploy.quoting import comment
from multilora.deploy.serve_args import checked_plan, widest_rank
from multilora.deploy.yaml_files import yaml_text
from multilora.plan.answer import Plan
from multilora.routing.llmd import (
    KV_WEIGHT,
    LORA_WEIGHT,
    PREFIX_WEIGHT,
    QUEUE_WEIGHT,
)

# The scorers of the default profile, with its weights.
DEFAULT_SCORERS = {
    "queue-scorer": QUEUE_WEIGHT,
    "kv-cache-utilization-scorer": KV_WEIGHT,
    "prefix-cache-scorer": PREFIX_WEIGHT,
}
LORA_SCORER = "lora-affinity-scorer"


def llm_d(plan: Plan) -> dict[str, Any]:
    """Return an EndpointPickerConfig: the default profile, and LoRA's scorer.

    Source: llm-d-router, pkg/epp/config/loader/defaults.go (the weights) and
    pkg/epp/framework/plugins/scheduling/scorer/loraaffinity, both read, not
    run. Raises TypeError for no Plan.
    """
    checked_plan(plan)
    weights = {**DEFAULT_SCORERS, LORA_SCORER: LORA_WEIGHT}
    profile = {
        "name": "default",
        "plugins": [
            {"pluginRef": name, "weight": weight}
            for name, weight in weights.items()
        ],
    }
    return {
        "apiVersion": "llm-d.ai/v1alpha1",
        "kind": "EndpointPickerConfig",
        "plugins": [{"type": name} for name in weights],
        "schedulingProfiles": [profile],
    }


def llm_d_file(plan: Plan) -> str:
    """Return the configuration's text, with what must be true for its use.

    Raises TypeError for no Plan.
    """
    about = [
        "Another way than gateway.conf, if llm-d's router is your front "
        "already. It is the file that its endpoint picker gets with "
        "--config-file, or pluginsCustomConfig in the values of its chart.",
        f"The default profile has no {LORA_SCORER}; here it has the weight "
        f"{LORA_WEIGHT:g}, as in the plan's table of routers. It prefers "
        "engines whose metric vllm:lora_requests_info names the adapter. That "
        "metric names adapters of requests that run or wait, not those in a "
        "slot: an adapter without a request in flight has no home.",
        "It does not follow the plan, so times of tenants can differ from "
        "the plan's. llm-d takes it that each engine serves every adapter: "
        "give each engine the --lora-modules of all of them, and "
        f"--max-lora-rank {widest_rank(plan)}.",
    ]
    return comment(about) + yaml_text([llm_d(plan)])
