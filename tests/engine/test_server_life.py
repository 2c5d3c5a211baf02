"""A server never outlives its parent, nor ends with a thread; no vLLM."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import families
import stand_in
from multilora.engine.server import Server, ServerError
from multilora.tenants import folder_of
from server_parent import DEATHS, MOMENTS

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the supervisor needs Linux"
)


@pytest.fixture
def make_server(monkeypatch, token):
    """Makes servers without vLLM; all are stopped in the end."""
    made = []

    def make_server(health_after=0.3, **options):
        stand_in.use(monkeypatch.setattr, health_after)
        made.append(Server(folder_of("base"), **options))
        return made[-1]

    yield make_server
    for server in made:
        server.stop()


@pytest.fixture(scope="module")
def dead():
    return families.parents(
        "stand-in",
        [(death, moment) for death in DEATHS for moment in MOMENTS],
    )


@pytest.mark.engine  # needs none, but keeps `make test` light
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("death", DEATHS)
def test_nothing_outlives_its_parent(dead, death, moment):
    token, size, sessions = dead[death, moment]
    # Two supervisors, the server, and its child in another session.
    assert size == 4 or moment not in ("grandchild", "healthy")
    families.wait_until_gone(token, sessions)


@pytest.mark.filterwarnings("ignore")  # about threads, where one forks
def test_it_goes_on_until_it_is_stopped(make_server, token):
    """When its thread ends, a fork stops it, or it is started once more."""
    server = make_server()
    thread = threading.Thread(target=server.start)
    thread.start()
    thread.join()
    number = os.fork()
    if number == 0:
        server.stop()
        os._exit(0)
    os.waitpid(number, 0)
    with pytest.raises(ServerError, match="the server runs already"):
        server.start()
    time.sleep(1)
    assert len(families.family(token)) == 4
    start = time.monotonic()
    server.stop()
    assert time.monotonic() - start < 10
    assert not families.family(token)
    assert server.log.startswith("grandchild\n")


@pytest.mark.parametrize("victim", range(3), ids=["outer", "inner", "it"])
def test_who_is_killed_takes_the_others_along(make_server, token, victim):
    """Either of the two supervisors, or the server itself."""
    server = make_server()
    server.start()
    os.kill(line_of_descent(token)[victim], signal.SIGKILL)
    families.wait_until_gone(token)
    server.stop()


def test_who_kills_a_server_by_name_does_not_hit_the_supervisors(
    make_server, token
):
    """`killall -9 python` and `pkill -9 -f vllm` leave them to tidy up."""
    make_server().start()
    family = families.family(token)
    *supervisors, server = line_of_descent(token)
    assert "do_GET" in family[server]
    for number in supervisors:
        assert "do_GET" not in family[number]
        name = Path(f"/proc/{number}/comm").read_text()
        assert name.strip() == "supervisor"


def line_of_descent(token):
    """Return the numbers of the outer supervisor, the inner, the server."""
    line = [os.getpid()]
    for _ in range(3):
        line += children_of(line[-1], token)
    return line[1:]


def parent_of(number):
    state = Path(f"/proc/{number}/stat").read_text()
    return int(state.rpartition(")")[2].split()[1])


def children_of(number, token):
    return [
        child for child in families.family(token) if parent_of(child) == number
    ]


def test_another_thread_may_stop_it_while_it_starts(make_server, token):
    server = make_server(60)
    timer = threading.Timer(0.5, server.stop)
    timer.start()
    with pytest.raises(ServerError, match="the server stopped"):
        server.start()
    timer.join()
    assert not families.family(token)
    server.stop()


def test_a_failing_start_shows_its_last_lines(make_server, token):
    with pytest.raises(ServerError, match=r"stopped:\n(.*\n)*no such model"):
        make_server(-0.3).start()
    assert not families.family(token)
    with pytest.raises(ServerError, match="not healthy after 1 s:\n"):
        make_server(60, seconds=1).start()


@pytest.mark.filterwarnings("ignore")  # the lost process is the point
def test_an_error_while_the_process_starts_leaves_none(
    make_server, token, monkeypatch
):
    """Ctrl-C between the process and the name that it is given."""
    popen = subprocess.Popen

    def interrupted(*arguments, **options):
        popen(*arguments, **options)
        raise KeyboardInterrupt

    server = make_server()
    monkeypatch.setattr(subprocess, "Popen", interrupted)
    with pytest.raises(KeyboardInterrupt):
        server.start()
    families.wait_until_gone(token)
    monkeypatch.setattr(subprocess, "Popen", popen)
    server.start()
