"""What Ray Serve is asked: three replicas of two models, six adapters."""

import json
import random
import re
from importlib.metadata import version

from multilora import tenants
from multilora.engine import vllm_version
from multilora.engine.ray_serve import Phase, Setting, serve_on_ray
from multilora.published import machine
from repository import ROOT

RECORD = ROOT / "src/multilora/data/ray_run.json"

ADAPTERS = {
    name: tenants.folder_of(name.split("-")[0])
    for name in ("sql", "json", "legal", "pirate", "sql-2", "json-2")
}
NUM_REPLICAS, DISK_MS = 3, 50
SLOTS = len(ADAPTERS) // NUM_REPLICAS


def phase(num_clients, num_requests, seed):
    """Requests for adapters that are drawn, each as likely."""
    names = random.Random(seed).choices(list(ADAPTERS), k=num_requests)
    return Phase(num_clients, tuple(names))


# Enough that each adapter comes to each replica, though that is drawn: of
# 20 requests for an adapter, sometimes none came to the third replica.
ALONE, CROWD = phase(1, 36, 1), phase(24, 300, 2)
SETTINGS = {
    "default": Setting(NUM_REPLICAS, SLOTS, (ALONE, CROWD)),
    "more ongoing": Setting(
        NUM_REPLICAS, SLOTS, (ALONE, CROWD), max_ongoing=100
    ),
    "all on each": Setting(NUM_REPLICAS, len(ADAPTERS), (CROWD,)),
}


def serve():
    """Serve all settings, for somebody who will be killed meanwhile."""
    serve_on_ray(tenants.folder_of("base"), ADAPTERS, list(SETTINGS.values()))


def runs_of(served):
    """Return a row a phase: columns of its requests, and what was loaded."""
    places = {name: place for place, name in enumerate(ADAPTERS)}
    return [
        {
            "setting": name,
            "max_models": SETTINGS[name].max_models,
            "max_ongoing": SETTINGS[name].max_ongoing,
            "num_clients": asked.num_clients,
            "num_loads": one.num_loads,
            "num_slot_loads": one.num_slot_loads,
            "num_disk_loads": one.num_disk_loads,
            "adapter": [places[answer.adapter] for answer in one.answers],
            "replica": [answer.replica for answer in one.answers],
            "sent_ms": [answer.sent_ms for answer in one.answers],
            "took_ms": [answer.took_ms for answer in one.answers],
        }
        for name, phases in served.items()
        for asked, one in zip(SETTINGS[name].phases, phases, strict=True)
    ]


def record(served):
    """Write what was found into the data, in the place of the last run."""
    name, number = vllm_version()
    data = {
        "source": "make fleet RECORD=--record",
        "made": {name: number, "ray": version("ray"), **machine()},
        "base": "the tiny base of the labs, four tenants' files under 6 names",
        "num_replicas": NUM_REPLICAS,
        "adapters": list(ADAPTERS),
        "disk_ms": DISK_MS,
        "runs": runs_of(served),
    }
    text = re.sub(  # each list of numbers on one line
        r"\[[\d.,\s-]+\]",
        lambda found: " ".join(found[0].split()),
        json.dumps(data, indent=1),
    )
    RECORD.write_text(text + "\n", "utf-8")
