"""The guide's pictures say what the scheduler and the tiers really do."""

import re
from collections import OrderedDict

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from multilora.cache.slots import schedule_step
from multilora.figures import guide, guide_tiers
from multilora.figures.style import new_figure
from multilora.labs.checks import grade_function, spec_tests
from multilora.labs.guards import bare_signature
from multilora.matmul import lora
from multilora.matmul.counting import counting
from multilora.models.versions import DEFAULT_VERSION, nearest_rule
from multilora.published import published
from repository import BOOK


def page(name):
    return " ".join((BOOK / f"{name}.md").read_text("utf-8").split())


@pytest.mark.parametrize("copies", [2, 3, 5])
def test_tiers_are_two_lru_caches_one_in_the_other(copies):
    """A plain loop over two ordered dicts counts the same."""
    slots, memory, hits, loads, reads = OrderedDict(), OrderedDict(), 0, 0, 0
    for letter, row in zip(
        guide_tiers.ASKED, guide_tiers.tier_table(copies), strict=True
    ):
        reads += letter not in memory
        memory[letter] = None
        memory.move_to_end(letter)
        if len(memory) > copies:
            gone, _ = memory.popitem(last=False)
            slots.pop(gone, None)
        hits += letter in slots
        loads += letter not in slots
        slots[letter] = None
        slots.move_to_end(letter)
        if len(slots) > 2:
            slots.popitem(last=False)
        assert set(row["slots"]) - {""} == set(slots)
        assert set(row["copies"]) == set(memory)
        found = (row["hits"], row["slot_loads"], row["disk_loads"])
        assert found == (hits, loads, reads)


@pytest.mark.parametrize("copies", [2, 3, 5])
def test_arrows_run_between_boxes_of_the_adapter_that_is_loaded(copies):
    """From the tier where it was found, tier by tier, into its own slot."""
    figure = new_figure()
    for request, row in enumerate(guide_tiers.tier_table(copies), 1):
        guide_tiers.draw_tiers(figure, request, copies)
        texts = figure.axes[0].texts
        name_at = {item.get_position(): item.get_text() for item in texts}
        ends = [
            [(round(x, 9), round(y, 9)) for x, y in (item.xy, item.xyann)]
            for item in texts
            if getattr(item, "arrow_patch", None)
        ]
        assert len(ends) == row["found"]
        for tip, tail in ends:
            for x, y in ((tip[0] - 1.3, tip[1]), (tail[0] + 1.3, tail[1])):
                near = [
                    name
                    for at, name in name_at.items()
                    if np.allclose(at, (x, y))
                ]
                assert near == [row["asked"]]
        if ends:
            assert ends[0][0][1] == pytest.approx(1.2 * row["slot"] + 0.5)


@pytest.mark.parametrize("slots", [1, 2, 3, 4])
def test_the_queue_never_runs_more_adapters_than_slots(slots):
    """Whoever runs fits, base requests wait for nobody, all run once."""
    job_of = {job.request_id: job for job in guide.QUEUE}
    admitted = []
    for step in guide.queue_table(slots):
        active = {job_of[name].adapter_id for name in step.running} - {-1}
        assert len(active) <= slots
        assert "base" not in step.deferred
        admitted += step.admitted
        before = [n for n in step.running if n not in step.admitted]
        waiting = [n for n in job_of if n in step.admitted + step.deferred]
        pairs = [(name, job_of[name].adapter_id) for name in waiting]
        stays = [(name, job_of[name].adapter_id) for name in before]
        again, _ = schedule_step(pairs, stays, slots)
        assert [name for name, _ in again] == step.admitted
    assert sorted(admitted) == sorted(job_of)
    assert len(guide.queue_table(slots)) <= guide.MAX_STEPS


@pytest.mark.parametrize("tenants", range(5))
def test_the_detours_cost_what_two_thin_matmuls_a_tenant_cost(tenants):
    table = guide.detour_table(tenants)
    mine = [row for row in guide.BATCH if 0 <= row < tenants]
    assert [row for row in table["rows"] if row >= 0] == mine
    thin = len(mine) * 2 * guide.RANK * guide.WIDTH
    base = len(guide.BATCH) * guide.WIDTH**2
    assert table["flop_share"] == thin / base
    assert table["base_matmuls"] == 1
    assert table["thin_matmuls"] == 2 * tenants


@given(st.lists(st.integers(-1, 5), min_size=1, max_size=20))
def test_one_base_matmul_whoever_is_in_the_batch(ids):
    """The guide's first invariant; the other four have tests elsewhere."""
    W, x = counting(np.ones((3, 4))), np.ones((len(ids), 4))
    pairs = [(np.ones((2, 4)), np.ones((3, 2)))] * 6
    lora.apply_batched(x, W, pairs, ids, [1.0] * 6)
    assert len(W.calls) == 1


@pytest.mark.parametrize("tenants", [-1, 5, 1.5])
def test_the_detours_refuse_tenants_that_are_not_drawn(tenants):
    with pytest.raises((ValueError, TypeError), match="tenants"):
        guide.detour_table(tenants)


def test_the_mini_build_asks_for_the_librarys_signatures():
    text = page("mini-build")
    for name in ("lora_delta", "apply_single", "apply_batched"):
        signature = bare_signature(getattr(lora, name))
        assert f"def {name}{signature}: ..." in text
    number = len(spec_tests("01"))
    assert f"`{number} of {number} tests pass`" in text
    assert f"`0 of {number} tests pass`" in text


def test_the_grader_lets_pass_what_the_mini_build_says_it_does():
    """Each adapter over the whole batch: the page asks the reader."""

    def whole_batches(x, W, adapters, adapter_ids, scalings):
        y, ids = x @ W.T, np.array(adapter_ids)[:, None]
        for i in {*adapter_ids} - {-1}:
            if adapters[i] is not None:
                A, B = adapters[i]
                added = scalings[i] * (x @ A.T) @ B.T
                y += np.where(ids == i, added, 0)
        return y

    outcomes = grade_function("apply_batched", whole_batches)
    assert {item.verdict for item in outcomes} == {"pass"}
    assert "One thing it lets pass" in page("mini-build")


def test_the_cheat_sheet_says_the_ranks_that_vllm_takes():
    ranks = ", ".join(map(str, nearest_rule(DEFAULT_VERSION).ranks))
    assert f"| 16 | {ranks} (" in page("cheat-sheet")


def test_how_to_read_gives_the_minutes_that_the_pages_give():
    """And it lists the labs in the order of the table of contents."""
    text = page("how-to-read")
    for lab, read, build in (("01", 60, 45), ("03", 60, 20), ("04", 95, 80),
                             ("02", 60, 45)):  # fmt: skip
        row = rf"\[lab {lab}\]\([^)]*\) \| {read} \| {build} \|"
        assert re.search(row, text)
    places = [
        text.index(f"[lab {lab}](../") for lab in ("01", "03", "04", "02")
    ]
    assert places == sorted(places)
    toc = yaml.safe_load((BOOK.parent / "_toc.yml").read_text("utf-8"))
    labs = [c["file"] for part in toc["parts"] for c in part["chapters"]]
    numbers = [re.search(r"lab-(\d\d)", name) for name in labs]
    assert [n.group(1) for n in numbers if n] == ["01", "03", "04", "02"]


@pytest.mark.parametrize("lab, openings", [
    ("lab-01-batched-lora-matmul", ("About an hour to read, 45 minutes",)),
    ("lab-03-lora-economics", ("About an hour to read, 20 minutes",)),
    ("lab-04-adapter-slot-cache", ("About 95 minutes to read, 80 more",)),
    ("lab-02-serve-many-loras", ("About 60 minutes to read, 45 more",)),
])  # fmt: skip
def test_the_labs_say_those_minutes_too(lab, openings):
    text = (BOOK.parent / f"notebooks/{lab}.ipynb").read_text("utf-8")
    assert all(opening in text for opening in openings)


def test_the_status_page_gives_the_dates_of_the_records():
    lines = (BOOK / "status.md").read_text("utf-8").splitlines()
    asked = published("reconciliation")["conditions"]["date"]
    dates = {
        "times of the sliders": published("slider_speed")["machine"]["date"],
        "overhead of one layer": published("overhead")["machine"]["date"],
        "`make bench`": published("benchmarks")["machine"]["date"],
        "lab 02, the deep dive": asked,
    }
    for row, date in dates.items():
        (line,) = [item for item in lines if item.startswith(f"| {row}")]
        assert line.endswith(f"{date} |")
