"""What becomes of requests when an engine of a live fleet is killed."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import families
from live_fleet import Sent, requests, send


def home_of(tenant, fleet, router):
    """Return the server that a router sends a tenant to."""
    before = [len(server.arrivals) for server in fleet.servers]
    send(router.url, [Sent(0, tenant, 3, 2)], router.headers)
    (home,) = (
        server
        for server, num in zip(fleet.servers, before, strict=True)
        if len(server.arrivals) > num
    )
    return home


def send_to_all(routers):
    """Send requests through each router at once; return their outcomes."""

    def one(number, router):
        wanted = requests(42, 6, seed=number)
        return send(router.url, wanted, router.headers)

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(one, count(), routers))


def killed_row(router, outcomes):
    """Return what became of a router's requests when an engine was killed.

    num_lost are those without a whole answer, num_exhausted those that the
    router gave up after its last try.
    """

    def counted(metric, label):
        return router.counters(f"vllm_router_{metric}", label)

    opened = counted("cb_state_transitions", "to")
    return {
        "policy": router.policy,
        "header": router.header,
        "options": list(router.options),
        "num_requests": len(outcomes),
        "num_lost": sum(one.status != 200 for one in outcomes),
        "num_retries": sum(counted("retries", "route").values()),
        "num_exhausted": sum(counted("retries_exhausted", "route").values()),
        "num_opened": opened.get("open", 0),
    }


def comes_back(server, router):
    """True when a router sends tenant 0 home again, within 20 s."""
    deadline = time.monotonic() + 20
    num = len(server.arrivals)
    while time.monotonic() < deadline:
        send(router.url, [Sent(0, 0, 3, 2)], router.headers)
        if len(server.arrivals) > num:
            return True
        time.sleep(1)
    return False


class Orphans:
    """Parents that start a fleet and are killed, beside other tests."""

    # During the start-up, and when the router is ready.
    CASES = (("SIGKILL", "4"), ("SIGKILL", "healthy"))

    def __init__(self, pool):
        self._pool, self._found = pool, None

    def begin(self):
        if self._found is None:
            self._found = self._pool.submit(
                families.parents, "vllm fleet", self.CASES
            )

    def result(self):
        self.begin()
        return self._found.result()


def kill(server):
    """End the API server of a multilora Server as `kill -9` does."""
    wanted = {"--port", str(server.port), "--model"}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue  # it ended meanwhile
        if wanted <= set(line):
            os.kill(int(folder.name), signal.SIGKILL)
            return
    raise AssertionError(f"no process serves port {server.port}")
