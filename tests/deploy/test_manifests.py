"""Compose, Kubernetes and the load test, as those who read them do."""

import json
import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import made_plans
from multilora.deploy.compose import compose, compose_file
from multilora.deploy.containers import (
    binds,
    container_args,
    container_folder,
    image_of,
)
from multilora.deploy.kubernetes import kubernetes, kubernetes_file
from multilora.deploy.load_test import load_test, load_test_file, traffic_split
from multilora.deploy.serve_args import port_of
from plan_peers import folder_of, load_test_read

PLANS = pytest.mark.parametrize("name", made_plans.EVERY)
LABEL = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")


@PLANS
def test_the_texts_hold_the_documents(name):
    plan = made_plans.EVERY[name]()
    assert yaml.safe_load(compose_file(plan)) == compose(plan)
    assert list(yaml.safe_load_all(kubernetes_file(plan))) == kubernetes(plan)
    assert yaml.safe_load(load_test_file(plan, 1)) == load_test(plan, 1)


@PLANS
def test_every_engine_has_its_own_gpus_and_ports(name):
    plan = made_plans.EVERY[name]()
    services = compose(plan)["services"]
    front = services.pop("gateway", None)
    assert (front is not None) == (len(plan.engines) > 1)
    gpus, ports = [], []
    for number, service in enumerate(services.values(), 1):
        reserved = service["deploy"]["resources"]["reservations"]
        gpus += reserved["devices"][0]["device_ids"]
        ports += service["ports"]
        assert service["command"] == container_args(plan, number)
        assert service["image"] == f"vllm/vllm-openai:v{plan.vllm_version}"
    width = len(plan.engines) * plan.tensor_parallel_size
    assert gpus == [str(gpu) for gpu in range(width)]
    assert len(set(ports)) == len(plan.engines)
    assert all(port.startswith("127.0.0.1:") for port in ports)


@PLANS
def test_a_service_finds_its_pods_and_they_their_gpus(name):
    plan = made_plans.EVERY[name]()
    found = kubernetes(plan)
    names = [(one["kind"], one["metadata"]["name"]) for one in found]
    assert len(set(names)) == len(names)
    assert all(LABEL.fullmatch(name) for _, name in names)
    pods = {
        one["metadata"]["name"]: one["spec"]["template"]
        for one in found if one["kind"] == "Deployment"
    }  # fmt: skip
    for one in found:
        if one["kind"] == "Service":
            pod = pods[one["metadata"]["name"]]
            assert one["spec"]["selector"] == pod["metadata"]["labels"]
            (container,) = pod["spec"]["containers"]
            port = container["ports"][0]["containerPort"]
            assert one["spec"]["ports"][0]["targetPort"] == port
            mounted = {mount["name"] for mount in container["volumeMounts"]}
            volumes = {volume["name"] for volume in pod["spec"]["volumes"]}
            assert mounted == volumes
    engines = [pod["spec"] for name, pod in pods.items() if "-engine-" in name]
    assert len(engines) == len(plan.engines)
    for spec in engines:
        limits = spec["containers"][0]["resources"]["limits"]
        assert limits == {"nvidia.com/gpu": plan.tensor_parallel_size}


def test_an_engine_never_sees_the_whole_machine():
    tenants = [
        made_plans.tenant("a", folder="/srv/a"),
        made_plans.tenant("b", folder="/home/b/c"),
    ]
    plan = made_plans.plan([made_plans.engine(tenants)])
    assert binds(plan) == [
        ("/home/b/c", "/adapters/home/b/c"),
        ("/srv/a", "/adapters/srv/a"),
    ]
    assert container_args(plan, 1)[-2:] == [
        "a=/adapters/srv/a",
        "b=/adapters/home/b/c",
    ]
    assert container_folder("/x/y/../z", "/x") == "/adapters/z"


def test_an_image_has_the_version_without_how_it_was_built():
    plan = made_plans.plan([made_plans.engine([])], vllm_version="0.22.1+cpu")
    assert image_of(plan) == "vllm/vllm-openai:v0.22.1"
    plan = made_plans.plan([made_plans.engine([])], vllm_version="0.2 $(x)")
    with pytest.raises(ValueError, match="vllm_version is"):
        image_of(plan)


MODELS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    min_size=1,
).filter(lambda text: text[0] != "-")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@settings(max_examples=25)
@given(name=TEXTS, model=MODELS)
def test_no_name_leaves_its_place(name, model):
    """What YAML, Compose's "$" and the comments make of any text."""
    tenant = made_plans.tenant(name)
    plan = made_plans.plan([made_plans.engine([tenant])] * 2, model=model)
    for text in (compose_file(plan), kubernetes_file(plan)):
        assert text.isascii()
        first = next(yaml.safe_load_all(text))
        assert first.get("name", first.get("apiVersion"))
    read = yaml.safe_load(compose_file(plan))["services"]["engine-1"]
    said = [word.replace("$$", "$") for word in read["command"]]
    assert "$" not in "".join(read["command"]).replace("$$", "")
    assert model in said
    made = yaml.safe_load(load_test_file(plan, 1))
    assert made["load"]["lora_traffic_split"] == [{"name": name, "split": 1}]


COUNTS = st.lists(st.integers(0, 2**40), min_size=1, max_size=300)


@given(counts=COUNTS)
def test_shares_sum_to_one_in_any_order(counts):
    tenants = [
        made_plans.tenant(f"t{place}", num_requests=count)
        for place, count in enumerate(counts)
    ]
    split = traffic_split(tenants)
    shares = {one["name"]: one["split"] for one in split}
    asked = {t.name: t.num_requests for t in tenants if t.num_requests}
    assert shares.keys() == asked.keys()
    if asked:
        assert sum(shares.values()) == 1
        assert sum(reversed(list(shares.values()))) == 1
        whole = sum(asked.values())
        for name, count in asked.items():
            assert shares[name] > 0
            assert abs(shares[name] - count / whole) < len(asked) / 2**19


def test_where_nobody_asks_there_is_no_test():
    idle = made_plans.tenant("idle", num_requests=0, requests_per_s=0)
    plan = made_plans.plan([made_plans.engine([idle])])
    assert load_test(plan, 1) is None
    assert "Nobody asks engine 1" in load_test_file(plan, 1)


@pytest.mark.peers
@PLANS
def test_the_compose_file_follows_the_specification(name):
    vendor = folder_of("check_jsonschema") / "builtin_schemas/vendor"
    schema = json.loads((vendor / "compose-spec.json").read_text("utf-8"))
    errors = Draft202012Validator(schema).iter_errors
    read = yaml.safe_load(compose_file(made_plans.EVERY[name]()))
    assert [e.message for e in errors(read)] == []
    read["services"]["engine-1"]["prots"] = []
    assert list(errors(read))


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@PLANS
def test_kubernetes_schemas_take_the_manifests(name):
    folder_of("kubernetes_validate")
    from kubernetes_validate import ValidationError, latest_version, validate

    text = kubernetes_file(made_plans.EVERY[name]())
    for one in yaml.safe_load_all(text):
        validate(one, latest_version(), strict=True)
    one["spec"]["prots"] = []
    with pytest.raises(ValidationError):
        validate(one, latest_version(), strict=True)


@pytest.mark.peers
@PLANS
def test_inference_perf_reads_the_load_test(name, tmp_path):
    plan = made_plans.EVERY[name]()
    for number, engine in enumerate(plan.engines, 1):
        path = tmp_path / f"load-test-{number}.yml"
        path.write_text(load_test_file(plan, number), "utf-8")
        read = load_test_read(path)
        url = f"http://127.0.0.1:{port_of(plan, number)}"
        assert read["server"]["base_url"] == url
        assert read["server"]["model_name"] == plan.model
        names = [one["name"] for one in read["load"]["lora_traffic_split"]]
        assert sorted(names) == sorted(t.name for t in engine.tenants)
        (stage,) = read["load"]["stages"]
        rate = sum(tenant.requests_per_s for tenant in engine.tenants)
        assert stage["rate"] == pytest.approx(rate, rel=1e-3)
        assert read["report"]["goodput"]["constraints"]["ttft"] == 0.5
        assert read["load"]["type"] == "poisson"
        assert read["api"]["streaming"]  # without it there is no TTFT
