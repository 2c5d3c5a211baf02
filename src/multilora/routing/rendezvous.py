"""Rendezvous hashing: each adapter ranks the engines for itself."""

from collections.abc import Callable, Collection, Sequence

from multilora.routing.blake import blake3_word
from multilora.routing.given import Setup


class Rendezvous:
    """Engines ranked by the hash of an adapter's name and their number.

    Source: Dynamo, lib/llm/src/lora/routing/hrw.rs: the first 8 bytes of the
    BLAKE3 of name, worker id (8 bytes) and rank (4 bytes); here the id is
    the engine's number, since Dynamo's ids differ from start to start.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.scores: dict[tuple[int, int], int] = {}

    def score(self, adapter_id: int, engine: int) -> int:
        """Return an engine's score for an adapter: the highest is home."""
        key = adapter_id, engine
        if key not in self.scores:
            name = self.setup.adapter_name(adapter_id).encode()
            ids = engine.to_bytes(8, "little") + bytes(4)
            self.scores[key] = blake3_word(name + ids)
        return self.scores[key]

    def ranked(self, adapter_id: int, engines: Sequence[int]) -> list[int]:
        """Return engines, the best for an adapter first."""
        return sorted(engines, key=lambda k: (-self.score(adapter_id, k), k))


def sticky_homes(
    ranked: Sequence[int],
    num_homes: int,
    before: Collection[int],
    is_full: Callable[[int], bool],
) -> list[int]:
    """Return the homes of an adapter: those it has, then the best ranked.

    Full engines are skipped, so there may be fewer than num_homes; where all
    are full, the best num_homes regardless.
    """
    free = [k for k in ranked if not is_full(k)]
    kept = [k for k in free if k in before]
    added = [k for k in free if k not in before]
    return (kept + added)[:num_homes] or list(ranked[:num_homes])
