"""A plan as a Compose file: one service an engine, and the gateway."""

from typing import Any

from multilora.deploy.containers import (
    CACHE,
    GATEWAY_IMAGE,
    PORT,
    binds,
    container_args,
    engine_names,
    image_of,
    is_folder,
)
from multilora.deploy.gateway import gateway_conf
from multilora.deploy.quoting import comment, counted
from multilora.deploy.serve_args import (
    FIRST_PORT,
    checked_plan,
    gpus_of,
    port_of,
)
from multilora.deploy.yaml_files import yaml_text
from multilora.plan.answer import Plan

# The image has Python for sure, curl perhaps.
_IS_HEALTHY = (
    "from urllib.request import urlopen; "
    f"urlopen('http://127.0.0.1:{PORT}/health', timeout=5)"
)


def compose(plan: Plan) -> dict[str, Any]:
    """Return the Compose file as a dict.

    All engines share one machine; engine 1 has its first GPUs. Several
    engines stand behind a gateway on port 8000, each also has its own port.
    Source: the Compose specification; held against its schema by a test.
    Raises as container_args does.
    """
    services = {
        name: _engine(plan, number)
        for number, name in enumerate(engine_names(plan), 1)
    }
    whole: dict[str, Any] = {"name": "multilora", "services": services}
    if len(plan.engines) > 1:
        services["gateway"] = _gateway(list(services))
        inner = [f"{name}:{PORT}" for name in engine_names(plan)]
        conf = gateway_conf(plan, inner, PORT).replace("$", "$$")
        whole["configs"] = {"gateway": {"content": conf}}
    if not is_folder(plan.model):
        whole["volumes"] = {"hub": {}}
    return whole


def compose_file(plan: Plan) -> str:
    """Return the Compose file's text, with what a reader must know above.

    Raises as compose does.
    """
    num_gpus = len(checked_plan(plan).engines) * plan.tensor_parallel_size
    about = [
        "Start with: docker compose up. Docker needs the NVIDIA Container "
        "Toolkit.",
        f"The plan's {counted(len(plan.engines), 'engine')} run on this "
        f"machine, which needs {counted(num_gpus, 'GPU')}. The ports are open "
        "to this machine only.",
    ]
    if len(plan.engines) > 1:
        about.append(
            "The gateway sends each tenant to the engine that the plan gave "
            "them; each engine knows its own adapters only. The file needs "
            "Compose 2.23.1 or newer, which can hold the gateway's "
            "configuration."
        )
    return comment(about) + yaml_text([compose(plan)])


def _engine(plan: Plan, number: int) -> dict[str, Any]:
    reserved = {
        "driver": "nvidia",
        "device_ids": gpus_of(plan, number),
        "capabilities": ["gpu"],
    }
    service = {
        "image": image_of(plan),
        "entrypoint": ["vllm", "serve"],
        "command": container_args(plan, number),
        "ipc": "host",  # workers of one engine share memory through it
        "ports": [_port(port_of(plan, number))],
        "volumes": _volumes(plan),
        "deploy": {"resources": {"reservations": {"devices": [reserved]}}},
        "healthcheck": {
            "test": ["CMD", "python3", "-c", _IS_HEALTHY],
            "interval": "10s",
            "start_period": "20m",
        },
        "restart": "unless-stopped",
    }
    if not is_folder(plan.model):
        service["environment"] = {"HF_TOKEN": "${HF_TOKEN:-}"}
    return service


def _gateway(engines: list[str]) -> dict[str, Any]:
    is_up = {name: {"condition": "service_healthy"} for name in engines}
    return {
        "image": GATEWAY_IMAGE,
        "configs": [{"source": "gateway", "target": "/etc/nginx/nginx.conf"}],
        "ports": [_port(FIRST_PORT)],
        "depends_on": is_up,
        "restart": "unless-stopped",
    }


def _port(published: int) -> str:
    return f"127.0.0.1:{published}:{PORT}"


def _volumes(plan: Plan) -> list[dict[str, Any]]:
    found = [_bind(source, target) for source, target in binds(plan)]
    if not is_folder(plan.model):
        found.append({"type": "volume", "source": "hub", "target": CACHE})
    return found


def _bind(source: str, target: str) -> dict[str, Any]:
    return {
        "type": "bind",
        "source": source.replace("$", "$$"),
        "target": target.replace("$", "$$"),
        "read_only": True,
    }
