"""A `multilora plan` that takes minutes, in processes of its own."""

import os
import signal
import subprocess
import sys
import time

import families

WORDS = [
    "--model", "Llama-3.1-8B", "--card", "24", "--tenants", "60", "--rate",
    "12", "--minutes", "240",
]  # fmt: skip


def start(workers, token, stderr, mark="spawn_main", num=2):
    """Start it; return when so many processes with the mark are there.

    stderr is the path of a file. All that it starts carries the token.
    """
    with stderr.open("w") as file:
        command = subprocess.Popen(
            [sys.executable, "-m", "multilora.cli", "plan", *WORDS,
             "--workers", workers],
            stdout=subprocess.DEVNULL, stderr=file, start_new_session=True,
            env=os.environ | {families.TOKEN: token},
        )  # fmt: skip
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and command.poll() is None:
        lines = families.family(token).values()
        if sum(mark in line for line in lines) >= num:
            return command
        time.sleep(0.2)
    command.kill()
    raise AssertionError(stderr.read_text())


def end(command, death, token, seconds, family_seconds):
    """End it by SIGKILL, or as Ctrl-C in a terminal does; return its status.

    Its family must be gone, too, family_seconds after it.
    """
    # A process of Ray may write its title over its environment.
    _, sessions = families.whole_family(token)
    if death == "SIGINT":
        os.killpg(command.pid, signal.SIGINT)
    else:
        os.kill(command.pid, signal.SIGKILL)
    status = command.wait(seconds)
    families.wait_until_gone(token, sessions, family_seconds)
    return status
