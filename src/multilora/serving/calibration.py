"""The step cost of an engine as it was measured, and its file."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from multilora.arguments import finite_number, integer, items, shown, text
from multilora.serving.cost import StepCost, check_cost
from multilora.serving.limits import Limits, check_limits
from multilora.serving.whole_file import file_name, write_whole

FORMAT = "multilora calibration"
VERSION = 1
MAX_FILE_BYTES = 2**20
AGAIN = "calibrate again, or name the file that calibrate wrote"
STEADY = 1.1  # before and after within a tenth
MAX_DRIFT = 1e3


class Calibration(NamedTuple):
    """What a server's steps cost, and how it was found out.

    limits are the caller's, model and engine_version the server's; machine
    is the client's. residuals maps a kind of probe to the median relative
    error of the fit, notes say what could not be told. drift is the time of
    the last probes over that of the same first ones. prompt_tokens and
    output_tokens are the caller's ranges; prompts are cut to fit a step.
    """

    cost: StepCost
    limits: Limits
    model: str
    engine_version: str
    machine: dict[str, str | int | None]
    residuals: dict[str, float]
    notes: tuple[str, ...]
    drift: float
    prompt_tokens: tuple[int, int]
    output_tokens: tuple[int, int]
    num_requests: int
    num_steps: int
    seconds: float

    @property
    def is_steady(self) -> bool:
        """True if the probes before and after agree within 10 %."""
        return 1 / STEADY <= self.drift <= STEADY


def check_calibration(calibration: object) -> Calibration:
    """Return a Calibration that calibrate could have made, or its error."""
    if not isinstance(calibration, Calibration):
        raise TypeError(
            f"calibration is {shown(calibration)}, but must be a Calibration"
        )
    it, of = calibration, "of calibration"
    return Calibration(
        check_cost(it.cost),
        check_limits(it.limits),
        text(f"model {of}", it.model),
        text(f"engine_version {of}", it.engine_version),
        _table(f"machine {of}", it.machine, _plain),
        _table(f"residuals {of}", it.residuals, finite_number),
        tuple(items(f"notes {of}", it.notes, str)),
        finite_number(f"drift {of}", it.drift, 1 / MAX_DRIFT, MAX_DRIFT),
        _range(f"prompt_tokens {of}", it.prompt_tokens),
        _range(f"output_tokens {of}", it.output_tokens),
        integer(f"num_requests {of}", it.num_requests, 1),
        integer(f"num_steps {of}", it.num_steps, 1),
        finite_number(f"seconds {of}", it.seconds, 0),
    )


def calibration_json(calibration: Calibration) -> dict[str, Any]:
    """Return what the file of a Calibration holds, as plain data."""
    data = check_calibration(calibration)._asdict()
    for name in ("cost", "limits"):
        data[name] = data[name]._asdict()
    return {"format": FORMAT, "version": VERSION, **data}


def write_calibration(calibration: Calibration, path: str | Path) -> None:
    """Write a Calibration as JSON, whole or not at all.

    It is written beside path and then renamed. Raises ValueError where the
    folder cannot be written to.
    """
    data = calibration_json(calibration)
    text_of = json.dumps(data, indent=1, allow_nan=False) + "\n"
    write_whole(file_name(path), text_of)


def read_calibration(path: str | Path) -> Calibration:
    """Return the Calibration of a file that write_calibration wrote.

    Raises ValueError, with what to do, for a file that is not there, is
    another one, was cut, or holds what calibrate could not have measured.
    """
    data = _read(file_name(path), f"path is {shown(str(path))}, which")
    sentence = f"path is {shown(str(path))}, which holds no calibration"
    if not isinstance(data, dict) or data.pop("format", None) != FORMAT:
        raise ValueError(f"{sentence}: {AGAIN}")
    version = data.pop("version", None)
    if type(version) is not int or version != VERSION:
        raise ValueError(
            f"path is {shown(str(path))}, of format version {shown(version)}; "
            f"this library reads version {VERSION}: calibrate again with it"
        )
    try:
        data["cost"] = StepCost(**data["cost"])
        data["limits"] = Limits(**data["limits"])
        return check_calibration(Calibration(**data))
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise ValueError(f"{sentence} ({error}): {AGAIN}") from None


def _read(path, name):
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ValueError(
            f"{name} cannot be read ({error.strerror}): {AGAIN}"
        ) from None
    if len(content) > MAX_FILE_BYTES:
        raise ValueError(
            f"{name} is larger than a calibration ever is, "
            f"{MAX_FILE_BYTES:,} bytes: {AGAIN}"
        )
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise ValueError(
            f"{name} is not whole, or not JSON: {AGAIN}"
        ) from None


def _table(name: str, value: object, check: Callable) -> dict[str, Any]:
    if not isinstance(value, dict) or len(value) > 100:
        raise TypeError(f"{name} is {shown(value)}, but must be a small table")
    return {text(name, key): check(name, item) for key, item in value.items()}


def _plain(name, value):
    if value is not None and type(value) is not int:
        text(name, value)
    return value


def _range(name: str, value: Iterable[int]) -> tuple[int, int]:
    least, most = items(name, value, int)
    least = integer(name, least, 1)
    return least, integer(name, most, least)
