"""Figures as data with their sources: others', and those measured here."""

import copy
import json
import os
import platform
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from multilora.arguments import choice


def published(name: str) -> Any:
    """Return one of the data files of the package as plain Python data.

    Each holds its source beside its figures; each call gives a fresh copy.
    Raises ValueError for a name that is none of theirs.
    """
    return copy.deepcopy(shared(name))


def shared(name: str) -> Any:
    """Return the same data without the copy, for code that only reads it.

    Raises ValueError as published does.
    """
    return _read(choice("name", name, _FILES))


def forget() -> None:
    """Read data files anew when they are next asked for: one was written."""
    _read.cache_clear()


@cache
def _read(name):
    text = files("multilora").joinpath(f"data/{name}.json").read_text("utf-8")
    return json.loads(text)


_FILES = (
    "models",
    "config_defaults",
    "without_lora",
    "vllm_names",
    "overheads",
    "public_starts",
    "cards",
    "adapters",
    "vllm_versions",
    "serve_flags",
    "startups",
    "worked_examples",
    "load_costs",
    "adapter_loads",
    "load_times",
    "load_ranges",
    "lora_price",
    "anchors",
    "reconciliation",
    "overhead",
    "benchmarks",
    "slider_speed",
    "step_costs",
    "step_terms",
    "hours",
    "slot_ladders",
    "published_capture",
    "pitches",
    "public_traffic",
    "calibration_run",
    "fleet_run",
    "ray_run",
    "symptoms",
    "wrong_answers",
    "fleet_claims",
)


def machine() -> dict[str, str | int | None]:
    """Return what a measured number must name: machine, versions, date."""
    return {
        "cpu": _cpu_name(),
        "num_cpus": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": np.show_config(mode="dicts")["Build Dependencies"]["blas"][
            "name"
        ],
        "date": date.today().isoformat(),
    }


def _cpu_name():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
