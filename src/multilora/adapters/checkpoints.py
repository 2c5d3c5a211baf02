"""Safetensors checkpoints by numpy alone: headers, values, checksums."""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from multilora.arguments import shown
from multilora.nested import json_value

_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
_MAX_HEADER_BYTES = 100_000_000  # the format's own limit
_CHUNK = 2**24
_MAX_DIMS = 32


class CheckpointError(ValueError):
    """A file is not the checkpoint that it should be."""


@dataclass(frozen=True)
class Tensor:
    """One tensor of a safetensors file; begin and end are file offsets."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    path: Path
    begin: int
    end: int

    @property
    def num_bytes(self) -> int:
        return self.end - self.begin

    def chunks(self) -> Iterator[bytes]:
        """Yield the tensor's bytes, a few MiB at a time."""
        with open(self.path, "rb") as file:
            file.seek(self.begin)
            left = self.num_bytes
            while left:
                chunk = file.read(min(left, _CHUNK))
                if not chunk:
                    raise CheckpointError(
                        f"{self.path.name} was cut short while it was read"
                    )
                yield chunk
                left -= len(chunk)

    def check_dtype(self) -> None:
        """Raise CheckpointError for a dtype that is not floating."""
        if self.dtype not in _DTYPES:
            raise CheckpointError(
                f"{self.path.name}: {self.name} has dtype {self.dtype}, "
                f"allowed: {', '.join(_DTYPES)}"
            )

    def values(self) -> np.ndarray:
        """Return the tensor as a float32 array, float64 for F64.

        Raises CheckpointError for a dtype that is not floating.
        """
        self.check_dtype()
        raw = b"".join(self.chunks())
        values = np.frombuffer(raw, _DTYPES[self.dtype]).reshape(self.shape)
        if self.dtype == "BF16":  # the upper half of a float32
            values = (values.astype(np.uint32) << 16).view(np.float32)
        return values if self.dtype == "F64" else values.astype(np.float32)


def tensors(
    path: str | Path, *, headers_only: bool = False
) -> dict[str, Tensor]:
    """Return {name: Tensor} of one safetensors file, its weights unread.

    headers_only lets a file end anywhere behind its header: its weights may
    never have been fetched.
    Raises CheckpointError for a file that is absent, cut short or not
    safetensors. Source: the safetensors format, version 0.8.
    """
    path = Path(path_of("path", path))
    if not path.is_file():
        raise CheckpointError(f"path is {shown(str(path))}, which is no file")
    size = path.stat().st_size
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, _MAX_HEADER_BYTES):
            raise CheckpointError(
                f"{path.name} is cut short or not safetensors: its header "
                f"should take {length} bytes, the file has {size}"
            )
        header = _header(path, file.read(length))
    found = {
        name: _tensor(path, name, entry, 8 + length)
        for name, entry in header.items()
        if name != "__metadata__"
    }
    if headers_only:
        size = max((item.end for item in found.values()), default=size)
    _check_cover(path, found.values(), 8 + length, size)
    return found


def is_header_alone(path: str | Path) -> bool:
    """True if a file is a safetensors header, and its weights are missing.

    So is what a request for the first bytes of a file gives: eight with the
    header's length, and the header. False for a file that cannot be read.
    """
    path = Path(path_of("path", path))
    try:
        if not path.is_file():  # a pipe would be waited for
            return False
        size = path.stat().st_size
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
        return size == 8 + length and bool(tensors(path, headers_only=True))
    except (OSError, ValueError):
        return False


def weight_files(folder: str | Path) -> list[Path]:
    """Return the safetensors files of a model's folder, in order of name.

    Raises CheckpointError when there is none.
    """
    folder = Path(path_of("folder", folder))
    if not folder.is_dir():
        raise CheckpointError(
            f"folder is {shown(str(folder))}: no such folder"
        )
    found = sorted(folder.glob("*.safetensors"))
    if not found:
        raise CheckpointError(
            f"folder is {shown(str(folder))}: no *.safetensors in it"
        )
    return found


def base_fingerprint(folder: str | Path) -> str:
    """Return a sha256 of a base's weights: names, dtypes, shapes, values.

    It reads *.safetensors in the folder, tensor by tensor in order of name,
    so that sharding or another header order does not change it; one changed
    bit does. Raises CheckpointError when a file is absent or broken, or two
    files hold a tensor of one name.
    """
    every: dict[str, Tensor] = {}
    for path in weight_files(folder):
        found = tensors(path)
        if twice := sorted(every.keys() & found.keys()):
            raise CheckpointError(
                f"{path.name} holds {twice[0]}, which another file holds too"
            )
        every |= found
    digest = hashlib.sha256()
    for name in sorted(every):
        tensor = every[name]
        label = f"{name} {tensor.dtype} {list(tensor.shape)}\n"
        digest.update(label.encode())
        for chunk in tensor.chunks():
            digest.update(chunk)
    return digest.hexdigest()


def path_of(name: str, value: object) -> str | Path:
    """Return value if it is a str or a Path, or raise TypeError."""
    if not isinstance(value, str | Path):
        raise TypeError(f"{name} is {shown(value)}, but must be a path")
    return value


def _header(path, text):
    try:
        header = json_value(text, object_pairs_hook=_no_key_twice)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise CheckpointError(f"{path.name} is not safetensors: no header")
    return header


def _no_key_twice(pairs):
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _tensor(path, name, entry, start):
    try:
        begin, end = entry["data_offsets"]
        shape, dtype = tuple(entry["shape"]), entry["dtype"]
        numbers = (begin, end, *shape)
        is_sound = all(type(n) is int and n >= 0 for n in numbers)
        num_bytes = math.prod(shape) * _width(dtype) if is_sound else None
    except (AttributeError, TypeError, KeyError, ValueError):
        is_sound = False
    if not is_sound or len(shape) > _MAX_DIMS:
        raise CheckpointError(
            f"{path.name}: the header's entry of {name} is broken"
        )
    if end - begin != num_bytes:
        raise CheckpointError(
            f"{path.name}: {name} takes {end - begin} bytes, which shape "
            f"{list(shape)} in {dtype} does not"
        )
    return Tensor(name, dtype, shape, path, start + begin, start + end)


def _check_cover(path, found, start, size):
    """The tensors must fill the file: no hole, no overlap, nothing cut."""
    for tensor in sorted(found, key=lambda item: (item.begin, item.end)):
        if tensor.end > size:
            raise CheckpointError(
                f"{path.name} is cut short: {tensor.name} should end at "
                f"byte {tensor.end}, the file has {size}"
            )
        if tensor.begin != start:
            raise CheckpointError(
                f"{path.name}: {tensor.name} begins at byte {tensor.begin}, "
                f"but must at {start}"
            )
        start = tensor.end
    if start != size:
        raise CheckpointError(
            f"{path.name} has {size - start} bytes after its last tensor"
        )


def _width(dtype):
    if dtype == "BOOL" or dtype.startswith("F8"):
        return 1
    return int(dtype.lstrip("BFIU")) // 8
