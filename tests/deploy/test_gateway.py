"""Each tenant's requests reach the engine that the plan gave them."""

import csv
import io

import pytest

import made_plans
from multilora.deploy.gateway import gateway_conf
from multilora.deploy.homes import (
    backups_by_tenant,
    engines_by_tenant,
    header_value,
    tenants_csv,
)
from plan_peers import ask, engines, free_ports, nginx_words, running

PLANS = pytest.mark.parametrize("name", made_plans.EVERY)


@PLANS
def test_the_table_has_each_tenant_on_its_engine(name):
    plan = made_plans.EVERY[name]()
    rows = list(csv.DictReader(io.StringIO(tenants_csv(plan), newline="")))
    assert [(row["tenant"], int(row["engine"])) for row in rows] == [
        (tenant.name, number)
        for number, engine in enumerate(plan.engines, 1)
        for tenant in engine.tenants
    ]
    for row in rows:
        assert row["header"] == header_value(row["tenant"])
        assert row["header"].isascii()
        assert row["header"].isprintable()


def test_a_tenant_of_two_engines_is_served_by_both():
    both = made_plans.tenant("both")
    plan = made_plans.plan([made_plans.engine([both])] * 2)
    assert engines_by_tenant(plan) == {"both": (1, 2)}
    conf = gateway_conf(plan)
    assert conf.count('"~^both$" group_1;') == 1
    group = conf.split("upstream group_1 {")[1].split("}")[0]
    assert group.count("server 127.0.0.1:800") == 2


def test_a_backup_serves_after_the_tenants_own_engine():
    plan = made_plans.with_spare()
    backups = backups_by_tenant(plan)
    assert backups.keys() == engines_by_tenant(plan).keys()
    conf = gateway_conf(plan)
    for name, (number,) in backups.items():
        (home,) = engines_by_tenant(plan)[name]
        assert number != home
        assert f'"~^{name}$" engine_{home}_then_{number};' in conf
    group = conf.split("upstream engine_1_then_2 {")[1].split("}")[0]
    assert group.split(";")[:2] == [
        "\n    server 127.0.0.1:8001",
        "\n    server 127.0.0.1:8002 backup",
    ]


def test_names_too_long_for_a_header_are_left_out_and_counted():
    tenants = [made_plans.tenant("é" * 400), made_plans.tenant("short")]
    conf = gateway_conf(made_plans.plan([made_plans.engine(tenants)] * 2))
    assert "1 tenant is missing" in conf
    assert conf.count("~^") == 2  # and the base
    assert max(map(len, conf.splitlines())) < 1100


def test_addresses_must_be_one_an_engine():
    with pytest.raises(ValueError, match="addresses holds 1"):
        gateway_conf(made_plans.three_engines(), ["engine-1:8000"])


def conf_for(plan, front, ports, folder):
    """Write the gateway's file with these ports, all it writes in folder."""
    conf = folder / "gateway.conf"
    addresses = [f"127.0.0.1:{port}" for port in ports]
    text = gateway_conf(plan, addresses, front)
    text = text.replace("/tmp/", f"{folder}/")
    # Each worker takes turns of its own.
    text = text.replace("worker_processes auto", "worker_processes 1")
    conf.write_text(text, "utf-8")
    return conf


@pytest.mark.peers
@pytest.mark.parametrize("name", ["three engines", "hostile", "with a spare"])
def test_nginx_sends_each_tenant_to_their_engine(name, tmp_path):
    plan = made_plans.EVERY[name]()
    front, *ports = free_ports(1 + len(plan.engines))
    conf = conf_for(plan, front, ports, tmp_path)
    wanted = {
        tenant: ports[numbers[0] - 1]
        for tenant, numbers in engines_by_tenant(plan).items()
    }
    words = nginx_words(conf)
    with engines(ports) as asked, running(words, front):
        for tenant in wanted:
            assert ask(front, tenant, header_value(tenant)) == 200
        assert [(wanted[tenant], tenant) for tenant in wanted] == asked
        asked.clear()
        for _ in ports:
            assert ask(front, "base", header_value(plan.model)) == 200
        assert {port for port, _ in asked} == set(ports)
        assert ask(front, "someone") == 400
        assert ask(front, "someone", "someone") == 404
        assert ask(front, "tenant-1", "TENANT-1") == 404


@pytest.mark.peers
@pytest.mark.parametrize("lost", [1, 2, 3])
def test_nginx_sends_tenants_of_a_lost_engine_to_their_backups(lost, tmp_path):
    """Nobody listens on the port of the engine that is lost."""
    plan = made_plans.with_spare()
    front, *ports = free_ports(1 + len(plan.engines))
    conf = conf_for(plan, front, ports, tmp_path)
    alive = [port for place, port in enumerate(ports, 1) if place != lost]
    homes, backups = engines_by_tenant(plan), backups_by_tenant(plan)
    with engines(alive) as asked, running(nginx_words(conf), front):
        for name, (home,) in homes.items():
            assert ask(front, name, header_value(name)) == 200
            serving = backups[name][0] if home == lost else home
            assert asked.pop() == (ports[serving - 1], name)
        # The base goes to any engine that is left.
        for _ in ports:
            assert ask(front, "base", header_value(plan.model)) == 200
        assert {port for port, _ in asked} == set(alive)
