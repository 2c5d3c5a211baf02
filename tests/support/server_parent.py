"""A program: parents that start a server each, and die.

Usage: server_parent.py KIND TOKEN:DEATH:MOMENT...

KIND is a server, "stand-in" or "vllm", or a fleet behind vllm-router: two of
"stand-in fleet", one of "vllm fleet". Each parent is a process of its own.
As it dies it prints its token, the number of processes in its server's
family, and the sessions they are in.
"""

import os
import signal
import subprocess
import sys
import threading
import time

import families
import stand_in
from multilora.engine.replicas import Replicas
from multilora.engine.router import Router
from multilora.engine.server import Server
from multilora.tenants import folder_of

DEATHS = ("SIGTERM", "SIGKILL", "SIGINT", "exception", "exit", "_exit", "fork")
MOMENTS = ("spawned", "0.05", "0.2", "1", "grandchild", "healthy")
# What is in the command line of the process that a moment waits for.
MARKS = {"grandchild": "-c import time", "core": "spawn_main"}


def main(kind, *cases):
    if kind.startswith("stand-in"):
        stand_in.use()
    # A background job of a shell ignores it, and so would this one.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for case in cases:
        if os.fork() == 0:
            return live(kind, *case.split(":"))
    for _ in cases:
        os.wait()


def live(kind, token, death, moment):
    os.environ[families.TOKEN] = token
    server = Server(folder_of("base"))
    if kind.endswith("fleet"):
        server = Fleet(1 if kind.startswith("vllm") else 2)

    def die(*_):
        family, sessions = families.whole_family(token)
        line = " ".join(map(str, (token, len(family), *sessions)))
        os.write(1, f"{line}\n".encode())  # whole, beside the others' lines
        if death.startswith("SIG"):
            os.kill(os.getpid(), getattr(signal, death))
            time.sleep(60)
        if death == "fork" and os.fork() == 0:
            live_on(token)
        if death in ("fork", "_exit"):
            os._exit(3)
        raise RuntimeError if death == "exception" else SystemExit(3)

    signal.signal(signal.SIGALRM, die)
    if moment == "spawned":
        die_after_popen(die)
    elif moment[0].isdigit():
        signal.setitimer(signal.ITIMER_REAL, float(moment))
    elif moment != "healthy":
        word, _, seconds = moment.partition("+")
        arguments = token, MARKS[word], float(seconds or 0)
        threading.Thread(
            target=alarm_after, args=arguments, daemon=True
        ).start()
    server.start()
    die()


class Fleet:
    """Servers and a router, started as one."""

    def __init__(self, num_replicas):
        self.replicas = Replicas(folder_of("base"), num_replicas=num_replicas)
        self.router = Router(self.replicas.sites)

    def start(self):
        self.replicas.start()
        self.router.start()


def live_on(token):
    """Keep what a forked process inherits, for as long as the server lives."""
    os.closerange(0, 3)
    while families.family(token):
        time.sleep(0.2)
    os._exit(0)


def die_after_popen(die):
    """Die before anybody else knows of the process."""
    popen = subprocess.Popen

    def deadly(*arguments, **options):
        process = popen(*arguments, **options)
        die()
        return process

    subprocess.Popen = deadly


def alarm_after(token, mark, seconds):
    """Wait for a process with the mark in its command line, and longer."""
    while not any(mark in line for line in families.family(token).values()):
        time.sleep(0.05)
    time.sleep(seconds)
    os.kill(os.getpid(), signal.SIGALRM)


if __name__ == "__main__":
    main(*sys.argv[1:])
