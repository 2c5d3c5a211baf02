"""The hash functions that rings and rendezvous hashing are made of."""

import hashlib
from functools import lru_cache

MASK = 2**64 - 1
MURMUR, MURMUR_SHIFT = 0xC6A4A7935BD1E995, 47
FURC_SEED, FURC_SHIFT, FURC_TRIES = 4193360111, 23, 32
LARGEST_MODULUS = 2**23 - 1
FNV_OFFSET, FNV_PRIME = 0xCBF29CE484222325, 0x100000001B3


def murmur(data: bytes, seed: int = FURC_SEED) -> int:
    """Return the 64-bit MurmurHash64A of bytes (Appleby, public domain)."""
    value = seed ^ (len(data) * MURMUR & MASK)
    whole = len(data) - len(data) % 8
    for start in range(0, whole, 8):
        word = int.from_bytes(data[start : start + 8], "little")
        word = word * MURMUR & MASK
        word ^= word >> MURMUR_SHIFT
        value = (value ^ (word * MURMUR & MASK)) * MURMUR & MASK
    if whole < len(data):
        rest = int.from_bytes(data[whole:], "little")
        value = (value ^ rest) * MURMUR & MASK
    value ^= value >> MURMUR_SHIFT
    value = value * MURMUR & MASK
    return value ^ value >> MURMUR_SHIFT


def furc(key: bytes, modulus: int) -> int:
    """Return mcrouter's furc hash of a key: a number below modulus.

    A key's bits choose a subtree of a binary tree with modulus leaves, then
    a leaf in it; a leaf past the end is drawn anew, 32 times at most. Source:
    mcrouter, lib/fbi/hash.c, as vllm-router's consistent_hash.rs has it.
    """
    bit = _Bits(key).bit
    depth = place = (modulus - 1).bit_length()
    for _ in range(FURC_TRIES if modulus > 1 else 0):
        while not bit(place):
            if depth == 0:
                return 0
            depth -= 1
            place = depth
        place += FURC_SHIFT
        leaf = 1
        for _ in range(depth - 1):
            leaf = leaf << 1 | bit(place)
            place += FURC_SHIFT
        if leaf < modulus:
            return leaf
    return 0


class _Bits:
    """A key's endless bits: its hash, that hash's hash, and so on."""

    def __init__(self, key: bytes) -> None:
        self.words = [murmur(key)]

    def bit(self, place: int) -> int:
        while len(self.words) <= place >> 6:
            self.words.append(murmur(self.words[-1].to_bytes(8, "little")))
        return self.words[place >> 6] >> (place & 63) & 1


@lru_cache(100_000)  # a fleet's ring is made again for each run
def fbi_hash(key: str) -> int:
    """Return the value of a key on vllm-router's ring, 64 bits.

    It is the murmur of a furc below 2**23 - 1, so a ring has 2**23 - 1
    places at most. Source: consistent_hash.rs of vllm-router.
    """
    leaf = furc(key.encode(), LARGEST_MODULUS)
    return murmur(leaf.to_bytes(4, "little"))


def fnv(data: bytes) -> int:
    """Return the 64-bit FNV-1a of bytes, as Go's hash/fnv New64a."""
    value = FNV_OFFSET
    for byte in data:
        value = (value ^ byte) * FNV_PRIME & MASK
    return value


def md5(key: str) -> int:
    """Return the 128-bit md5 of a key, as uhashring's ring places it."""
    digest = hashlib.md5(key.encode(), usedforsecurity=False)
    return int(digest.hexdigest(), 16)
