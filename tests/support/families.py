"""The processes of a server, found by a token; parents that die with one."""

import contextlib
import os
import signal
import time
import uuid
from pathlib import Path

from programs import python

TOKEN = "MULTILORA_TEST_FAMILY"
PARENT = Path(__file__).with_name("server_parent.py")


def family(token, sessions=()):
    """Return {number: command line} of what a server started and lives.

    It has the token in its environment or is in one of the sessions: vLLM's
    engine core writes its title over its environment.
    """
    found, wanted = {}, f"{TOKEN}={token}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        number = int(folder.name)
        try:
            given = (folder / "environ").read_bytes().split(b"\0")
            if wanted in given or os.getsid(number) in sessions:
                line = (folder / "cmdline").read_bytes().decode()
                found[number] = line.replace("\0", " ").strip()
        except OSError:
            continue  # it ended, or is another user's
    return found


def whole_family(token):
    """Return family(), and the sessions that it is in."""
    sessions = set()
    for number in family(token):
        try:
            sessions.add(os.getsid(number))
        except ProcessLookupError:
            continue
    return family(token, sessions), sessions


def wait_until_gone(token, sessions=(), limit=20):
    """Fail if the family is not gone within so many seconds.

    What remains is killed then, so that a failing test leaves nothing.
    """
    deadline = time.monotonic() + limit
    while left := family(token, sessions):
        if time.monotonic() > deadline:
            for number in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)
            raise AssertionError(f"after {limit} s there remain {left}")
        time.sleep(0.1)


def parents(kind, cases):
    """Return {(death, moment): (token, family's size, its sessions)}.

    Each parent starts a server of that kind and dies; all do side by side.
    """
    tokens = {uuid.uuid4().hex: case for case in cases}
    arguments = [f"{token}:{':'.join(case)}" for token, case in tokens.items()]
    result = python(PARENT, kind, *arguments, timeout=300)
    found = {}
    for line in result.stdout.splitlines():
        token, *numbers = line.split()
        size, *sessions = map(int, numbers)
        found[tokens[token]] = token, size, set(sessions)
    assert found.keys() == set(cases), result.stderr
    return found
