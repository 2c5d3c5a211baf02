"""Findings: what a test of the engine compares goes to the book's page."""

import json
import os
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path

import pytest

from multilora.published import published

RECORD = Path(__file__).parents[1] / "src/multilora/data/reconciliation.json"


def pytest_addoption(parser):
    parser.addoption(
        "--record",
        action="store_true",
        help="write what the engine's tests find into the book's data",
    )


class Findings:
    """Checks each finding; compares it with the page, or records it."""

    def __init__(self, is_recording):
        self.is_recording = is_recording
        self.rows = []

    def add(self, key, claim, ours, vllm, cases, difference=0, allowed=0,
            unit="", measured=None):  # fmt: skip
        difference, allowed = float(difference), float(allowed)
        assert difference <= allowed, (
            f"{claim}: differs by {difference}, allowed {allowed} {unit}"
        )
        row = {
            "key": key, "claim": claim, "ours": ours, "vllm": vllm,
            "cases": int(cases), "difference": difference,
            "allowed": allowed, "unit": unit, "measured": measured or {},
        }  # fmt: skip
        if self.is_recording:
            self.rows.append(row)
            return
        pages = {
            item["key"]: item
            for item in published("reconciliation")["findings"]
        }
        again = "the page says otherwise: run make reconcile"
        assert key in pages, again
        # Another CPU may round otherwise; what is exact must stay so.
        rounded = {"difference", "allowed"} if allowed else {"allowed"}
        rounded.add("measured")
        for name in row.keys() - rounded:
            assert pages[key][name] == row[name], f"{name} of {key}: {again}"


@pytest.fixture(scope="session")
def findings(request):
    """Collects what the engine's tests compare; see make reconcile."""
    found = Findings(request.config.getoption("--record"))
    yield found
    if found.is_recording:
        RECORD.write_text(
            json.dumps(
                {"conditions": _conditions(), "findings": found.rows},
                indent=1, ensure_ascii=False,
            )
            + "\n"
        )  # fmt: skip


def _conditions():
    import torch

    from multilora.engine.quiet import vllm_version

    return {
        "vLLM": " ".join(vllm_version()),
        "torch": torch.__version__,
        "PEFT": version("peft"),
        "Python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "date": date.today().isoformat(),
    }
