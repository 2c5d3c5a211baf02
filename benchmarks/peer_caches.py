"""The caches of libcachesim 0.3.5 on our traces: one slot an adapter.

    python benchmarks/peer_caches.py

prints what each of its policies makes of small caches, each in a process of
its own. Some abort the process, some hang and some never hit at this size:
they are meant for thousands of objects and reserve shares of their capacity.
Needs pip install libcachesim==0.3.5.
"""

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import libcachesim
import numpy as np

from multilora import traffic
from multilora.cache.hitrate import check_trace

RECORD = np.dtype(
    [("time", "<u4"), ("id", "<u8"), ("size", "<u4"), ("next_use", "<i8")]
)
NEVER = -1
# Ours -> theirs, where both are the same policy.
PEERS = {
    "lru": "LRU",
    "fifo": "FIFO",
    "lfu": "LFU",
    "sieve": "Sieve",
    "belady": "Belady",
}
OTHERS = (
    "ARC", "Cacheus", "Clock", "Clock2QPlus", "ClockPro", "GDSF",
    "Hyperbolic", "LFUDA", "LHD", "LIRS", "LRUK", "LeCaR", "MQ", "S3FIFO",
    "SLRU", "TwoQ", "WTinyLFU",
)  # fmt: skip
SLOTS = (1, 2, 4, 8, 16, 32, 40, 64)


def write_trace(path, trace):
    """Write a trace of adapter ids as a file of libcachesim's oracleGeneral.

    Each request has the index of its adapter's next use, which Belady
    reads. Base rows (-1) are left out.
    """
    ids = check_trace(trace)
    records = np.zeros(len(ids), RECORD)
    records["time"] = np.arange(len(ids))
    records["id"] = ids
    records["size"] = 1
    records["next_use"] = _next_uses(ids)
    records.tofile(path)


def open_trace(path):
    """Return a reader of a file that write_trace wrote; it can be reused."""
    return libcachesim.TraceReader(
        str(path), trace_type=libcachesim.TraceType.ORACLE_GENERAL_TRACE
    )


def libcachesim_hits(trace, policy, num_slots, num_ids):
    """Return the hits of one of libcachesim's caches on a written trace.

    trace is a reader of open_trace or the path of a file. policy is a name
    in PEERS, or libcachesim's own. num_ids, the number of distinct ids, sets
    the size of its hash table, whose default of 2**24 entries costs more
    than a short trace does.
    """
    is_path = isinstance(trace, str | Path)
    reader = open_trace(trace) if is_path else trace
    kind = getattr(libcachesim, PEERS.get(policy, policy))
    cache = kind(num_slots, hashpower=max(4, num_ids.bit_length()))
    miss_ratio, _ = cache.process_trace(reader)
    num_requests = reader.get_num_of_req()
    return num_requests - round(miss_ratio * num_requests)


def hits_apart(path, policy, num_slots, num_ids, limit_s=10):
    """Return libcachesim_hits of a new process, or how that process ended.

    That is the name of the signal that killed it, or "hangs" after limit_s
    seconds.
    """
    command = [sys.executable, "-c", _APART, str(path), policy]
    command += [str(num_slots), str(num_ids)]
    try:
        done = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True,
            text=True, timeout=limit_s, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "hangs"
    if done.returncode < 0:
        return signal.Signals(-done.returncode).name
    if done.returncode:
        raise RuntimeError(f"{policy} failed: {done.stderr[-500:]}")
    return int(done.stdout)


_APART = """
import sys
from peer_caches import libcachesim_hits
path, policy, num_slots, num_ids = sys.argv[1:]
print(libcachesim_hits(path, policy, int(num_slots), int(num_ids)))
"""


def _next_uses(ids):
    """Return the index of each id's next use, NEVER where there is none."""
    order = np.argsort(ids, kind="stable")
    next_uses = np.full(len(ids), NEVER)
    is_same = ids[order][1:] == ids[order][:-1]
    next_uses[order[:-1][is_same]] = order[1:][is_same]
    return next_uses


def main():
    """Print hits, or how the process ended, by policy and slots."""
    trace = traffic.zipf(20_000, 40)
    print("zipf, 20,000 requests, 40 adapters; hits at", *SLOTS, "slots")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "trace.bin")
        write_trace(path, trace)
        for policy in (*PEERS, *OTHERS):
            row = [hits_apart(path, policy, slots, 40, 3) for slots in SLOTS]
            print(f"{policy:12}", *(f"{cell!s:>8}" for cell in row))


if __name__ == "__main__":
    main()
