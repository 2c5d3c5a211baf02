"""A plan as Kubernetes manifests: a Deployment and a Service an engine."""

from typing import Any

from multilora.deploy.containers import (
    ADAPTERS,
    CACHE,
    GATEWAY_IMAGE,
    MODEL,
    PORT,
    adapters_root,
    container_args,
    engine_names,
    image_of,
    is_folder,
)
from multilora.deploy.gateway import gateway_conf
from multilora.deploy.quoting import comment, dns_name, one_line
from multilora.deploy.serve_args import checked_plan
from multilora.deploy.yaml_files import yaml_text
from multilora.plan.answer import Plan

# Seconds that a pod may take to download and load a model: 60 times 20.
_STARTUP = {"periodSeconds": 20, "failureThreshold": 60}


def kubernetes(plan: Plan) -> list[dict[str, Any]]:
    """Return the manifests: engines, and the gateway before several.

    Source: Kubernetes' API, apps/v1 and v1; held against its schemas by a
    test. Raises as container_args does.
    """
    prefix = dns_name(checked_plan(plan).model.rstrip("/").rsplit("/", 1)[-1])
    names = engine_names(plan, f"{prefix}-engine-")
    found = []
    for number, name in enumerate(names, 1):
        found += [_deployment(name, _engine(plan, number)), _service(name)]
    if len(names) > 1:
        gateway = f"{prefix}-gateway"
        inner = [f"{name}:{PORT}" for name in names]
        data = {"nginx.conf": gateway_conf(plan, inner, PORT)}
        found += [
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": gateway},
                "data": data,
            },
            _deployment(gateway, _gateway(gateway)),
            _service(gateway),
        ]
    return found


def kubernetes_file(plan: Plan) -> str:
    """Return the manifests' text, with what a reader must know above.

    Raises as kubernetes does.
    """
    about = [
        "Apply with: kubectl apply -f kubernetes.yml. Each engine needs "
        f"{checked_plan(plan).tensor_parallel_size} of a node's "
        "nvidia.com/gpu."
    ]
    if root := adapters_root(plan):
        about.append(
            "The adapters are read from a PersistentVolumeClaim called "
            f"adapters, which you make: copy what {one_line(root, 200)} holds "
            "to its top."
        )
    if is_folder(plan.model):
        about.append(
            "The base is read from a PersistentVolumeClaim called model, "
            f"which you make: copy what {one_line(plan.model, 200)} holds to "
            "its top."
        )
    else:
        about.append(
            "The base is downloaded at each start; for one that needs a "
            "token, make a Secret called hf-token with the key token."
        )
    if len(plan.engines) > 1:
        about.append(
            "The gateway sends each tenant to the engine that the plan gave "
            "them; each engine knows its own adapters only."
        )
    return comment(about) + yaml_text(kubernetes(plan))


def _deployment(name: str, pod: dict[str, Any]) -> dict[str, Any]:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": 1,
            # A second pod would wait for the GPUs of the first.
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def _service(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {
            "selector": {"app": name},
            "ports": [{"name": "http", "port": PORT, "targetPort": PORT}],
        },
    }


def _engine(plan: Plan, number: int) -> dict[str, Any]:
    health = {"httpGet": {"path": "/health", "port": PORT}}
    gpus = {"nvidia.com/gpu": plan.tensor_parallel_size}
    mounts = [{"name": "shm", "mountPath": "/dev/shm"}]
    volumes: list[dict[str, Any]] = [
        {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "2Gi"}}
    ]
    if adapters_root(plan):
        mounts.append(_read("adapters", ADAPTERS))
        volumes.append(_claim("adapters"))
    container: dict[str, Any] = {
        "name": "vllm",
        "image": image_of(plan),
        "command": ["vllm", "serve"],
        "args": container_args(plan, number),
        "ports": [{"name": "http", "containerPort": PORT}],
        "resources": {"limits": gpus, "requests": gpus},
        "startupProbe": health | _STARTUP,
        "readinessProbe": health | {"periodSeconds": 5},
        "livenessProbe": health | {"periodSeconds": 30, "failureThreshold": 3},
        "volumeMounts": mounts,
    }
    if is_folder(plan.model):
        mounts.append(_read("model", MODEL))
        volumes.append(_claim("model"))
    else:
        mounts.append({"name": "hub", "mountPath": CACHE})
        volumes.append({"name": "hub", "emptyDir": {}})
        token = {"name": "hf-token", "key": "token", "optional": True}
        container["env"] = [
            {"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": token}}
        ]
    # A Service called vllm would set VLLM_PORT, which vLLM reads.
    return {
        "enableServiceLinks": False,
        "containers": [container],
        "volumes": volumes,
    }


def _gateway(name: str) -> dict[str, Any]:
    container = {
        "name": "nginx",
        "image": GATEWAY_IMAGE,
        "ports": [{"name": "http", "containerPort": PORT}],
        "readinessProbe": {"httpGet": {"path": "/health", "port": PORT}},
        "volumeMounts": [
            {
                "name": "conf",
                "mountPath": "/etc/nginx/nginx.conf",
                "subPath": "nginx.conf",
                "readOnly": True,
            }
        ],
    }
    conf = {"name": "conf", "configMap": {"name": name}}
    return {"containers": [container], "volumes": [conf]}


def _read(name: str, path: str) -> dict[str, Any]:
    return {"name": name, "mountPath": path, "readOnly": True}


def _claim(name: str) -> dict[str, Any]:
    claim = {"claimName": name, "readOnly": True}
    return {"name": name, "persistentVolumeClaim": claim}
