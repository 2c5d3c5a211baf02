"""Grade the learner's starters: python -m multilora.labs.grade 01."""

import sys
from collections.abc import Sequence

from multilora.labs.checks import grade_lab, report
from multilora.labs.switch import NAMES


def main(labs: Sequence[str]) -> bool:
    """Print a report for each lab named, or for all of them.

    Returns True if every test of every one of them passes.
    """
    is_full = True
    for lab in labs or NAMES:
        lab = lab.zfill(2)
        outcomes = grade_lab(lab)
        print(f"Lab {lab}: src/multilora/labs/starter_{lab}.py")
        print(report(outcomes), end="\n\n", flush=True)
        is_full &= all(outcome.verdict == "pass" for outcome in outcomes)
    return is_full


if __name__ == "__main__":
    try:
        sys.exit(0 if main(sys.argv[1:]) else 1)
    except ValueError as error:
        sys.exit(str(error))
