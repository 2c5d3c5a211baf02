"""Published runs, replayed on vLLM's own classes: the cascade for real."""

from itertools import pairwise

import pytest

from multilora import tenants, traffic
from multilora.cache.events import adapters_by_event
from multilora.cache.tiers import AdapterTiers
from multilora.engine.residents_first import residents_first
from multilora.evidence.predicted import reported_run
from multilora.models.shapes import ModelShape
from multilora.published import published

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore")]

RUNS = ((16, 64, 0.01), (8, 128, 0.02), (8, 64, 0.1), (32, 128, 0.05))


def events_of(row):
    """The distinct adapters of each step that differs from the last one."""
    data = published("adapter_loads")
    arrivals = traffic.poisson(
        row["adapters"], row["rate"], data["duration_s"]
    )
    events = adapters_by_event(
        arrivals, row["adapters"], row["slots"], row["itl_ms"],
        data["output_tokens"], data["duration_s"],
    )  # fmt: skip
    sets = [event.adapters for event in events]
    return [
        # LoRARequests have ids from 1.
        [adapter_id + 1 for adapter_id in now]
        for before, now in pairwise([None, *sets])
        if now != before
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from multilora.engine.dummies import write_adapter

    folder = tmp_path_factory.mktemp("adapters") / "any"
    write_adapter(folder, ModelShape.from_config(tenants.folder_of("base")), 1)
    return folder


def warm_bare(folder, row):
    """vLLM's manager with every adapter activated once, in order."""
    from multilora.engine.bare import BareLoRA

    bare = BareLoRA(
        tenants.folder_of("base"), row["slots"], 1, row["adapters"]
    )
    bare.add(folder, range(1, row["adapters"] + 1))
    for lora_id in bare.adapters:
        bare.step([lora_id])
    bare.loads.clear()
    return bare


def test_published_loads_come_out_of_vllms_own_classes(folder, findings):
    worst = cases = as_shipped = patched = 0
    for run in RUNS:
        row = reported_run(*run)
        plain, mended = warm_bare(folder, row), warm_bare(folder, row)
        ours = AdapterTiers(row["slots"], row["adapters"])
        for lora_id in plain.adapters:
            ours.activate(lora_id)
        warm = ours.slot_loads
        for step in events_of(row):
            walked = {plain.adapters[lora_id] for lora_id in step}
            ours.activate_step([item.lora_int_id for item in walked])
            slots, _ = plain.step(step, as_set=True)
            assert slots == ours.slots
            with residents_first():
                mended.step(step, as_set=True)
            cases += 1
        assert len(plain.loads) == ours.slot_loads - warm
        error = abs(len(plain.loads) / row["loads"] - 1)
        assert error < 0.15, f"{run}: {len(plain.loads)} loads"
        worst = max(worst, error)
        as_shipped += len(plain.loads)
        patched += len(mended.loads)
    assert patched < 0.4 * as_shipped
    findings.add(
        key="published runs",
        claim="four published runs replayed on vLLM's classes: slots "
        "identical to ours in every step, loads near those of the real runs",
        ours="cache.events.adapters_by_event",
        vllm="the walk",
        cases=cases,
        difference=worst,
        allowed=0.15,
        unit="of the published loads",
        measured={"as shipped": as_shipped, "residents first": patched},
    )
