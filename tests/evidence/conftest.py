"""What the engine's tests find: compared with the page, or recorded."""

import json
import os
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path

import pytest

from multilora.published import published
from repository import ROOT

HERE = Path(__file__).parent
RECORD = ROOT / "src/multilora/data/reconciliation.json"


class Findings:
    """Checks each finding; compares it with the page, or records it."""

    def __init__(self, is_recording):
        self.is_recording = is_recording
        self.rows = []

    @staticmethod
    def is_whole(session):
        """True if this session runs every test that records a finding."""
        every = {path.name for path in HERE.glob("test_recon_*.py")}
        ran = {item.path.name for item in session.items}
        return every <= ran and not session.config.getoption("keyword")

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
        self.rows.append(row)
        if self.is_recording:
            return
        pages = {
            item["key"]: item
            for item in published("reconciliation")["findings"]
        }
        again = "the page says otherwise: run make reconcile"
        assert key in pages, again
        # Another CPU may round otherwise; what is exact must stay so.
        rounded = {"difference", "allowed"} if allowed else set()
        rounded.add("measured")
        assert bool(pages[key]["allowed"]) == bool(allowed), again
        for name in row.keys() - rounded:
            assert pages[key][name] == row[name], f"{name} of {key}: {again}"


@pytest.fixture(scope="session")
def findings(request):
    """Collects what the engine's tests compare; see make reconcile."""
    found = Findings(request.config.getoption("--record"))
    yield found
    if found.is_recording and not request.session.testsfailed:
        rows = {
            row["key"]: row for row in published("reconciliation")["findings"]
        }
        rows |= {row["key"]: row for row in found.rows}
        if found.is_whole(request.session):
            rows = {row["key"]: row for row in found.rows}
        data = {"conditions": _conditions(), "findings": list(rows.values())}
        text = json.dumps(data, indent=1, ensure_ascii=False)
        RECORD.write_text(text + "\n", encoding="utf-8")


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
