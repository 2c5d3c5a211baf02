"""Ray, where it is installed: imported without noise, else a sentence."""

import os
from importlib.util import find_spec
from types import ModuleType

from multilora.arguments import shown

VERSION = "2.60.0"  # what the tests run on
# Read as Ray is imported: no statistics are sent, waiting has an end.
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_CLIENT_INITIAL_CONNECTION_TIMEOUT_S": "2",
    "RAY_CLIENT_MAX_CONNECTION_TIMEOUT_S": "2",
}
# Ray Serve asks a replica for the length of its queue, and goes elsewhere if
# there is no answer in 0.1 s: with vLLM in the replica's process that depends
# on how busy the machine is.
SERVE_ENVIRONMENT = ENVIRONMENT | {
    "RAY_SERVE_QUEUE_LENGTH_RESPONSE_DEADLINE_S": "5",
    "RAY_SERVE_MAX_QUEUE_LENGTH_RESPONSE_DEADLINE_S": "5",
}
QUIET = {"log_to_driver": False, "logging_level": "ERROR"}  # for ray.init
_LOCAL = QUIET | {"address": "local", "include_dashboard": False}
TRIES = 3


def has_ray() -> bool:
    """True where a package called ray can be imported."""
    return find_spec("ray") is not None


def require_ray(name: str, value: object, extra: str) -> None:
    """Raise ValueError where Ray is absent: it was asked for by an argument.

    extra is what of Ray is needed, as pip names it: client, serve.
    """
    if not has_ray():
        raise ValueError(
            f"{name} is {shown(value)}, but Ray is not installed: pip "
            f"install 'ray[{extra}]=={VERSION}'"
        )


def imported() -> ModuleType:
    """Return the module ray, with ENVIRONMENT set before its import."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import ray

    return ray


def start_here(num_cpus: int) -> ModuleType:
    """Start Ray on this machine; return the module ray.

    It counts num_cpus cores, whatever the machine has. Ray gives up where
    its own agents take some 15 s to start, as on a busy machine: it is
    tried TRIES times.
    """
    ray = imported()
    for _ in range(TRIES - 1):
        try:
            ray.init(**_LOCAL, num_cpus=num_cpus)
            return ray
        except Exception:  # of many kinds, the last of them is raised below
            ray.shutdown()
    ray.init(**_LOCAL, num_cpus=num_cpus)
    return ray
