"""Jobs of the search on the cores of this machine, a process each."""

import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Self

from multilora.arguments import integer
from multilora.plan.answer import Outcome
from multilora.plan.case import Case, check_case
from multilora.plan.jobs import MAX_PROCESSES, Job, outcome

MAX_DEATHS = 3  # in a row, without a result between them

_SPAWN = multiprocessing.get_context("spawn")
_of_this_process: list[Case] = []  # what a worker plays, set as it starts


class Cores:
    """Players of one Case in `num` processes, for a `with` block.

    Results come in the order of the jobs. Jobs of a process that dies are
    played again in another one, and after MAX_DEATHS in a row in this one.
    The processes end with the block, and with this process however it ends.
    A script that uses this needs `if __name__ == "__main__":`, as always
    where Python spawns processes. Raises ValueError for num outside 1 to
    MAX_PROCESSES, TypeError for no Case.
    """

    def __init__(self, case: Case, num: int) -> None:
        self._case = check_case(case)
        self._num = integer("num", num, 1, MAX_PROCESSES)
        self._sent = pickle.dumps(case)
        # A worker ends where the other end of this pipe is closed.
        self._leash, self._held = _SPAWN.Pipe(duplex=False)
        self._pool = self._started()
        self._deaths = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """End the processes, without waiting for what they play."""
        self._held.close()
        self._pool.shutdown(cancel_futures=True)
        self._leash.close()

    def __call__(self, jobs: Sequence[Job]) -> Iterator[Outcome | None]:
        """Yield what comes of each job, in their order."""
        futures = [self._submitted(job) for job in jobs]
        for place, job in enumerate(jobs):
            yield self._result(place, job, jobs, futures)

    def _result(self, place, job, jobs, futures):
        while self._deaths < MAX_DEATHS:
            try:
                found = futures[place].result()
            except BrokenProcessPool:
                self._renew()
                for later in range(place, len(jobs)):
                    if _is_lost(futures[later]):
                        futures[later] = self._submitted(jobs[later])
            else:
                self._deaths = 0
                return found
        self._deaths = 0
        return outcome(self._case, job)

    def _submitted(self, job) -> Future:
        with _uninterrupted():
            try:
                return self._pool.submit(_play, job)
            except BrokenProcessPool:  # one died between two batches
                self._renew()
                return self._pool.submit(_play, job)

    def _renew(self):
        self._deaths += 1
        self._pool.shutdown(cancel_futures=True)
        self._pool = self._started()

    def _started(self):
        return ProcessPoolExecutor(
            self._num, _SPAWN, _begin, (self._sent, self._leash)
        )


def num_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on a Mac
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _uninterrupted():
    """Let a process that starts here never see a Ctrl-C of the terminal."""
    blocked = {signal.SIGINT}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _is_lost(future: Future) -> bool:
    return not future.done() or future.exception() is not None


def _begin(sent: bytes, leash: Connection) -> None:
    """Begin a worker's life: take the Case, and end with who started it."""
    threading.Thread(target=_end_with, args=(leash,), daemon=True).start()
    _of_this_process[:] = [pickle.loads(sent)]


def _end_with(leash: Connection) -> None:
    try:
        leash.recv_bytes()
    except EOFError:
        os._exit(0)


def _play(job: Job) -> Outcome | None:
    return outcome(_of_this_process[0], job)
