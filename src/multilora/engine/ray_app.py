"""A program: adapters behind Ray Serve, each replica with its own vLLM.

Usage: ray_app.py ORDER RESULT, two files of JSON: a list of
ray_serve.Setting and what they all share, and what came of each phase. It
needs Ray, and runs under a supervisor, which ends all that it starts.
"""

import asyncio
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from multilora.engine import ray_setup, start

APP = "multilora"


def main(order: Path, result: Path) -> None:
    """Deploy each setting, send its phases, write down what came back."""
    asked = json.loads(order.read_text("utf-8"))
    # Ray wants a core for each replica and two for itself.
    ray_setup.start_here(
        2 + max(one["num_replicas"] for one in asked["settings"])
    )
    from ray import serve

    serve.start(proxy_location="Disabled")
    found = []
    for setting in asked["settings"]:
        handle = serve.run(
            application(setting, asked["replica"]),
            name=APP,
            route_prefix=None,
        )
        found.append(
            [
                asyncio.run(_phase(handle, num_clients, names))
                for num_clients, names in setting["phases"]
            ]
        )
        serve.delete(APP)
    written = result.with_suffix(".part")
    written.write_text(json.dumps(found), "utf-8")
    written.rename(result)


def application(setting: dict, shared: dict) -> Any:
    """Return the Ray Serve application of a setting."""
    from ray import serve

    deployment = serve.deployment(
        _replica(setting["max_models"]),
        name="Replica",
        num_replicas=setting["num_replicas"],
        max_ongoing_requests=setting["max_ongoing"],
        ray_actor_options={"num_cpus": 1},
        graceful_shutdown_wait_loop_s=0.1,
    )
    return deployment.bind(max_models=setting["max_models"], **shared)


def _replica(max_models):
    """Return the class of replicas that hold so many models."""
    from ray import serve

    class Replica:
        """vLLM in the replica's process; calls to it take turns."""

        def __init__(self, base, folders, prompt, num_tokens, disk_ms,
                     max_models):  # fmt: skip
            os.environ["TORCHDYNAMO_DISABLE"] = "1"  # it starts sooner
            self.folders, self.disk_ms = folders, disk_ms
            self.prompt, self.num_tokens = prompt, num_tokens
            self.num_asked_for = 0
            self.turn = ThreadPoolExecutor(1)
            self.engine = start(base, max_models, max_cpu_loras=max_models)
            self.engine.generate([prompt], max_tokens=1)

        @serve.multiplexed(max_num_models_per_replica=max_models)
        async def model(self, name: str) -> str:
            """Load an adapter from its folder; Ray Serve calls this."""
            self.num_asked_for += 1
            await asyncio.sleep(self.disk_ms / 1000)
            await self._in_turn(self._load, name)
            return name

        def _load(self, name):
            if name in self.engine.adapters:  # vLLM may have evicted it
                request = self.engine.request(name)
                self.engine.llm.llm_engine.add_lora(request)
            else:
                self.engine.load(name, self.folders[name])

        async def __call__(self) -> dict:
            name = await self.model(serve.get_multiplexed_model_id())
            (reply,) = await self._in_turn(
                self.engine.generate, [self.prompt], [name], self.num_tokens
            )
            kinds = [load.kind for load in self.engine.loads]
            return {
                "replica": os.getpid(),
                "text": reply.text,
                "loads": [
                    self.num_asked_for,
                    kinds.count("slot"),
                    kinds.count("disk"),
                ],
            }

        async def _in_turn(self, function, *arguments):
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self.turn, function, *arguments)

    return Replica


async def _phase(handle, num_clients, names):
    """Each client sends the next request when its last one is answered."""
    waiting, rows = list(enumerate(names))[::-1], []
    begun = time.perf_counter()

    async def client():
        while waiting:
            number, name = waiting.pop()
            sent = time.perf_counter()
            chosen = handle.options(multiplexed_model_id=name)
            answer = await chosen.remote()
            answer |= {
                "name": name,
                "number": number,
                "sent_ms": 1000 * (sent - begun),
                "ms": 1000 * (time.perf_counter() - sent),
            }
            rows.append(answer)

    await asyncio.gather(*(client() for _ in range(num_clients)))
    return rows


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
