"""libcachesim counts the same hits."""

from itertools import pairwise

import numpy as np
import pytest

from multilora import traffic
from multilora.cache.policies import policy_hits

NUM_IDS = 200
PEER_TRACES = {
    "zipf": traffic.zipf(20_000, NUM_IDS),
    "sticky": traffic.sticky(20_000, NUM_IDS, num_sessions=6),
    "cyclic": traffic.cyclic(20_000, NUM_IDS),
}
PEER_SLOTS = (2, 4, 8, 16, 64)


@pytest.fixture(scope="module")
def peers():
    """The wrapper around libcachesim, if that is installed."""
    return pytest.importorskip(
        "peer_caches", reason="needs libcachesim: make test-peers"
    )


@pytest.mark.peers
@pytest.mark.parametrize("shape", PEER_TRACES)
def test_libcachesim_counts_the_same_hits(peers, tmp_path, shape):
    """Five policies of libcachesim 0.3.5, hit for hit.

    No allowance was needed: its LFU too lets the least recently used leave
    among equals, and its Belady loads every miss.
    """
    path = tmp_path / "trace.bin"
    peers.write_trace(path, PEER_TRACES[shape])
    reader = peers.open_trace(path)
    for policy in peers.PEERS:
        for num_slots in PEER_SLOTS:
            theirs = peers.libcachesim_hits(reader, policy, num_slots, NUM_IDS)
            ours = policy_hits(PEER_TRACES[shape], num_slots, policy)
            assert ours == theirs, (policy, num_slots)


@pytest.mark.peers
def test_a_written_trace_holds_what_was_asked(peers, tmp_path):
    peers.write_trace(tmp_path / "trace.bin", [5, -1, 0, 5, 0, 7])
    records = np.fromfile(tmp_path / "trace.bin", peers.RECORD)
    assert records["id"].tolist() == [5, 0, 5, 0, 7]
    assert records["next_use"].tolist() == [2, 3, -1, -1, -1]
    assert all(now < then for now, then in pairwise(records["time"].tolist()))


@pytest.mark.peers
@pytest.mark.parametrize(
    ("policy", "num_slots", "end"),
    [
        ("S3FIFO", 8, "SIGABRT"),
        ("S3FIFO", 16, 0),
        ("WTinyLFU", 4, "SIGABRT"),
        ("WTinyLFU", 64, 0),
        ("Clock2QPlus", 16, 0),
        ("SLRU", 2, 0),
        ("TwoQ", 2, 0),
    ],
)
def test_not_every_cache_of_libcachesim_is_meant_to_be_small(
    peers, tmp_path, policy, num_slots, end
):
    """Why no figure of ours shows these: 40 adapters, popular ones too.

    Each runs in its own process, since an abort takes the test with it. A
    cache with a slot for every adapter misses each once; any policy that
    loads what it misses hits a repeated request.
    """
    path = tmp_path / "trace.bin"
    peers.write_trace(path, np.repeat(traffic.zipf(1_000, 40), 2))
    assert peers.hits_apart(path, policy, num_slots, 40) == end
    assert peers.hits_apart(path, "lru", num_slots, 40) >= 1_000
