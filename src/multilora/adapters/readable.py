"""What can be said of an adapter's files before its base is known."""

from pathlib import Path
from typing import Any, NamedTuple

from multilora.adapters import checkpoints
from multilora.adapters.config import Ranks, ranks_of, read_config
from multilora.adapters.foreign import (
    WEIGHTS,
    AdapterError,
    check_foreign_keys,
    check_pickle,
)
from multilora.arguments import choice, integer, shown
from multilora.matmul.lora import MAX_RANK


class Readable(NamedTuple):
    """An adapter's config, its Ranks, and {name: Tensor} of its file."""

    config: dict[str, Any]
    ranks: Ranks
    tensors: dict[str, checkpoints.Tensor]

    @property
    def num_bytes(self) -> int:
        """Bytes of all tensors."""
        return sum(item.num_bytes for item in self.tensors.values())


def readable(
    folder: str | Path,
    max_lora_rank: int = MAX_RANK,
    *,
    headers_only: bool = False,
) -> Readable:
    """Return the Readable of a PEFT folder whose files vLLM can read.

    No value is read. headers_only lets the file of weights end behind its
    header. Raises AdapterError for a missing or broken file, a format or a
    PEFT method that vLLM does not read, a rank above max_lora_rank.
    """
    folder = Path(checkpoints.path_of("folder", folder))
    max_lora_rank = integer("max_lora_rank", max_lora_rank, 1, MAX_RANK)
    choice("headers_only", headers_only, (True, False))
    if not folder.is_dir():
        raise AdapterError(f"folder is {shown(str(folder))}: no such folder")
    config = read_config(folder)
    ranks = ranks_of(folder.name, config, max_lora_rank)
    return Readable(config, ranks, _tensors(folder, headers_only))


def _tensors(folder, headers_only):
    path = folder / WEIGHTS
    if not path.is_file():
        check_pickle(folder)
        raise AdapterError(f"{folder.name} has no {WEIGHTS}")
    try:
        found = checkpoints.tensors(path, headers_only=headers_only)
    except checkpoints.CheckpointError as error:
        raise AdapterError(f"{folder.name}: {error}") from None
    if not found:
        raise AdapterError(f"{folder.name} holds no tensors")
    check_foreign_keys(folder.name, found)
    return found
