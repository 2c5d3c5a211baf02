"""vllm-router takes the line, and gives each adapter one home."""

import argparse
import shlex
import subprocess
import sys

import pytest

import made_plans
from multilora.deploy.router import router_args, router_file, router_line
from plan_peers import (
    ask,
    engines,
    folder_of,
    free_ports,
    router_words,
    running,
)

URLS = [f"http://127.0.0.1:800{number}" for number in (1, 2, 3)]


def test_the_line_names_every_engine():
    plan = made_plans.three_engines()
    words = shlex.split(router_line(plan).replace("\\\n", ""))
    assert words == ["vllm-router", *router_args(plan)]
    assert words[2:5] == URLS


def test_the_file_is_a_script_that_says_what_it_needs():
    plan = made_plans.three_engines()
    text = router_file(plan)
    subprocess.run(["/bin/sh", "-n"], input=text.encode(), check=True)
    assert "--max-lora-rank 16" in text
    assert "does not follow the plan" in text.replace("\n# ", " ")


@pytest.mark.peers
@pytest.mark.parametrize("name", made_plans.EVERY)
def test_its_own_parser_reads_the_line(name):
    sys.path.append(str(folder_of("vllm_router")))
    try:  # the package's own import wants a server
        from router_args import RouterArgs
    finally:
        sys.path.pop()
    plan = made_plans.EVERY[name]()
    parser = argparse.ArgumentParser()
    RouterArgs.add_cli_args(parser)
    read = RouterArgs.from_cli_args(parser.parse_args(router_args(plan)))
    read._validate_router_args()
    assert len(read.worker_urls) == len(plan.engines)
    assert (read.policy, read.port) == ("consistent_hash", 8000)
    assert (read.host, read.prometheus_host) == ("0.0.0.0", "127.0.0.1")


@pytest.mark.peers
def test_an_adapter_has_one_home_with_the_header_only():
    plan = made_plans.three_engines()
    front, metrics, *ports = free_ports(5)
    words = router_args(plan, [f"http://127.0.0.1:{port}" for port in ports])
    words[words.index("--port") + 1] = str(front)
    words[words.index("--prometheus-port") + 1] = str(metrics)
    names = [tenant.name for tenant in plan.tenants]
    words = router_words(words)
    with engines(ports) as asked, running(words, front):
        for name in names * 3:
            assert ask(front, name, name) == 200
        homes = set(asked)
        assert len(homes) == len(names)
        assert {port for port, _ in homes} == set(ports)
        asked.clear()
        for number in range(30):
            assert ask(front, "tenant-0", prompt=f"text {number}") == 200
        assert len(set(asked)) > 1
