"""What belongs to a plan's folder."""

import re
import subprocess

import pytest

import made_plans
from multilora.deploy.files import OURS, answer_files
from multilora.plan.answer import Plan

PLANS = pytest.mark.parametrize("name", made_plans.EVERY)


@PLANS
def test_plan_json_is_the_plan(name):
    plan = made_plans.EVERY[name]()
    files = answer_files(plan)
    assert next(iter(files)) == "plan.json"
    assert Plan.model_validate_json(files["plan.json"]) == plan


@PLANS
def test_every_name_is_ours_and_in_the_readme(name):
    files = answer_files(made_plans.EVERY[name]())
    assert all(OURS.fullmatch(name) for name in files)
    for name in files:
        said = re.sub(r"-[0-9]+\.", "-*.", name)
        assert said == "README.txt" or said in files["README.txt"], name


@PLANS
def test_scripts_are_scripts(name):
    files = answer_files(made_plans.EVERY[name]())
    for name, text in files.items():
        if name.endswith(".sh"):
            subprocess.run(["/bin/sh", "-n"], input=text.encode(), check=True)
            assert text.startswith("#!/bin/sh\n# ")


def test_a_front_is_for_several_engines_only():
    fronts = {"gateway.conf", "router.sh", "llm-d.yml", "production-stack.yml"}
    one = answer_files(made_plans.one_engine())
    assert not fronts & set(one)
    three = answer_files(made_plans.three_engines())
    assert {*fronts, "engine-3.sh"} <= set(three)


def test_an_engine_knows_the_adapters_that_it_takes_over():
    plan = made_plans.with_spare()
    for number, engine in enumerate(plan.engines, 1):
        text = answer_files(plan)[f"engine-{number}.sh"]
        for one in engine.known:
            assert f"{one.name}={one.folder}" in text
    readme = answer_files(plan)["README.txt"].replace("\n", " ")
    assert "meets the SLO, also while any one engine is lost" in readme


def test_engines_of_one_machine_take_their_own_gpus():
    three = answer_files(made_plans.three_engines())
    assert "{CUDA_VISIBLE_DEVICES-2}\n" in three["engine-3.sh"]
    one = answer_files(made_plans.one_engine())
    assert "CUDA_VISIBLE_DEVICES" not in one["engine-1.sh"]


def test_a_script_says_which_folders_it_does_not_know():
    text = answer_files(made_plans.two_gpus())["engine-1.sh"]
    assert "where 4 of these adapters lie" in text.replace("\n# ", " ")
    assert "/v1/load_lora_adapter" in text
