"""The canary on a real vLLM server, right and then wrong in a known way.

On the CPU build the base's rows get the last slot's adapter once every slot
is taken (lab 02, section 4). Server has one slot more and guards it; without
the guard the canary's own load takes that one.
"""

import os
import shutil
import urllib.request

import pytest
from safetensors.numpy import load_file, save_file

from multilora import engine
from multilora.canary.run import canary
from multilora.engine import inside
from multilora.engine.server import Server
from multilora.tenants import folder_of
from repository import ROOT

# Timed: requests that are sent at once must meet in the engine.
pytestmark = [
    pytest.mark.engine,
    pytest.mark.timed,
    pytest.mark.filterwarnings("ignore"),
]
PROMPTS = (
    "Table users(id,name). Query all names:",
    "List 3 fruits:",
)
NAMES = ["sql", "json"]
MISTAKEN = ROOT / "tests/support/vllm_mistaken"


class Unguarded(Server):
    """vLLM as it is: an adapter may enter the last slot, too."""

    def _environment(self):
        return super()._environment() | {inside.SPARE_SLOT: "0"}


def idle_copy(folder):
    """An adapter that is loaded and changes nothing: every B is zero."""
    shutil.copytree(folder_of("sql"), folder)
    path = folder / "adapter_model.safetensors"
    tensors = load_file(path)
    for name, tensor in tensors.items():
        if "lora_B" in name:
            tensor[:] = 0
    save_file(tensors, path)
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    if engine.has_cuda():
        pytest.skip("the GPU kernels skip the base's rows")
    folder = tmp_path_factory.mktemp("adapters")
    copy = shutil.copytree(folder_of("sql"), folder / "copy")
    adapters = {
        **{name: folder_of(name) for name in NAMES},
        "copy": copy,
    }
    with Unguarded(
        folder_of("base"), adapters, max_loras=5,
        is_runtime_loading_allowed=True,
    ) as running:  # fmt: skip
        # check_adapter refuses it: every delta is zero.
        running.load("idle", idle_copy(folder / "idle"), check=False)
        yield running


def num_hits(server):
    """How many prompt tokens the server found in its prefix cache so far."""
    site = server.url.removesuffix("/v1")
    text = urllib.request.urlopen(f"{site}/metrics", timeout=10).read()
    lines = text.decode().splitlines()
    name = "vllm:prefix_cache_hits_total"
    return sum(float(x.split()[-1]) for x in lines if x.startswith(name))


def listen(server, **changes):
    options = {"prompts": PROMPTS, "num_tokens": 32, "repeats": 2, "seed": 0}
    found = canary(server.url, **options | changes)
    for line in (*found.notes, *(one.sentence for one in found.findings)):
        print(line)
    print(found)
    assert not found.no_verdict and found.has_logprobs and found.noise < 1e-3
    return found


def test_one_server_right_then_wrong(server):
    """One test: each step takes a slot that the next one needs."""
    right = listen(server, adapters=NAMES)
    assert right.is_healthy and not right.findings
    assert set(right.num_asked) == {"base", "company", "prefix"}
    assert not any(right.num_unclear.values())
    # Each model finds its own block of 128 tokens in the second turn.
    assert num_hits(server) == 128 * 2 * 3

    every = listen(server)
    found = {(one.check, one.model, one.like) for one in every.findings}
    assert found == {("applied", "idle", "base"), ("twins", "copy", "sql")}
    assert not every.is_healthy

    pirate, legal = str(folder_of("pirate")), str(folder_of("legal"))
    # Each load takes a slot, of the same adapter too.
    beside = listen(server, adapters=NAMES, load={"pirate": pirate}, repeats=1)
    assert beside.is_healthy and beside.num_asked["load"] >= len(NAMES)
    assert not beside.findings

    # The fifth slot is pirate's still, and this one takes the spare.
    wrong = listen(server, adapters=NAMES, load={"legal": legal}, repeats=1)
    found = {(one.check, one.model, one.like) for one in wrong.findings}
    # In flight or after the load, by how quick the engine was.
    assert {("loaded", "base", "legal"), ("load", "base", None)} & found
    assert {model for _, model, _ in found} == {"base"}
    assert not wrong.is_healthy
    served = {model.id for model in server.client().models.list()}
    assert not {"pirate", "legal"} & served

    (still,) = listen(server, adapters=NAMES).findings
    assert (still.check, still.model) == ("base", "base")
    assert still.num_changed > still.num_asked / 2


def test_two_faults_of_other_releases_are_found(monkeypatch):
    """A plugin brings them back: blocks without an adapter, stale slots."""
    path = [str(MISTAKEN), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, path)))
    monkeypatch.setenv("MULTILORA_MISTAKES", "blocks slots")
    adapters = {name: folder_of(name) for name in NAMES}
    with Server(
        folder_of("base"), adapters, max_loras=2,
        is_runtime_loading_allowed=True,
    ) as server:  # fmt: skip
        # The first takes the spare slot, the second one that is in use.
        load = {name: str(folder_of(name)) for name in ("pirate", "legal")}
        wrong = {"prefix": set(), "load": set()}
        # A load must meet a request in flight: again, where none was hit.
        for _ in range(3):
            found = listen(
                server, adapters=NAMES, load=load, prompts=PROMPTS[:1],
                repeats=3,
            )  # fmt: skip
            for one in found.findings:
                wrong.setdefault(one.check, set()).add(one.model)
            if wrong["load"] & set(NAMES):
                break
    assert wrong["prefix"] == {"base", *NAMES}
    assert wrong["load"] & set(NAMES), "an adapter's request in flight"
