"""tqdm in a browser: the page draws the bar, from what it is told here."""

import time
from typing import Any, Self

from multilora.inpage.post import tell

SECONDS = 0.1  # between two reports


class tqdm:  # noqa: N801
    """A bar over `total` steps; what else the real one takes is let be."""

    def __init__(
        self, total: int, unit: str = "it", disable: bool = False, **_: Any
    ) -> None:
        self.total, self.num_done = total, 0
        self._unit, self._disable = unit, disable
        self._told_at = float("-inf")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def update(self, num: int = 1) -> None:
        """Count `num` steps more, and tell the page now and then."""
        self.num_done += num
        now = time.monotonic()
        is_last = self.num_done >= self.total
        if self._disable or (now - self._told_at < SECONDS and not is_last):
            return
        self._told_at = now
        text = f"{self.num_done:,} of {self.total:,} {self._unit.strip()}"
        share = min(1.0, self.num_done / self.total) if self.total else None
        tell("progress", {"text": text, "share": share})
