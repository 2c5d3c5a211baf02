"""A program: run a command that must not outlive the process that wants it.

Usage: supervisor.py OWNER SECONDS GUARDS, the command in the environment.

OWNER is the number of the process that starts this program and holds the
other end of its standard input. The command ends with everything that it
started when OWNER is gone, the input is closed, SIGTERM, SIGINT or SIGHUP
comes, or the command itself ends: SIGTERM first, SIGKILL after SECONDS.
GUARDS 2 puts a second supervisor between this one and the command: each
ends the command where the other one is killed.

It runs by its path, on Linux, and imports the standard library only.
"""

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

TICK_SECONDS = 0.2
COMMAND = "MULTILORA_SUPERVISED_COMMAND"
_PR_SET_NAME = 15
_PR_SET_CHILD_SUBREAPER = 36


def run(owner: int, seconds: float, guards: int) -> None:
    """Run the command until there is a reason to end it; then end it."""
    asked: list[int] = []
    _listen(asked)
    _adopt_orphans()
    if guards > 1:
        # The inner one reads the same input.
        child = subprocess.Popen(line(os.getpid(), seconds, guards - 1))
    else:
        command = json.loads(os.environ.pop(COMMAND))
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    while os.getppid() == owner and child.poll() is None and not asked:
        if select.select([0], [], [], TICK_SECONDS)[0]:
            break
    # The inner one is the first to lose patience.
    end_children(seconds * guards)


def line(owner: int, seconds: float, guards: int) -> list[str]:
    """Return the command line of a supervisor."""
    # Isolated and without site: it starts in 20 ms and finds no foreign code.
    python = [sys.executable, "-I", "-S", str(Path(__file__).resolve())]
    return [*python, *map(str, (owner, seconds, guards))]


def environment(
    kept: Mapping[str, str], command: Sequence[str]
) -> dict[str, str]:
    """Return the environment of a supervisor of that command."""
    # Not in its arguments: a `pkill -9 -f vllm` shall not find them there.
    return {**kept, COMMAND: json.dumps(command)}


def end_children(seconds: float) -> None:
    """End all children, and theirs, which come here as theirs end."""
    deadline = time.monotonic() + seconds
    told: set[int] = set()
    while _has_children():
        is_late, children = time.monotonic() > deadline, _children()
        for pid in children if is_late else children - told:
            os.kill(pid, signal.SIGKILL if is_late else signal.SIGTERM)
        told |= children
        time.sleep(TICK_SECONDS / 2)


def _listen(asked):
    """Note in the list `asked` each signal that means the end."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, frame: asked.append(number))
    # What the owner ignored or blocked would remain so here.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _adopt_orphans():
    """Become the parent of every descendant whose own parent ends."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl(_PR_SET_NAME, b"supervisor")  # no victim of a `killall python`
    if prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def _has_children():
    """Let those go that have ended; True if there are more."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _children():
    """Return the numbers of our children."""
    own = os.getpid()
    return {one.number for one in processes() if one.parent == own}


class Process(NamedTuple):
    """A process of this machine; its number and start are its alone."""

    number: int
    start: bytes
    name: bytes
    parent: int


def processes() -> list[Process]:
    """Return all processes of this machine, those that ended, too."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            # proc(5): the name stands in brackets, and may hold any byte.
            head, _, tail = file.read_bytes().rpartition(b")")
        except OSError:
            continue  # it ended meanwhile
        number, _, name = head.partition(b" (")
        rest = tail.split()
        found.append(Process(int(number), rest[19], name, int(rest[1])))
    return found


if __name__ == "__main__":
    run(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
