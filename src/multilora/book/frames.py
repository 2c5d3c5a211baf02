"""Frames on disk: each explorer drawn once, each picture by its content."""

import hashlib
import json
import os
from math import prod
from pathlib import Path

from multilora.arguments import shown
from multilora.book.sources import digest
from multilora.explore.player import frames

MAX_FRAMES = 2000  # of one explorer: half a megabyte of sentences in a page


class FrameStore:
    """A folder of pictures, named by content, and of lists of frames."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.num_drawn = 0

    def key(self, explorer):
        """Return what changes when any frame of the explorer may change."""
        asked = explorer.to_json() + digest(explorer.draw.__module__)
        return hashlib.sha256(asked.encode()).hexdigest()[:16]

    def frames_of(self, explorer):
        """Return [picture's name, sentence] for each combination of stops.

        Draws them all if that has not been done since the sources changed.
        Raises ValueError for more than MAX_FRAMES combinations.
        """
        count = prod(map(len, explorer.axes.values()))
        if count > MAX_FRAMES:
            raise ValueError(
                f"axes are {shown(explorer.axes)}, {count:,} combinations, "
                f"but a page shows at most {MAX_FRAMES:,}: give fewer stops"
            )
        listing = self.folder / f"{self.key(explorer)}.json"
        found = self._read(listing)
        if len(found) != count:
            self.folder.mkdir(parents=True, exist_ok=True)
            found = [
                [self._keep(svg), sentence]
                for _, svg, sentence in frames(explorer)
            ]
            self.num_drawn += count
            write_whole(listing, json.dumps(found).encode())
        return found

    def _read(self, listing):
        """The frames of a listing; none if any picture is not whole."""
        try:
            found = json.loads(listing.read_bytes())
            whole = all(
                name == name_of((self.folder / name).read_bytes())
                for name, _ in found
            )
        except (OSError, ValueError):
            return []  # never drawn, or by a build that was cut short
        return found if whole else []

    def _keep(self, svg):
        data = svg.encode()
        write_whole(self.folder / name_of(data), data)
        return name_of(data)

    def publish(self, names, folder):
        """Make folder hold exactly the pictures of these names."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            if path.name not in names:
                path.unlink()
        for name in names:
            kept, copy = self.folder / name, folder / name
            if not copy.is_file() or size_of(copy) != size_of(kept):
                write_whole(copy, kept.read_bytes())


def name_of(data):
    """Return the file name of a picture: a hash of its content."""
    return f"{hashlib.sha256(data).hexdigest()[:12]}.svg"


def size_of(path):
    return path.stat().st_size


def write_whole(path, data):
    """Write a file that is never seen half written."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(data)
    part.replace(path)
