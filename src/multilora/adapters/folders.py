"""Folders of adapters: found below a path, and the ranks in them."""

from collections.abc import Iterable
from pathlib import Path

from multilora.adapters.checkpoints import path_of
from multilora.adapters.config import ranks_of, read_config
from multilora.adapters.foreign import AdapterError
from multilora.arguments import items, shown
from multilora.matmul.lora import MAX_RANK

# A folder with one of these is meant as an adapter, sound or not.
_OF_AN_ADAPTER = (
    "adapter_config.json",
    "adapter_model.*",
    "adapters.safetensors",
    "pytorch_lora_weights.*",
)
MAX_FOLDERS = 100_000


def adapter_folders(path: str | Path) -> list[Path]:
    """Return the adapters' folders at a path, sorted by name.

    The path itself, if it is one, else the folders within it, one level
    down, that look like one: a broken adapter is among them, a folder of
    something else is not. Hidden folders are left out.
    Raises AdapterError for a path that is no folder or holds no adapter.
    """
    folder = Path(path_of("path", path))
    try:
        if not folder.is_dir():
            kind = "a file" if folder.exists() else "not there"
            raise AdapterError(
                f"path is {shown(str(path))}, which is {kind}; give an "
                "adapter's folder, or one that holds some"
            )
        if _is_meant(folder):
            return [folder]
        inside = sorted(folder.iterdir())
        found = [item for item in inside if _is_meant_inside(item)]
    except (OSError, ValueError) as error:  # no right, a loop, a null byte
        if isinstance(error, AdapterError):
            raise
        raise AdapterError(
            f"path is {shown(str(path))}, which cannot be read: "
            f"{getattr(error, 'strerror', None) or error}"
        ) from None
    if not found:
        raise AdapterError(
            f"path is {shown(str(path))}, which holds no adapter: neither it "
            "nor a folder in it has an adapter_config.json"
        )
    if len(found) > MAX_FOLDERS:
        raise AdapterError(
            f"path is {shown(str(path))}, which holds {len(found):,} "
            f"adapters, but must hold at most {MAX_FOLDERS:,}"
        )
    return found


def rank_in(folder: str | Path) -> int:
    """Return the rank that an adapter's folder needs, its largest.

    That of adapter_config.json, rank_pattern included; no weights are read.
    Raises AdapterError for a config that vLLM cannot serve at any rank.
    """
    path = Path(path_of("folder", folder))
    try:
        is_there = path.is_dir()
    except (OSError, ValueError):
        is_there = False
    if not is_there:
        raise AdapterError(f"folder is {shown(str(path))}: no such folder")
    return ranks_of(path.name, read_config(path), MAX_RANK).largest


def ranks_in(folders: Iterable[str | Path]) -> dict[Path, int]:
    """Return {folder: rank_in of it}, without those that have none.

    Raises TypeError for folders that are no paths.
    """
    found = {}
    for folder in items("folders", folders, str | Path):
        try:
            found[Path(folder)] = rank_in(folder)
        except AdapterError:
            continue
    return found


def _is_meant_inside(item):
    try:
        is_folder = item.is_dir() and not item.name.startswith(".")
        return is_folder and _is_meant(item)
    except OSError:
        return True  # to be reported by its check


def _is_meant(folder):
    return any(next(folder.glob(name), None) for name in _OF_AN_ADAPTER)
