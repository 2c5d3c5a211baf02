"""How long a log is once it is unpacked."""

import gzip
from pathlib import Path

from multilora.arguments import integer, shown
from multilora.logs.lines import CHUNK, CUT, GZIP

# What a page or a notebook takes; a log's rows take a few times that to read.
MAX_BYTES = 2**27


def unpacked_bytes(path: str | Path, limit: int) -> int:
    """Return the bytes of a log's text, which may be gzipped.

    A gzip file is unpacked as far as the limit and a chunk more, and none of
    it is kept: what is returned for a longer one is above the limit. A file
    that is cut off counts as far as it can be read. Raises ValueError for a
    file that cannot be read or a limit below 1.
    """
    limit = integer("limit", limit, minimum=1)
    if not isinstance(path, str | Path):
        raise TypeError(f"path is {shown(path)}, but must be a file")
    try:
        with open(path, "rb") as file:
            is_packed = file.read(len(GZIP)) == GZIP
        if not is_packed:
            return Path(path).stat().st_size
        return _num_in_gzip(path, limit)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it cannot be read"
        raise ValueError(f"path is {shown(str(path))}: {why}") from None


def _num_in_gzip(path, limit):
    num = 0
    try:
        with gzip.open(path) as file:
            while num <= limit and (chunk := file.read(CHUNK)):
                num += len(chunk)
    except CUT:
        pass  # read_log counts what can be read
    return num
