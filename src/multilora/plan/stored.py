"""A plan in a file: written whole, and read back with suspicion."""

import json
from pathlib import Path

from pydantic import ValidationError

from multilora.arguments import shown
from multilora.plan.answer import FORMAT, VERSION, Plan
from multilora.serving.whole_file import file_name, write_whole

MAX_BYTES = 2**28


def write_plan(plan: Plan, path: str | Path) -> None:
    """Write a Plan as JSON, whole or not at all.

    Raises ValueError where the folder cannot be written to.
    """
    if not isinstance(plan, Plan):
        raise TypeError(f"plan is {shown(plan)}, but must be a Plan")
    write_whole(file_name(path), plan.model_dump_json(indent=1) + "\n")


def read_plan(path: str | Path) -> Plan:
    """Return the Plan of a file that write_plan or `multilora plan` wrote.

    Raises ValueError, with what is wrong, for a file that is not there, is
    another one or of another version, was cut, or holds what is no plan.
    """
    name = f"path is {shown(str(file_name(path)))}, which"
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{name} cannot be read ({error.strerror})") from None
    if len(content) > MAX_BYTES:
        raise ValueError(f"{name} is larger than {MAX_BYTES:,} bytes")
    _require_ours(name, content)
    try:
        return Plan.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise ValueError(
            f"{name} holds no plan ({place[:100]}: {first['msg'][:200]}): "
            "plan again, or name the file that multilora plan wrote"
        ) from None


def _require_ours(name: str, content: bytes) -> None:
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        raise ValueError(f"{name} is not whole, or not JSON") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ValueError(
            f"{name} holds no plan: name the plan.json that multilora plan "
            "wrote"
        )
    version = data.get("version")
    if type(version) is not int or version != VERSION:
        raise ValueError(
            f"{name} is of format version {shown(version)}; this library "
            f"reads version {VERSION}: plan again with it"
        )
