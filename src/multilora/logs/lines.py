"""The lines of a log, plain or gzipped, with bounded memory.

A file may be cut off, hold bytes that are no UTF-8, or a line that never
ends: what can be read is, and the rest is counted.
"""

import gzip
import io
import os
import stat
import zlib
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator
from pathlib import Path

from multilora.arguments import shown
from multilora.logs.tally import Tally

MAX_LINE = 4 * 2**20  # bytes; a line may hold a whole conversation
CHUNK = 2**18  # bytes
EVERY = 8_192  # lines between two calls of progress
GZIP = b"\x1f\x8b"
# What a file may start with that is no text, and what to do.
FOREIGN = {
    b"\xff\xfe": "UTF-16 text: convert it to UTF-8 first",
    b"\xfe\xff": "UTF-16 text: convert it to UTF-8 first",
    b"PK\x03\x04": "a zip archive: unpack it first",
    b"(\xb5/\xfd": "compressed by zstd: unpack it first",
    b"BZh": "compressed by bzip2: unpack it first",
    b"\xfd7zXZ": "compressed by xz: unpack it first",
    b"PAR1": "a Parquet file: write it as CSV first",
    b"SQLite format 3": "an SQLite database: export a table as CSV first",
}
CUT = (EOFError, zlib.error, gzip.BadGzipFile)

Progress = Callable[[int, int], object]


class Source:
    """A log's file: its lines or its text in chunks, once.

    progress(num_bytes, total_bytes) is called now and then with the bytes of
    the file that are read. Raises TypeError for a path that is none,
    ValueError for a file that cannot be read, is empty or is no text.
    """

    def __init__(
        self, path: str | Path, tally: Tally, progress: Progress | None = None
    ) -> None:
        if not isinstance(path, str | Path) or not str(path):
            raise TypeError(f"path is {shown(path)}, but must be a file")
        if progress is not None and not callable(progress):
            raise TypeError(
                f"progress is {shown(progress)}, but must be a function"
            )
        self.name = f"path is {shown(str(path))}"
        self.tally = tally
        self.line = 0  # of the text that was handed out last
        self._progress = progress
        self._raw = self._opened(str(path))
        self.size = os.fstat(self._raw.fileno()).st_size
        self._file: io.BufferedReader = self._raw
        try:
            if self._head().startswith(GZIP):
                packed = gzip.GzipFile(fileobj=self._raw)
                self._file = io.BufferedReader(packed, CHUNK)
            self.first = self._checked_head()
        except ValueError:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._raw.close()

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield (number, text) of each line that is text, from 1 on."""
        tally, readline = self.tally, self._file.readline
        while raw := self._read(readline, MAX_LINE + 1):
            self.line += 1
            if not self.line % EVERY:
                self._report()
            if len(raw) > MAX_LINE:
                tally.add(f"longer than {MAX_LINE:,} bytes", self.line)
                self._pass_line()
            elif b"\0" in raw:
                tally.add("null bytes", self.line)
            else:
                try:
                    text = raw.decode()
                except UnicodeDecodeError:
                    tally.add("no UTF-8", self.line)
                    continue
                yield self.line, text

    def chunks(self) -> Iterator[str]:
        """Yield the text in chunks; bytes that are no UTF-8 as surrogates."""
        decoder = getincrementaldecoder("utf-8")("surrogateescape")
        while raw := self._read(self._file.read1, CHUNK):
            self._report()
            yield decoder.decode(raw)
        yield decoder.decode(b"", True)

    def _opened(self, path):
        try:
            if "\0" in path:
                raise ValueError(f"{self.name}: it holds a null byte")
            if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe would wait
                raise ValueError(f"{self.name}: it is no regular file")
            return open(path, "rb", CHUNK)
        except OSError as error:
            raise self._unreadable(error) from None

    def _unreadable(self, error):
        return ValueError(
            f"{self.name}: {error.strerror or 'it cannot be read'}"
        )

    def _head(self):
        """Return the first bytes without taking them."""
        try:
            return self._file.peek(1)
        except CUT:
            return b""
        except OSError as error:
            raise self._unreadable(error) from None

    def _checked_head(self):
        head = self._head()
        if not head:
            raise ValueError(f"{self.name}: the file is empty")
        for start, what in FOREIGN.items():
            if head.startswith(start):
                raise ValueError(f"{self.name}: it is {what}")
        first = head.partition(b"\n")[0]
        if head.startswith(GZIP):
            raise ValueError(f"{self.name}: it is gzipped twice: unpack it")
        if b"\0" in first:
            raise ValueError(f"{self.name}: it is no text but binary")
        if head.startswith(b"\xef\xbb\xbf"):
            self._file.read(3)
        return head.decode("utf-8-sig", "replace")

    def _read(self, read, size):
        try:
            return read(size)
        except CUT:
            self.tally.add("the gzip file is cut off or broken", self.line + 1)
            return b""
        except OSError as error:
            raise self._unreadable(error) from None

    def _pass_line(self):
        """Read to the end of a line that is too long to keep."""
        while raw := self._read(self._file.readline, CHUNK):
            if raw.endswith(b"\n"):
                return

    def _report(self):
        if self._progress is not None:
            self._progress(self._raw.tell(), self.size)
