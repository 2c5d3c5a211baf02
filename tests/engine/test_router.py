"""vllm-router itself before servers without vLLM; and none where it cannot."""

import os
import signal
import socket
import sys
import time
import uuid
from importlib.util import find_spec

import pytest

import families
import stand_in
from multilora.engine import router as module
from multilora.engine.loopback import HOST, ServerError
from multilora.engine.replicas import Replicas
from multilora.engine.router import Router
from multilora.tenants import folder_of

SITE = f"http://{HOST}:9"


def needs_router(test):
    """Mark a test of make test-peers, which installs vllm-router."""
    absent = find_spec("vllm_router") is None
    reason = "needs vllm-router: make test-peers"
    return pytest.mark.peers(pytest.mark.skipif(absent, reason=reason)(test))


@pytest.fixture
def fleet(monkeypatch, token):
    stand_in.use(monkeypatch.setattr, 0.1)
    with Replicas(folder_of("base")) as running:
        yield running


@needs_router
def test_it_waits_for_the_servers_and_sends_requests_to_them(fleet, token):
    with Router(fleet.sites, "round_robin") as router:
        assert router.decisions() == {}
        for _ in range(4):
            # The stand-in loads adapters at any path.
            router_post(router, "/v1/completions")
        assert router.decisions() == dict.fromkeys(fleet.sites, 2)
        assert router.headers("sql") == {"X-Session-ID": "sql"}
        assert Router(fleet.sites, header=None).headers("sql") == {}
        with pytest.raises(ServerError, match="the router runs already"):
            router.start()
    assert not router.is_running()
    assert "Router ready" in router.log


def router_post(router, path):
    module.loopback.post(
        router.site + path,
        {"lora_name": uuid.uuid4().hex, "model": "base", "prompt": "x"},
    )


@needs_router
def test_loading_through_the_router_reaches_one_server(fleet):
    """So Replicas asks each server itself."""
    with Router(fleet.sites, "round_robin") as router:
        body = {"lora_name": "new", "lora_path": str(folder_of("json"))}
        module.loopback.post(f"{router.url}/load_lora_adapter", body)
    listed = ["new" in server.model_names() for server in fleet.servers]
    assert sorted(listed) == [False, True]


@needs_router
def test_what_fails_says_why(token):
    with pytest.raises(ServerError, match=r"(?s)not healthy.*Waiting for 1"):
        Router([SITE], seconds=1).start()
    failing = Router([SITE], options=["--no-such-option"])
    with pytest.raises(ServerError, match=r"(?s)stopped:.*no-such-option"):
        failing.start()
    assert "\x1b" not in str(error_of(failing))


def error_of(router):
    with pytest.raises(ServerError) as error:
        router.start()
    return error.value


@needs_router
@pytest.mark.filterwarnings("ignore")
def test_nothing_of_a_fleet_outlives_its_parent():
    cases = [
        (death, moment)
        for death in ("SIGKILL", "SIGTERM")
        for moment in ("spawned", "0.2", "2", "healthy")
    ]
    found = families.parents("stand-in fleet", cases)
    for (_, moment), (token, size, sessions) in found.items():
        # Twice two supervisors, a server and its child; and the router's.
        assert size >= (11 if moment == "healthy" else 1)
        families.wait_until_gone(token, sessions)


@needs_router
def test_who_kills_the_router_leaves_nothing_of_it(fleet, token):
    before = families.family(token)
    with Router(fleet.sites) as router:
        # It writes its title over the token, but is in the same session.
        _, sessions = families.whole_family(token)
        (number,) = (
            number
            for number, line in families.family(token, sessions).items()
            if line.startswith("vllm::router")
        )
        os.kill(number, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while router.is_running() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert families.family(token).keys() == before.keys()


def test_without_the_program_it_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServerError, match="install it with `make fleet`"):
        Router([SITE]).start()


def test_wrong_arguments_are_named():
    for arguments, message in (
        (([],), r"sites is \[\], but must hold"),
        (([SITE], "round-robin"), "policy is 'round-robin', allowed: 'ran"),
        (([SITE], "kv_aware"), "policy is 'kv_aware', allowed: 'random'"),
        (([SITE], "random", "model"), "header is 'model', allowed: 'X-Ses"),
        (([SITE], "random", None, 0), "port is 0, but must be"),
        (([SITE], "random", None, None, -1), "metrics_port is -1, but must"),
        (([SITE], "random", None, 5999, 5999), "metrics_port is 5999, but"),
        (([SITE], "random", None, None, None, 0), "seconds is 0, but must"),
    ):
        with pytest.raises(ValueError, match=message):
            Router(*arguments)
    for sites in (SITE, None, [1]):
        with pytest.raises(TypeError, match="sites"):
            Router(sites)
    with pytest.raises(TypeError, match="options is '-x', but must be"):
        Router([SITE], options="-x")


def test_a_taken_port_is_named():
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServerError, match="leave port out"):
            Router([SITE], port=port)
        with pytest.raises(ServerError, match="leave metrics_port out"):
            Router([SITE], metrics_port=port)
