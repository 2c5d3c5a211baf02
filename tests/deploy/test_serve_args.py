"""The lines of the engines, as a shell and vLLM's own parser read them."""

import json
import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

import made_plans
from multilora.deploy.containers import container_args
from multilora.deploy.serve_args import (
    gpus_of,
    port_of,
    serve_args,
    serve_line,
    without_folder,
)

PLANS = pytest.mark.parametrize("name", made_plans.EVERY)
NAMES = st.text(
    st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20
)


def numbers(plan):
    return range(1, len(plan.engines) + 1)


@PLANS
def test_a_shell_reads_the_words_of_the_line(name):
    """printf stands in for vllm: what the shell passes is what was meant."""
    plan = made_plans.EVERY[name]()
    for number in numbers(plan):
        script = "vllm() { printf '%s\\0' \"$@\"; }\n"
        said = subprocess.run(
            ["/bin/sh", "-c", script + serve_line(plan, number)],
            capture_output=True, check=True,
        ).stdout  # fmt: skip
        words = said.decode().split("\0")[:-1]
        assert words == ["serve", *serve_args(plan, number)]


@given(name=NAMES, folder=NAMES)
def test_any_name_comes_back(name, folder):
    """As vLLM's parser takes an item apart: plain, or JSON."""
    tenant = made_plans.tenant(name, folder=folder)
    plan = made_plans.plan([made_plans.engine([tenant])])
    words = serve_args(plan, 1)
    item = words[words.index("--lora-modules") + 1]
    assert not item.startswith("-")
    if "=" in item and "," not in item:
        found = dict(zip(("name", "path"), item.split("=", 1), strict=True))
    else:
        found = json.loads(item)
    assert found == {"name": name, "path": folder}
    one_line = serve_line(plan, 1).replace(" \\\n    ", " ")
    assert shlex.split(one_line) == ["vllm", "serve", *words]


def test_no_line_names_adapters_of_unknown_folders():
    plan = made_plans.two_gpus()
    assert "--lora-modules" not in serve_args(plan, 1)
    assert len(without_folder(plan.engines[0])) == 4


def test_engines_of_one_machine_share_neither_ports_nor_gpus():
    plan = made_plans.three_engines()
    assert [port_of(plan, n) for n in (1, 2, 3)] == [8001, 8002, 8003]
    assert port_of(made_plans.one_engine(), 1) == 8000
    wide = made_plans.plan(plan.engines, tensor_parallel_size=2)
    assert [gpus_of(wide, n) for n in (1, 3)] == [["0", "1"], ["4", "5"]]


@pytest.mark.parametrize(
    ("model", "number", "said"),
    [
        ("-O3", 1, "model is '-O3'"),
        ("a\0b", 1, "must not hold a NUL"),
        ("Qwen", 2, "number is 2"),
    ],
)
def test_what_no_line_can_say_is_refused(model, number, said):
    plan = made_plans.plan([made_plans.engine([])], model=model)
    with pytest.raises(ValueError, match=said):
        serve_line(plan, number)


@pytest.mark.engine
@pytest.mark.filterwarnings("ignore")  # of torch and vLLM
@PLANS
def test_vllm_reads_the_plan_back(name):
    from vllm.entrypoints.launchers.cli_args import (
        make_arg_parser,
        validate_parsed_serve_args,
    )
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    plan = made_plans.EVERY[name]()
    parser = make_arg_parser(FlexibleArgumentParser())
    for number in numbers(plan):
        args = parser.parse_args(serve_args(plan, number))
        validate_parsed_serve_args(args)
        known = [one for one in plan.engines[number - 1].known if one.folder]
        assert_plan(args, plan, number)
        assert args.model_tag == plan.model
        assert args.port == port_of(plan, number)
        paths = [one.path for one in args.lora_modules or ()]
        assert paths == [one.folder for one in known]
        # Compose and Kubernetes make one "$" of two.
        inner = [w.replace("$$", "$") for w in container_args(plan, number)]
        args = parser.parse_args(inner)
        assert_plan(args, plan, number)
        served = args.served_model_name or [args.model_tag]
        assert served == [plan.model]
        paths = [one.path for one in args.lora_modules or ()]
        assert all(path.startswith("/adapters/") for path in paths)


def assert_plan(args, plan, number):
    engine = plan.engines[number - 1]
    assert args.enable_lora is True
    for field, value in engine.setting:
        assert getattr(args, field) == value
    for field in ("tensor_parallel_size", "gpu_memory_utilization",
                  "max_model_len"):  # fmt: skip
        assert getattr(args, field) == getattr(plan, field)
    read = [one.name for one in args.lora_modules or ()]
    assert read == [one.name for one in engine.known if one.folder]
