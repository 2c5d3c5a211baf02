"""Rings and rendezvous hashing, against published values and a plain walk."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asked import ask, setup
from multilora.routing.blake import blake3_word
from multilora.routing.hashes import fbi_hash, fnv, furc, murmur
from multilora.routing.rendezvous import Rendezvous, sticky_homes
from multilora.routing.ring import Ring
from multilora.routing.rules import rule

PORTS = tuple(f"http://127.0.0.1:800{number}" for number in (1, 2, 3, 4))
NAMES = tuple(f"tenant-{number}" for number in range(16))
FLEET = setup(4, 16, urls=PORTS, names=NAMES)


def test_consistent_hash_is_what_vllm_router_chose():
    # vllm-router 0.1.17 over these URLs, X-Session-ID tenant-0 to tenant-15.
    real = [2, 3, 0, 1, 0, 0, 3, 2, 1, 2, 1, 2, 0, 0, 3, 0]
    choose = rule("consistent_hash").make(FLEET)
    assert [choose(ask(k, range(4))) for k in range(16)] == real


def test_chats_without_the_header_went_to_engine_3():
    choose = rule("consistent_hash-no-header").make(FLEET)
    assert {choose(ask(k, range(4))) for k in range(-1, 16)} == {3}


def test_an_added_engine_takes_its_part_of_the_ring_only():
    choose = rule("consistent_hash").make(FLEET)
    before = [choose(ask(k, range(4))) for k in range(16)]
    after = [choose(ask(k, range(5))) for k in range(16)]
    moved = [k for k in range(16) if before[k] != after[k]]
    assert moved
    assert all(after[k] == 4 for k in moved)


def test_the_adapters_of_a_dead_engine_spread_and_come_home():
    choose = rule("consistent_hash").make(FLEET)
    before = [choose(ask(k, range(4))) for k in range(16)]
    without = [choose(ask(k, (1, 2, 3))) for k in range(16)]
    assert len({without[k] for k in range(16) if before[k] == 0}) > 1
    assert [choose(ask(k, range(4))) for k in range(16)] == before


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True),
    st.dictionaries(st.tuples(st.integers(0, 9), st.integers(0, 159)),
                    st.integers(0, 500)),
    st.integers(0, 600),
)  # fmt: skip
@settings(max_examples=40)
def test_a_ring_is_a_walk_to_the_next_place(engines, places, value):
    def place(engine, node):
        return places.get((engine, node), 1000 + 160 * engine + node)

    owner = Ring(engines, place).owner(value)
    later = sorted(
        {place(k, i) for k in engines for i in range(160)} - set(range(value))
    )
    there = [
        k for k in engines if later[0] in {place(k, i) for i in range(160)}
    ]
    assert owner == there[-1]


def test_published_hashes():
    assert fnv(b"") == 0xCBF29CE484222325
    assert fnv(b"a") == 0xAF63DC4C8601EC8C
    # The value in Dynamo's own test: adapter-a, worker 7, rank 3.
    message = b"adapter-a" + (7).to_bytes(8, "little")
    message += (3).to_bytes(4, "little")
    assert blake3_word(message) == 0x5EADA6DF812DF3DC


def test_a_message_of_two_chunks_is_refused():
    with pytest.raises(ValueError, match="1025 bytes"):
        blake3_word(bytes(1025))


@given(st.binary(max_size=40))
def test_furc_is_below_its_modulus(key):
    for modulus in (1, 2, 3, 7, 100, 2**23 - 1):
        assert 0 <= furc(key, modulus) < modulus
    assert 0 <= murmur(key) < 2**64


@given(st.integers(2, 40))
def test_furc_moves_keys_to_the_new_shard_only(modulus):
    keys = [f"key-{number}".encode() for number in range(60)]
    for key in keys:
        before, after = furc(key, modulus), furc(key, modulus + 1)
        assert after in (before, modulus)


def test_a_ring_value_has_23_bits_of_choice():
    assert fbi_hash("a") == murmur(furc(b"a", 2**23 - 1).to_bytes(4, "little"))


@pytest.mark.peers
def test_blake3_is_the_librarys():
    blake3 = pytest.importorskip("blake3", reason="comes with vLLM").blake3
    for length in (0, 1, 63, 64, 65, 200, 1023, 1024):
        message = bytes(range(256)) * 4
        digest = blake3(message[:length]).digest()
        word = int.from_bytes(digest[:8], "little")
        assert blake3_word(message[:length]) == word


@pytest.mark.peers
def test_the_session_ring_is_uhashrings():
    HashRing = pytest.importorskip(
        "uhashring", reason="needs uhashring: make test-peers"
    ).HashRing
    choose = rule("production-stack-session").make(FLEET)
    for alive in ((0, 1, 2, 3), (0, 2, 3), (1,)):
        ring = HashRing([PORTS[k] for k in alive])
        theirs = [PORTS.index(ring.get_node(name)) for name in NAMES]
        assert theirs == [choose(ask(k, alive)) for k in range(16)]


def test_sticky_homes_keeps_what_it_has_and_skips_the_full():
    ranked = (3, 1, 0, 2)
    assert sticky_homes(ranked, 2, (), lambda k: False) == [3, 1]
    assert sticky_homes(ranked, 2, (2,), lambda k: False) == [2, 3]
    assert sticky_homes(ranked, 2, (2,), lambda k: k in (2, 3)) == [1, 0]
    assert sticky_homes(ranked, 3, (), lambda k: k != 0) == [0]
    assert sticky_homes(ranked, 2, (0,), lambda k: True) == [3, 1]


def test_a_rank_without_a_dead_engine_is_the_rank_less_it():
    hashed = Rendezvous(setup(5))
    ranked = hashed.ranked(0, range(5))
    assert sorted(ranked) == [0, 1, 2, 3, 4]
    assert hashed.ranked(0, (0, 1, 3, 4)) == [k for k in ranked if k != 2]
