"""A GPU's memory as a bar of letters, which colours only repeat."""

from typing import NamedTuple

from rich.text import Text

from multilora.plan.answer import Memory
from multilora.units import GIB

_WIDTH = 64


class _Part(NamedTuple):
    letter: str
    name: str
    num_bytes: int
    style: str


def memory_bar(memory: Memory, width: int = _WIDTH) -> Text:
    """Return a GPU's usable memory as a bar of width letters, and a legend.

    W weights, S slots, O what a step, the context and CUDA graphs take at
    least, ? what they may take beyond, K the KV cache that surely remains.
    What does not fit is ! and stands behind a |, the end of the memory.
    """
    parts = _parts(memory)
    usable = memory.usable_bytes
    total = max(usable, sum(part.num_bytes for part in parts), 1)
    ends, at = [], 0
    for part in parts:
        at += part.num_bytes
        ends.append(round(at / total * width))
    end = round(usable / total * width)
    bar, start = Text(), 0
    for part, stop in zip(parts, ends, strict=True):
        inside = max(0, min(stop, end) - start)
        bar.append(part.letter * inside, part.style)
        if stop > end:
            bar.append("|" if start <= end else "", "bold")
            bar.append("!" * (stop - max(start, end)), "red")
        start = stop
    return Text("\n").join([bar, _legend(parts, memory)])


def _parts(memory: Memory) -> list[_Part]:
    low, high = memory.overhead_low_bytes, memory.overhead_high_bytes
    taken = memory.weight_bytes + memory.slot_bytes + high
    left = max(0, memory.usable_bytes - taken)
    return [
        _Part("W", "weights", memory.weight_bytes, "blue"),
        _Part("S", "slots", memory.slot_bytes, "magenta"),
        _Part("O", "step, context, graphs", low, "yellow"),
        _Part("?", "perhaps also", high - low, "dim yellow"),
        _Part("K", "KV cache at least", left, "green"),
    ]


def _legend(parts, memory):
    usable = memory.usable_bytes
    said = Text(f"{usable / GIB:.2f} GiB a GPU may be used:")
    for part in parts:
        if part.num_bytes or part.letter in "WK":
            said.append(f"  {part.letter} ", f"bold {part.style}")
            said.append(f"{part.name} {part.num_bytes / GIB:.2f}")
    return said
