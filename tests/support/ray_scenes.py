"""What Ray Serve is asked: three replicas of two models, six adapters."""

import random

from multilora import tenants
from multilora.engine.ray_serve import Phase, Setting

ADAPTERS = {
    name: tenants.folder_of(name.split("-")[0])
    for name in ("sql", "json", "legal", "pirate", "sql-2", "json-2")
}
NUM_REPLICAS, NUM_CLIENTS, DISK_MS = 3, 24, 50
SLOTS = len(ADAPTERS) // NUM_REPLICAS


def phase(num_clients, num_requests, seed):
    """Requests for adapters that are drawn, each as likely."""
    names = random.Random(seed).choices(list(ADAPTERS), k=num_requests)
    return Phase(num_clients, tuple(names))


ALONE, CROWD, AGAIN = phase(1, 36, 1), phase(24, 180, 2), phase(24, 180, 3)
SETTINGS = {
    "default": Setting(NUM_REPLICAS, SLOTS, (ALONE, CROWD)),
    "more ongoing": Setting(
        NUM_REPLICAS, SLOTS, (CROWD, AGAIN), max_ongoing=100
    ),
    "all on each": Setting(NUM_REPLICAS, len(ADAPTERS), (CROWD,)),
}
