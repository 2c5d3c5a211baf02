"""What of a log was not read: how many lines, why, and where first."""

from collections.abc import Mapping
from typing import NamedTuple


class Skipped(NamedTuple):
    """How many lines were skipped for one reason, and the first of them."""

    num: int
    line: int


def skipped_notes(by_reason: Mapping[str, Skipped]) -> list[str]:
    """Return a sentence for each reason why lines of a log were skipped."""
    return [
        f"{skipped.num:,} lines of the log were skipped: {reason} (first in "
        f"line {skipped.line:,})"
        for reason, skipped in by_reason.items()
    ]


class Tally:
    """Counts skipped lines by reason."""

    def __init__(self) -> None:
        self.by_reason: dict[str, Skipped] = {}

    def add(self, reason: str, line: int, num: int = 1) -> None:
        """Count num lines more that were skipped, the first at line."""
        before = self.by_reason.get(reason)
        if before is None:
            self.by_reason[reason] = Skipped(num, line)
        else:
            self.by_reason[reason] = Skipped(
                before.num + num, min(before.line, line)
            )

    def __str__(self) -> str:
        return "; ".join(
            f"{skipped.num:,} × {reason} (first in line {skipped.line:,})"
            for reason, skipped in self.by_reason.items()
        )
