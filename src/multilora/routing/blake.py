"""BLAKE3 of a short message, for Dynamo's rendezvous hashing."""

# The initial value, as SHA-256's, and the order of words between rounds:
# BLAKE3 (O'Connor, Aumasson, Neves, Wilcox-O'Hearn, 2020), tables 1 and 2.
START = (
    0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
    0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19,
)  # fmt: skip
ORDER = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
MIXED = (
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
    (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
)  # fmt: skip
CHUNK_START, CHUNK_END, ROOT = 1, 2, 8
BLOCK_BYTES, CHUNK_BYTES, NUM_ROUNDS = 64, 1024, 7
MASK = 2**32 - 1


def blake3_word(message: bytes) -> int:
    """Return the first 8 bytes of a message's BLAKE3, little-endian.

    Of 1,024 bytes at most, one chunk; raises ValueError for more.
    """
    if len(message) > CHUNK_BYTES:
        raise ValueError(
            f"message has {len(message)} bytes, but must have {CHUNK_BYTES} "
            "at most"
        )
    value: tuple[int, ...] = START
    num_blocks = max(-(-len(message) // BLOCK_BYTES), 1)
    for i in range(num_blocks):
        block = message[i * BLOCK_BYTES : (i + 1) * BLOCK_BYTES]
        flags = CHUNK_START if i == 0 else 0
        if i == num_blocks - 1:
            flags |= CHUNK_END | ROOT
        value = _compressed(value, block, flags)
    return value[0] | value[1] << 32


def _compressed(
    value: tuple[int, ...], block: bytes, flags: int
) -> tuple[int, ...]:
    padded = block.ljust(BLOCK_BYTES, b"\0")
    words = [
        int.from_bytes(padded[i : i + 4], "little")
        for i in range(0, BLOCK_BYTES, 4)
    ]
    state = [*value, *START[:4], 0, 0, len(block), flags]
    for _ in range(NUM_ROUNDS):
        for place, (a, b, c, d) in enumerate(MIXED):
            _mix(state, a, b, c, d, words[2 * place], words[2 * place + 1])
        words = [words[i] for i in ORDER]
    return tuple(state[i] ^ state[i + 8] for i in range(8))


def _mix(
    state: list[int], a: int, b: int, c: int, d: int, one: int, two: int
) -> None:
    for word, first, second in ((one, 16, 12), (two, 8, 7)):
        state[a] = (state[a] + state[b] + word) & MASK
        state[d] = _turned(state[d] ^ state[a], first)
        state[c] = (state[c] + state[d]) & MASK
        state[b] = _turned(state[b] ^ state[c], second)


def _turned(word: int, bits: int) -> int:
    return word >> bits | word << 32 - bits & MASK
