"""vllm-router from PyPI, in front of servers: started, asked, stopped.

Its source: https://github.com/vllm-project/router, release 0.1.17.
"""

import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from multilora.arguments import choice, items
from multilora.engine import launch, loopback
from multilora.engine.loopback import HOST, ServerError
from multilora.engine.program import Program

# kv_aware, the seventh, needs events of the engines' KV caches.
POLICIES = (
    "random",
    "round_robin",
    "cache_aware",
    "power_of_two",
    "consistent_hash",
    "sticky_least_loaded",
)
# What consistent_hash and sticky_least_loaded take for a session, in this
# order; none of the policies reads the body's "model".
SESSION_HEADERS = ("X-Session-ID", "X-User-ID")
HOW_TO_INSTALL = (
    "install it with `make fleet`, or `pip install vllm-router` (Linux)"
)


class Router(Program):
    """vllm-router before servers, for a `with` block.

    sites are the servers' addresses without a path. header names the
    tenant of a request in headers(); None sends none. port and
    metrics_port None take free ones. options are further arguments of
    vllm-router. Raises ServerError when the program is not installed, a
    port is taken, or it is not healthy within `seconds`: it waits for all
    servers first. Its last log lines are in the message.
    """

    what = "router"

    def __init__(
        self,
        sites: Iterable[str],
        policy: str = "consistent_hash",
        header: str | None = "X-Session-ID",
        port: int | None = None,
        metrics_port: int | None = None,
        seconds: float = 30,
        options: Sequence[str] = (),
    ) -> None:
        self.sites = items("sites", sites, str)
        if not self.sites:
            raise ValueError("sites is [], but must hold one server or more")
        self.policy = choice("policy", policy, POLICIES)
        self.header = (
            None
            if header is None
            else choice("header", header, SESSION_HEADERS)
        )
        super().__init__(port, seconds)
        self.metrics_port = (
            launch.free_port()
            if metrics_port is None
            else launch.checked_port(metrics_port, "metrics_port")
        )
        if self.metrics_port == self.port:
            raise ValueError(
                f"metrics_port is {self.port}, but port is that too"
            )
        self.options = items("options", options, str)

    def headers(self, name: str) -> dict[str, str]:
        """Return the headers that a tenant's requests take to keep a home."""
        return {} if self.header is None else {self.header: name}

    def counters(self, metric: str, label: str) -> dict[str, int]:
        """Return {value of the label: count} of one of the router's metrics.

        metric is a counter's name without _total. What has not happened yet
        is not in it.
        """
        page = loopback.get(f"http://{HOST}:{self.metrics_port}/metrics")
        counts: dict[str, int] = {}
        for family in text_string_to_metric_families(page.decode()):
            if family.name.removesuffix("_total") != metric:
                continue
            for sample in family.samples:
                value = sample.labels.get(label, "")
                counts[value] = counts.get(value, 0) + int(sample.value)
        return counts

    def decisions(self) -> dict[str, int]:
        """Return {site: number of requests that the policy sent there}."""
        return self.counters("vllm_router_policy_decisions", "worker")

    def _command(self):
        return [
            _program(),
            *("--worker-urls", *self.sites),
            *("--policy", self.policy),
            *("--host", HOST, "--port", str(self.port)),
            *("--prometheus-host", HOST),
            *("--prometheus-port", str(self.metrics_port)),
            *("--worker-startup-timeout-secs", str(int(self._seconds) + 1)),
            *("--worker-startup-check-interval", "1"),
            *self.options,
        ]

    def _environment(self) -> Mapping[str, str]:
        return {**os.environ, "NO_COLOR": "1"}


def _program() -> str:
    """Return the path of vllm-router: beside this Python, or on PATH."""
    beside = str(Path(sys.executable).parent)
    path = os.pathsep.join([beside, os.environ.get("PATH", "")])
    found = shutil.which("vllm-router", path=path)
    if found is None:
        raise ServerError(f"vllm-router is not installed: {HOW_TO_INSTALL}")
    return found
