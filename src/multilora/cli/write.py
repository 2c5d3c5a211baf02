"""A plan's files in a folder, each whole or not at all."""

import json
from pathlib import Path

from multilora.arguments import shown
from multilora.cli.report import report_page
from multilora.deploy.files import OURS, answer_files
from multilora.plan.answer import FORMAT
from multilora.serving.whole_file import write_whole

MAX_PLAN_BYTES = 2**28  # no plan.json of ours is larger


def write_answer(plan, folder):
    """Write every file of a plan into a folder; return their paths.

    The folder is made if need be. One that holds files must be an earlier
    plan's: its plan.json says so. Files that this plan does not have are
    removed if their names are ours; others stay.
    Raises ValueError for a folder of others and one that cannot be written,
    and as answer_files does.
    """
    files = answer_files(plan)
    files["report.html"] = report_page(plan)
    try:
        path = Path(folder)
    except TypeError:
        raise TypeError(
            f"folder is {shown(folder)}, but must be a path"
        ) from None
    try:
        path.mkdir(parents=True, exist_ok=True)
        _check_ours(path)
        written = [_write(path / name, text) for name, text in files.items()]
        for other in path.iterdir():
            if OURS.fullmatch(other.name) and other.name not in files:
                other.unlink()
    except (OSError, ValueError) as error:
        if isinstance(error, ValueError) and "folder is" in str(error):
            raise
        reason = getattr(error, "strerror", None) or error
        raise ValueError(
            f"folder is {shown(str(folder))}, but it cannot be written: "
            f"{reason}"
        ) from None
    return written


def _check_ours(path):
    held = [item.name for item in path.iterdir()]
    if held and not _is_ours(path / "plan.json"):
        raise ValueError(
            f"folder is {shown(str(path))}, but must be new, empty or an "
            f"earlier plan's: it holds {shown(min(held))} and no plan.json "
            "of multilora"
        )


def _is_ours(file):
    """True for a plan's JSON; of any version, for all are replaced alike."""
    try:
        if not file.is_file() or file.stat().st_size > MAX_PLAN_BYTES:
            return False
        data = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        return False
    return isinstance(data, dict) and data.get("format") == FORMAT


def _write(path, text):
    mode = 0o755 if path.suffix == ".sh" else 0o644
    write_whole(path, text, mode)
    return path
