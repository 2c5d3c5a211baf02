"""Several servers: a tenant on all of them or on none; no vLLM."""

import os
import signal
import sys
import threading
import time

import pytest

import families
import stand_in
from multilora.adapters.check import AdapterError
from multilora.adapters.misfits import make_misfit
from multilora.engine.replicas import Replicas
from multilora.engine.server import ServerError
from multilora.tenants import folder_of

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the supervisor needs Linux"
)


@pytest.fixture
def make_fleet(monkeypatch, token):
    """Makes Replicas without vLLM."""

    def make_fleet(num=2, health_after=0.1, **options):
        stand_in.use(monkeypatch.setattr, health_after)
        return Replicas(folder_of("base"), num_replicas=num, **options)

    return make_fleet


def listed(fleet):
    return [server.model_names() for server in fleet.servers]


def test_a_tenant_is_on_all_servers_or_on_none(make_fleet):
    with make_fleet(3) as fleet:
        assert len(set(fleet.sites)) == 3
        fleet.load("new", folder_of("json"))
        assert listed(fleet) == [["base", "new"]] * 3
        fleet.unload("new")
        assert listed(fleet) == [["base"]] * 3
        # The second one has it by hand, and keeps it.
        fleet.servers[1].load("new", folder_of("json"))
        with pytest.raises(ServerError) as error:
            fleet.load("new", folder_of("json"))
        assert "new was not loaded: server 2 of 3 (" in str(error.value)
        assert "says: no new; it may be listed by server 2" in str(error.value)
        assert error.value.status == 400
        assert listed(fleet) == [["base"], ["base", "new"], ["base"]]
        with pytest.raises(ServerError, match=r"server 1 of 3 .*; server 3"):
            fleet.unload("new")
        assert listed(fleet) == [["base"]] * 3


@pytest.mark.parametrize(
    ("name", "says"), [("refused", "no refused"), ("unlisted", "not list it")]
)
def test_what_one_server_does_not_serve_no_server_keeps(
    make_fleet, name, says
):
    with make_fleet() as fleet:
        with pytest.raises(ServerError, match=f"{says}; no server lists it"):
            fleet.load(name, folder_of("json"))
        assert listed(fleet) == [["base"]] * 2


def test_a_dead_server_is_named_and_the_others_forget(make_fleet, token):
    with make_fleet() as fleet:
        fleet.servers[1].stop()
        with pytest.raises(ServerError, match=r"server 2 of 2 .*not running"):
            fleet.load("new", folder_of("json"))
        assert fleet.servers[0].model_names() == ["base"]


def test_a_bad_adapter_is_refused_before_a_server_is_asked(
    make_fleet, tmp_path
):
    nan = make_misfit("NaN weights", folder_of("sql"), tmp_path / "nan")
    with make_fleet() as fleet:
        with pytest.raises(AdapterError, match="NaN or infinite weights"):
            fleet.load("nan", nan)
        with pytest.raises(ValueError, match="name has the name 'a=b'"):
            fleet.load("a=b", folder_of("sql"))
        assert listed(fleet) == [["base"]] * 2


def test_one_that_fails_ends_the_others_at_once(make_fleet, token):
    """The other one would be healthy after a minute."""
    fleet = make_fleet(health_after=60)
    failing = fleet.servers[1]
    failing._line = [sys.executable, "-c", "raise SystemExit('no such core')"]
    start = time.monotonic()
    with pytest.raises(ServerError, match=r"stopped:\n.*no such core"):
        fleet.start()
    assert time.monotonic() - start < 20
    assert not families.family(token)


def test_ctrl_c_while_they_start_leaves_no_process(make_fleet, token):
    fleet = make_fleet(health_after=60)
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        fleet.start()
    timer.join()
    assert not families.family(token)


def test_wrong_arguments_are_named(make_fleet):
    with pytest.raises(ValueError, match="num_replicas is 0, but must be"):
        make_fleet(0)
    with pytest.raises(ValueError, match=r"cores is \[0\], but must hold"):
        make_fleet(2, cores=[0])
    with pytest.raises(ValueError, match=r"ports is \[5, 5\], but must hold"):
        make_fleet(2, ports=[5, 5])
    with pytest.raises(TypeError, match="cores holds 'a'"):
        make_fleet(2, cores=["a", 1])
