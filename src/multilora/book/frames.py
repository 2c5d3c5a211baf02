"""Frames on disk: each explorer drawn once, each picture by its content."""

import hashlib
import json
import shutil
from pathlib import Path

from multilora.book.sources import digest
from multilora.player import frames


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
        """
        listing = self.folder / f"{self.key(explorer)}.json"
        try:
            found = json.loads(listing.read_text("utf-8"))
            if all((self.folder / name).is_file() for name, _ in found):
                return found
        except (OSError, ValueError):
            pass  # never drawn, or by a build that was cut short
        self.folder.mkdir(parents=True, exist_ok=True)
        found = [
            [self._keep(svg), sentence]
            for _, svg, sentence in frames(explorer)
        ]
        self.num_drawn += len(found)
        listing.write_text(json.dumps(found), "utf-8")
        return found

    def _keep(self, svg):
        data = svg.encode()
        name = f"{hashlib.sha256(data).hexdigest()[:12]}.svg"
        (self.folder / name).write_bytes(data)
        return name

    def publish(self, names, folder):
        """Make folder hold exactly the pictures of these names."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        there = {path.name for path in folder.iterdir()}
        for name in there - set(names):
            (folder / name).unlink()
        for name in set(names) - there:
            shutil.copyfile(self.folder / name, folder / name)
