"""What torch's allocator on CUDA takes for a tensor beyond its bytes."""

from multilora.arguments import integer

MIB = 1 << 20
_SMALL = 512
_LARGE = 10 * MIB
_STEP = 2 * MIB


def rounding_bytes(num_bytes: int) -> int:
    """Return the bytes that one tensor takes beyond its own.

    Each size is rounded up to 512 B. From 10 MiB on a tensor has memory of
    its own in steps of 2 MiB, and a remainder of up to 1 MiB is not given to
    another (c10/cuda/CUDACachingAllocator.cpp: kMinLargeAlloc, kRoundLarge,
    should_split). Qwen2.5-7B so takes 56 MiB more than its parameters.
    """
    num_bytes = integer("num_bytes", num_bytes, minimum=0)
    rounded = -(-num_bytes // _SMALL) * _SMALL
    if num_bytes >= _LARGE:
        whole = -(-num_bytes // _STEP) * _STEP
        if whole - rounded <= MIB:
            rounded = whole
    return rounded - num_bytes
