"""Print how far the simulator is from the hours of a file.

`python -m multilora.evidence.hours FILE.csv`, for any file of that form.
"""

import sys
from collections.abc import Sequence

from multilora.arguments import shown
from multilora.evidence.hours_file import Hour, read_hours
from multilora.evidence.hours_play import hour_limits
from multilora.evidence.hours_score import (
    PARTS,
    part_of,
    play_hours,
    score,
    score_text,
)

USAGE = (
    "usage: python -m multilora.evidence.hours FILE.csv [PART]\n"
    f"PART is one of {', '.join(PARTS)}"
)


def _can_play(hour: Hour) -> bool:
    """False, and a line that says why, for an engine that cannot be."""
    try:
        hour_limits(hour)
    except ValueError as error:
        print(f"left out: {error}", file=sys.stderr)
        return False
    return True


def main(arguments: Sequence[str]) -> int:
    """Print the Score of a file; return the exit status."""
    if not 1 <= len(arguments) <= 2:
        print(USAGE, file=sys.stderr)
        return 2
    try:
        hours = part_of(read_hours(arguments[0]), (*arguments, "all")[1])
        hours = [hour for hour in hours if _can_play(hour)]
        if not hours:
            raise ValueError(f"path is {shown(arguments[0])}: too few hours")
        print(score_text(score(hours, play_hours(hours))))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
