"""What a miss costs, as a range: by where the adapter is when it is asked."""

from typing import NamedTuple

from multilora.arguments import choice
from multilora.published import shared


class LoadRange(NamedTuple):
    """The published times of one part of a load, in ms, and their source.

    is_measured is false where no time was found, and the two ends are those
    of other places.
    """

    low_ms: float
    high_ms: float
    is_measured: bool
    what: str
    source: str
    url: str


def load_places() -> list[str]:
    """Return the places that load_range knows, the fastest kinds first."""
    return list(shared("load_ranges")["places"])


def load_range(place: str) -> LoadRange:
    """Return the LoadRange of an adapter's place (data/load_ranges.json).

    In CPU memory it is the copy into a slot, by whether the memory is
    pinned; elsewhere it is the read, and the copy comes on top (except from
    object storage, whose times were taken up to the GPU). Raises ValueError
    for a place that is not in load_places().
    """
    places = shared("load_ranges")["places"]
    return LoadRange(**places[choice("place", place, places)])
