"""The files for other projects' routers say what those projects read."""

import pytest
import yaml

import made_plans
from multilora.deploy.containers import container_args
from multilora.deploy.llm_d import (
    DEFAULT_SCORERS,
    LORA_SCORER,
    llm_d,
    llm_d_file,
)
from multilora.deploy.production_stack import (
    production_stack,
    production_stack_file,
)
from multilora.deploy.serve_args import widest_rank

PLANS = pytest.mark.parametrize("name", made_plans.EVERY)


@PLANS
def test_the_texts_hold_the_documents(name):
    plan = made_plans.EVERY[name]()
    assert yaml.safe_load(llm_d_file(plan)) == llm_d(plan)
    stack = production_stack_file(plan)
    assert yaml.safe_load(stack) == production_stack(plan)
    assert stack.isascii() and llm_d_file(plan).isascii()


def test_llm_d_gets_the_scorer_that_its_default_lacks():
    """Each scorer of a profile is one of the plugins, as its loader asks."""
    made = llm_d(made_plans.three_engines())
    assert made["apiVersion"] == "llm-d.ai/v1alpha1"
    assert made["kind"] == "EndpointPickerConfig"
    plugins = [one["type"] for one in made["plugins"]]
    (profile,) = made["schedulingProfiles"]
    weights = {one["pluginRef"]: one["weight"] for one in profile["plugins"]}
    assert [*weights] == plugins == [*DEFAULT_SCORERS, LORA_SCORER]
    assert weights == {
        "queue-scorer": 2, "kv-cache-utilization-scorer": 2,
        "prefix-cache-scorer": 3, "lora-affinity-scorer": 1,
    }  # fmt: skip
    assert LORA_SCORER not in DEFAULT_SCORERS


def test_the_widest_rank_is_what_every_engine_must_hold():
    wide = made_plans.SETTING.model_copy(update={"max_lora_rank": 64})
    tenants = [made_plans.tenant("a")]
    plan = made_plans.plan(
        [made_plans.engine(tenants), made_plans.engine(tenants, wide)]
    )
    assert widest_rank(plan) == 64
    assert "--max-lora-rank 64" in llm_d_file(plan).replace("\n# ", " ")


@PLANS
def test_the_stack_starts_each_engine_as_the_plan_says(name):
    """What the chart gives by its own keys, and the rest, make the line."""
    plan = made_plans.EVERY[name]()
    made = production_stack(plan)
    assert made["routerSpec"]["routingLogic"] == "session"
    assert made["routerSpec"]["sessionKey"] == "model"
    specs = made["servingEngineSpec"]["modelSpec"]
    assert len(specs) == len(plan.engines)
    assert len({spec["name"] for spec in specs}) == len(specs)
    for number, spec in enumerate(specs, 1):
        by_chart = [
            spec["modelURL"], "--enable-lora", "--port", "8000",
            "--tensor-parallel-size",
            str(spec["vllmConfig"]["tensorParallelSize"]),
        ]  # fmt: skip
        words = by_chart + spec["vllmConfig"]["extraArgs"]
        assert sorted(words) == sorted(container_args(plan, number))
        assert spec["enableLoRA"] and spec["replicaCount"] == 1
        assert spec["requestGPU"] == plan.tensor_parallel_size
        mounts = {one["name"] for one in spec.get("extraVolumeMounts", ())}
        assert mounts == {one["name"] for one in spec.get("extraVolumes", ())}
