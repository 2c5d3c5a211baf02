"""The files of a reader's case, where the page has mounted them."""

from pathlib import Path
from typing import NamedTuple

from multilora.adapters.folders import adapter_folders
from multilora.adapters.foreign import AdapterError
from multilora.arguments import shown
from multilora.logs.unpacked import MAX_BYTES, unpacked_bytes
from multilora.units import MIB

MAX_CONFIG = 4 * MIB  # bytes; config.json of real models have below 0.1 MiB


class CaseFiles(NamedTuple):
    """What there is of a case: None and () for what was not given."""

    config: Path | None
    adapters: tuple[Path, ...]
    log: Path | None


def files_in(folder: str | Path) -> CaseFiles:
    """Return the CaseFiles of a folder.

    config/config.json, a folder below adapters/ for each adapter, and the
    first file in log/. Raises TypeError for a folder that is no path.
    """
    if not isinstance(folder, str | Path):
        raise TypeError(f"folder is {shown(folder)}, but must be a path")
    top = Path(folder)
    config = top / "config" / "config.json"
    logs = sorted((top / "log").iterdir()) if (top / "log").is_dir() else []
    adapters: list[Path] = []
    if (top / "adapters").is_dir():
        try:
            adapters = adapter_folders(top / "adapters")
        except AdapterError:
            pass  # none of its folders is an adapter's
    return CaseFiles(
        config if config.is_file() else None,
        tuple(adapters),
        next((path for path in logs if path.is_file()), None),
    )


def check_config_size(path: Path) -> None:
    """Raise ValueError for a config.json that is far too long to be one."""
    size = path.stat().st_size
    if size > MAX_CONFIG:
        raise ValueError(
            f"config.json has {size / MIB:,.1f} MiB, but must have at most "
            f"{MAX_CONFIG // MIB}: real ones have below 0.1"
        )


def check_log_size(path: Path, command: str) -> None:
    """Raise ValueError for a log that is too long for a page.

    command is what reads it in a shell.
    """
    if unpacked_bytes(path, MAX_BYTES) > MAX_BYTES:
        raise ValueError(
            f"the log {shown(path.name)} holds more than "
            f"{MAX_BYTES // MIB} MiB of text, the most that this page reads. "
            f"In a shell: {command}"
        )
