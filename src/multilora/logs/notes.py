"""What a reader of a log should know, in sentences."""

from collections.abc import Iterator

import numpy as np

from multilora.logs.columns import Columns, listed
from multilora.logs.fields import ONE_TENANT, WORDS, Fields
from multilora.logs.times import DAY_S

# The share of requests that have the time of the one before.
MANY_EQUAL, MANY_ROUNDED = 0.5, 0.1
WIDE = 0.5  # of the whole time in one gap
MIN_GAP_S = 3_600


def tenant_notes(
    names: list[str], columns: Columns, tenants: tuple[str, ...]
) -> Iterator[str]:
    """Yield what is odd about a log's tenants."""
    if columns.tenant is None:
        yield (
            "No column is known to name tenants, so all requests are of one, "
            f"{ONE_TENANT!r}. The log has {listed(names)}: name one with "
            "--tenant-column."
        )
    elif len(tenants) == 1:
        yield (
            f"Column {columns.tenant!r} names one tenant. If another column "
            "says who asked, name it with --tenant-column."
        )


def time_notes(seconds: np.ndarray, num_back: int) -> Iterator[str]:
    """Yield what is odd about sorted times; num_back were out of order."""
    if num_back:
        yield (
            f"The log is not in order of time: it goes back {num_back:,} "
            "times. It was sorted."
        )
    gaps = np.diff(seconds)
    if not len(gaps):
        return
    share = float((gaps == 0).mean())
    is_whole = bool((seconds == np.floor(seconds)).all())
    if share > (MANY_ROUNDED if is_whole else MANY_EQUAL):
        yield (
            f"{share:.0%} of the requests have the same time as the one "
            f"before{', and all times are whole seconds' * is_whole}. If the "
            "log rounds its times, more requests wait for each other here "
            "than did."
        )
    widest = float(gaps.max())
    if widest > max(MIN_GAP_S, WIDE * (seconds[-1] - seconds[0])):
        yield f"The log is silent for {widest / DAY_S:,.1f} days in one piece."


def default_notes(fields: Fields) -> Iterator[str]:
    """Yield for how many requests tokens were taken as given."""
    for word, num, default in zip(
        WORDS, fields.num_defaults, fields.defaults, strict=True
    ):
        if num:
            yield (
                f"{num:,} lines do not say their {word} tokens; {default:,} "
                "are taken for each."
            )
