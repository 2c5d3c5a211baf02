"""The blocks of the KV cache: how many are free, and when more are needed."""

from multilora.serving.limits import Limits


class KvBlocks:
    """Free blocks, and how many decoding requests begin a block in a step.

    A decoding request stores one token a step and begins a block every
    block_size steps, so that requests are counted by step modulo block_size.
    """

    def __init__(self, num_blocks: int, block_size: int) -> None:
        self.size, self.total, self.free = block_size, num_blocks, num_blocks
        self.begins = [0] * self.size
        self.num_decoding = 0

    def num(self, num_tokens: int) -> int:
        """Return how many blocks hold num_tokens."""
        return -(-num_tokens // self.size)

    def start(self, step: int, num_tokens: int) -> None:
        """Count a request that decodes from step on, num_tokens stored."""
        self.begins[(step - num_tokens) % self.size] += 1
        self.num_decoding += 1

    def stop(self, step: int, num_tokens: int) -> None:
        """Undo start(), with the same arguments."""
        self.begins[(step - num_tokens) % self.size] -= 1
        self.num_decoding -= 1

    def needed(self, step: int) -> int:
        """Return how many blocks the decoding requests begin in a step."""
        return self.begins[step % self.size]

    def needed_over(self, step: int, num_steps: int) -> int:
        """Return the same, summed over num_steps steps from step on."""
        rounds, rest = divmod(num_steps, self.size)
        first = step % self.size
        end = first + rest
        part = sum(self.begins[first:end])
        if end > self.size:
            part += sum(self.begins[: end - self.size])
        return rounds * self.num_decoding + part

    def num_steps_that_fit(self, step: int, most: int) -> int:
        """Return how many steps from step on, at most `most`, have blocks."""
        if self.num_decoding * (most // self.size + 1) <= self.free:
            return most
        rounds = self.free // self.num_decoding
        num, left = rounds * self.size, self.free % self.num_decoding
        while num < most and self.needed(step + num) <= left:
            left -= self.needed(step + num)
            num += 1
        return min(num, most)


class EndlessBlocks(KvBlocks):
    """A KV cache that is never full: nothing is counted."""

    def __init__(self) -> None:
        super().__init__(1, 1)

    def num(self, num_tokens: int) -> int:
        return 0

    def start(self, step: int, num_tokens: int) -> None:
        pass

    def stop(self, step: int, num_tokens: int) -> None:
        pass

    def needed_over(self, step: int, num_steps: int) -> int:
        return 0

    def num_steps_that_fit(self, step: int, most: int) -> int:
        return most


def blocks_of(limits: Limits) -> KvBlocks:
    """Return the blocks of an engine, all of them free."""
    if limits.num_gpu_blocks is None:
        return EndlessBlocks()
    return KvBlocks(limits.num_gpu_blocks, limits.block_size)
