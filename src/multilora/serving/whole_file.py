"""A text into a file, whole or not at all."""

import os
import tempfile
from pathlib import Path

from multilora.arguments import shown


def file_name(path: str | Path) -> Path:
    """Return path as a Path, or raise TypeError for what is no file's name."""
    if not isinstance(path, str | Path) or "\0" in str(path) or not str(path):
        raise TypeError(f"path is {shown(path)}, but must be a file's name")
    return Path(path)


def write_whole(path: Path, written: str, mode: int = 0o644) -> None:
    """Write a text beside path, then rename it: a reader sees all or none.

    mode is that of the file. Raises ValueError where the folder cannot be
    written to.
    """
    if path.exists() and not path.is_file():
        raise ValueError(
            f"path is {shown(str(path))}, which is no file: name a file in a "
            "folder of yours"
        )
    scratch = None
    try:
        number, scratch = tempfile.mkstemp(
            prefix=f".{path.name}.", dir=path.parent
        )
        with open(number, "w", encoding="utf-8", newline="\n") as file:
            file.write(written)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(scratch, mode)
        os.replace(scratch, path)
        scratch = None
    except OSError as error:
        raise ValueError(
            f"path is {shown(str(path))}, which cannot be written "
            f"({error.strerror}): name a file in a folder of yours"
        ) from None
    finally:
        if scratch is not None:
            Path(scratch).unlink(missing_ok=True)
