"""A plan as values of the chart of vLLM's production-stack."""

from typing import Any

from multilora.deploy.containers import (
    ADAPTERS,
    MODEL,
    adapters_root,
    container_args,
    engine_names,
    image_of,
    is_folder,
)
from multilora.deploy.quoting import comment, one_line
from multilora.deploy.serve_args import checked_plan
from multilora.deploy.yaml_files import yaml_text
from multilora.plan.answer import Plan

# The chart gives these by keys of its own; the rest are extraArgs.
_BY_CHART = ("--enable-lora", "--port", "--tensor-parallel-size")
_POD = {"requestCPU": 6, "requestMemory": "16Gi"}  # the chart wants both


def production_stack(plan: Plan) -> dict[str, Any]:
    """Return the chart's values: a modelSpec an engine, and the router.

    An engine lists its own adapters only, and the router asks only engines
    that list the model of a request: so it follows the plan. Among several
    of them a ring of hashes chooses by the model's name.
    Source: vllm-project/production-stack, helm/values.yaml,
    helm/templates/deployment-vllm-multi.yaml and
    src/vllm_router/routers/routing_logic.py, read, not run.
    Raises as container_args does.
    """
    checked_plan(plan)
    specs = [
        _model_spec(plan, number, name)
        for number, name in enumerate(engine_names(plan), 1)
    ]
    return {
        "servingEngineSpec": {"enableEngine": True, "modelSpec": specs},
        "routerSpec": {
            "enableRouter": True,
            "routingLogic": "session",
            "sessionKey": "model",
        },
    }


def production_stack_file(plan: Plan) -> str:
    """Return the values' text, with what a reader must know above.

    Raises as production_stack does.
    """
    about = [
        "Another way than kubernetes.yml: values for the Helm chart of vLLM's "
        "production-stack. helm install NAME vllm/vllm-stack -f "
        "production-stack.yml",
        "Its router reads the model's name in the body: clients need no "
        "header. It asks only engines that list the adapter in /v1/models, "
        "and each engine here lists those that the plan gave it. With "
        "sessionKey: model, one adapter that several engines list stays on "
        "one of them.",
        "It has no backup servers: where an engine and its backup list an "
        "adapter, the hash of the name chooses between them, so times of "
        "tenants can differ from the plan's.",
        "requestCPU and requestMemory are the chart's own examples: set them "
        "for your nodes.",
    ]
    if root := adapters_root(plan):
        about.append(
            "The adapters are read from a PersistentVolumeClaim called "
            f"adapters, which you make: copy what {one_line(root, 200)} holds "
            "to its top."
        )
    return comment(about) + yaml_text([production_stack(plan)])


def _model_spec(plan: Plan, number: int, name: str) -> dict[str, Any]:
    repository, tag = image_of(plan).split(":")
    model, *words = container_args(plan, number)
    claims = _claims(plan)
    spec: dict[str, Any] = {
        "name": name,
        "repository": repository,
        "tag": tag,
        "modelURL": model,
        "replicaCount": 1,
        **_POD,
        "requestGPU": plan.tensor_parallel_size,
        "enableLoRA": True,
        "shmSize": "2Gi",
        "vllmConfig": {
            "enablePrefixCaching": True,
            "tensorParallelSize": plan.tensor_parallel_size,
            "extraArgs": _without_charts_own(words),
        },
    }
    if claims:
        spec["extraVolumes"] = [
            {"name": claim, "persistentVolumeClaim": {"claimName": claim}}
            for claim in claims
        ]
        spec["extraVolumeMounts"] = [
            {"name": claim, "mountPath": path, "readOnly": True}
            for claim, path in claims.items()
        ]
    return spec


def _claims(plan: Plan) -> dict[str, str]:
    """Return {claim: folder in the container} of what engines read."""
    claims = {}
    if adapters_root(plan):
        claims["adapters"] = ADAPTERS
    if is_folder(plan.model):
        claims["model"] = MODEL
    return claims


def _without_charts_own(words: list[str]) -> list[str]:
    """Return the words but those options, with their values."""
    found: list[str] = []
    skips = False
    for word in words:
        if word.startswith("--"):
            skips = word in _BY_CHART
        if not skips:
            found.append(word)
    return found
