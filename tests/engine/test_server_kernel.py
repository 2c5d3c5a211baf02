"""A notebook's kernel takes its server along: restarted, interrupted, off."""

import sys
import time
import uuid

import pytest

import families

pytestmark = [
    pytest.mark.engine,  # the stand-in needs none, but takes its time
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(
        sys.platform != "linux", reason="the supervisor needs Linux"
    ),
]
CELL = f"""
import os, sys
sys.path.insert(0, {str(families.PARENT.parent)!r})
import families, stand_in
from multilora.engine.server import Server
from multilora.tenants import folder_of
os.environ[families.TOKEN] = %r
if %r == "stand-in":
    stand_in.use(seconds=60)
server = Server(folder_of("base"))
server.start()
"""


@pytest.fixture
def kernel():
    from jupyter_client.manager import KernelManager

    manager = KernelManager(kernel_name="python3")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    yield manager, client
    client.stop_channels()
    if manager.has_kernel:
        manager.shutdown_kernel(now=True)


def start_in_cell(client, kind, mark):
    """Run a cell that starts a server; return its token, request, sessions.

    The cell still runs then. The mark is in the command line of a process
    that the server has started by then.
    """
    token = uuid.uuid4().hex
    # Else the kernel refuses what comes right after the interrupt.
    request = client.execute(CELL % (token, kind), stop_on_error=False)
    deadline = time.monotonic() + 120
    while not any(mark in line for line in families.family(token).values()):
        assert time.monotonic() < deadline, "the server does not start"
        time.sleep(0.1)
    time.sleep(1)
    _, sessions = families.whole_family(token)
    return token, request, sessions


def reply_to(client, request):
    """Return what the kernel answers to that request."""
    while True:
        message = client.get_shell_msg(timeout=60)
        if message["parent_header"]["msg_id"] == request:
            return message["content"]


@pytest.mark.parametrize(
    ("kind", "mark", "restarts"),
    [
        ("stand-in", "-c import time", ("polite", "forced")),
        ("vllm", "spawn_main", ("forced",)),
    ],
)
def test_it_takes_its_server_along(kernel, kind, mark, restarts):
    manager, client = kernel
    token, request, sessions = start_in_cell(client, kind, mark)
    manager.interrupt_kernel()
    content = reply_to(client, request)
    assert content["ename"] == "KeyboardInterrupt"
    assert not families.family(token, sessions)
    content = reply_to(client, client.execute("server.start"))
    assert content["status"] == "ok", "the kernel is not the same"

    for how in restarts:
        token, _, sessions = start_in_cell(client, kind, mark)
        manager.restart_kernel(now=how == "forced")
        families.wait_until_gone(token, sessions)
        client.wait_for_ready(timeout=60)

    token, _, sessions = start_in_cell(client, kind, "python")
    manager.shutdown_kernel()
    families.wait_until_gone(token, sessions)
