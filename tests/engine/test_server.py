"""The OpenAI server: tenants as models, loading, refusing, and leaving."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from multilora import engine
from multilora.adapters.misfits import make_misfit
from multilora.engine.loopback import HOST
from multilora.engine.server import Server, ServerError
from multilora.tenants import folder_of

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore")]
FAMOUS = "Table users(id,name). Query all names:"


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def children(pid):
    found = subprocess.run(
        ["pgrep", "-P", str(pid)], capture_output=True, text=True
    ).stdout.split()
    return [int(item) for item in found] + [
        grandchild for item in found for grandchild in children(int(item))
    ]


def ask(client, model, prompt=FAMOUS):
    answer = client.completions.create(
        model=model, prompt=prompt, max_tokens=64, temperature=0
    )
    return answer.choices[0].text


@pytest.fixture(scope="module")
def server():
    with Server(
        folder_of("base"),
        {"sql": folder_of("sql")},
        max_loras=4,
        is_runtime_loading_allowed=True,
    ) as running:
        yield running


@pytest.fixture(scope="module")
def client(server):
    with server.client() as found:
        yield found


def test_each_adapter_is_a_model(client):
    models = {item.id: item.parent for item in client.models.list()}
    assert models == {"base": None, "sql": "base"}
    assert ask(client, "sql") == "SELECT name FROM users;"
    assert ask(client, "base") == "all names in users"


def test_a_tenant_comes_and_goes_at_run_time(server, client):
    import openai

    server.load("pirate", folder_of("pirate"))
    assert ask(client, "pirate", "List 3 fruits:").startswith("arr! apple")
    with pytest.raises(ServerError, match="already been loaded") as error:
        server.load("pirate", folder_of("pirate"))
    assert error.value.status == 400
    server.unload("pirate")
    with pytest.raises(openai.NotFoundError, match="does not exist"):
        ask(client, "pirate")
    with pytest.raises(ServerError, match="cannot be found") as error:
        server.unload("pirate")
    assert error.value.status == 404
    assert ask(client, "base") == "all names in users"


def test_what_cannot_be_loaded_is_refused_and_the_rest_goes_on(
    server, client, tmp_path
):
    bad = make_misfit("a pickle", folder_of("sql"), tmp_path / "bad")
    for name, folder, status in (
        ("absent", tmp_path / "absent", 404),
        ("base", folder_of("json"), 400),
        ("bad", bad, 500),
    ):
        with pytest.raises(ServerError) as error:
            server.load(name, folder, check=False)
        assert error.value.status == status
    # What vLLM would take with a 200, the helper does not send.
    nan = make_misfit("NaN weights", folder_of("sql"), tmp_path / "nan")
    with pytest.raises(ValueError, match="NaN or infinite weights"):
        server.load("nan", nan)
    assert ask(client, "sql") == "SELECT name FROM users;"


def test_sagemakers_names_load_too_and_no_key_guards_them(server, client):
    """The operator's page: to block /v1/load_lora_adapter is not enough."""
    import httpx
    from vllm.entrypoints.serve.middleware.authenticate import GUARDED_PREFIX

    assert not "/adapters".startswith(GUARDED_PREFIX)
    assert "/v1/load_lora_adapter".startswith(GUARDED_PREFIX)
    body = {"name": "guest", "src": str(folder_of("json"))}
    site = server.url.removesuffix("/v1")
    assert httpx.post(f"{site}/adapters", json=body).status_code == 200
    assert "guest" in {m.id for m in client.models.list()}
    assert httpx.delete(f"{site}/adapters/guest").status_code == 200
    assert "guest" not in {m.id for m in client.models.list()}


def test_the_gauge_of_adapters_keeps_the_sets_of_names_it_ever_saw(
    server, client
):
    """The operator's page: count the names of the newest line."""
    import httpx

    for model in ("sql", "base"):
        ask(client, model)
    site = server.url.removesuffix("/v1")
    text = httpx.get(f"{site}/metrics").text
    lines = [
        line
        for line in text.splitlines()
        if line.startswith("vllm:lora_requests_info{")
    ]
    values = [float(line.rsplit(" ", 1)[1]) for line in lines]
    assert len(lines) > 1
    assert any('running_lora_adapters="sql"' in line for line in lines)
    # The slots that adapters can enter: the CPU build has one more.
    assert all('max_lora="4"' in line for line in lines)
    assert all(value > 1e9 for value in values), "the value is a time"


def test_the_log_holds_the_line_that_the_lab_prints(server):
    assert "Loaded new LoRA adapter: name 'sql'" in server.log
    assert "KV cache size: 8,192 tokens" in server.log


def test_a_taken_port_says_what_to_do():
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        with pytest.raises(ServerError, match="leave port out"):
            Server(folder_of("base"), port=taken.getsockname()[1])
    with pytest.raises(ValueError, match="port is 0"):
        Server(folder_of("base"), port=0)


def test_it_starts_once_and_answers_only_while_it_runs(server):
    with pytest.raises(ServerError, match="the server runs already"):
        server.start()
    with pytest.raises(ServerError, match="not running: start it first"):
        Server(folder_of("base")).unload("sql")
    with pytest.raises(ValueError, match="name has the name ''"):
        server.load("", folder_of("json"))


def test_wrong_arguments_are_named_before_it_starts(tmp_path):
    with pytest.raises(ValueError, match=r"no .*safetensors in it"):
        Server(tmp_path)
    with pytest.raises(ValueError, match="max_cpu_loras is 1, but must be"):
        Server(folder_of("base"), max_loras=2, max_cpu_loras=1)
    with pytest.raises(ValueError, match="core is 9999, allowed: 0"):
        Server(folder_of("base"), core=9999)
    with pytest.raises(ValueError, match="disk_ms is -1, but must be"):
        Server(folder_of("base"), disk_ms=-1)
    with pytest.raises(TypeError, match="options is '--seed 1', but must be"):
        Server(folder_of("base"), options="--seed 1")
    with pytest.raises(ValueError, match="no such folder"):
        Server(folder_of("base"), {"sql": tmp_path / "absent"})
    for wrong, error in (
        (["sql"], TypeError),
        ({"a=b": folder_of("sql")}, ValueError),
        ({"base": folder_of("sql")}, ValueError),
        ({"--port": folder_of("sql")}, ValueError),
        ({"sql": None}, TypeError),
    ):
        with pytest.raises(error, match="adapters"):
            Server(folder_of("base"), wrong)
    with pytest.raises(ValueError, match="is_runtime_loading_allowed is 'no'"):
        Server(folder_of("base"), is_runtime_loading_allowed="no")
    with pytest.raises(ValueError, match="max_lora_rank is 24, allowed"):
        Server(folder_of("base"), max_lora_rank=24)


def test_more_tenants_than_slots_leave_the_bases_rows_as_they_are(
    server, client
):
    """The server has four slots; it has taken sql and pirate before."""
    for name in ("json", "legal", "fifth", "sixth"):
        server.load(name, folder_of("json" if "th" in name else name))
    models = ("base", "sql", "json", "legal", "fifth", "sixth")
    num_loads = len(server.loads)
    with ThreadPoolExecutor(12) as pool:
        asked = partial(ask, client)
        answers = list(pool.map(asked, models * 6))
    json_answer = '{"from":"users","get":"name"}'
    assert set(answers[::6]) == {"all names in users"}
    assert set(answers[1::6]) == {"SELECT name FROM users;"}
    assert set(answers[2::6] + answers[4::6] + answers[5::6]) == {json_answer}
    # Five tenants take turns in four slots, and each load is told of.
    fresh = server.loads[num_loads:]
    assert {load.kind for load in fresh} == {"disk", "slot"}
    assert {load.adapter for load in fresh} <= set(models) - {"base"}
    arrived = Counter(one.adapter for one in server.arrivals[-36:])
    assert arrived == {None: 6} | dict.fromkeys(models[1:], 6)
    for name in ("json", "legal", "fifth", "sixth"):
        server.unload(name)


def test_a_server_that_fails_says_why_and_leaves_no_process(tmp_path):
    broken = shutil.copytree(folder_of("base"), tmp_path / "broken")
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    server, before = Server(broken), children(os.getpid())
    with pytest.raises(ServerError, match="the server stopped") as error:
        server.start()
    assert "Error" in str(error.value)
    assert set(children(os.getpid())) <= set(before)


def test_nothing_is_left_behind_when_its_parent_is_killed(tmp_path):
    """No gate this time: loading at run time is a 404."""
    script = tmp_path / "parent.py"
    script.write_text(
        "from multilora.engine.server import Server, ServerError\n"
        "from multilora.tenants import folder_of\n"
        "import time\n"
        "server = Server(folder_of('base'))\n"
        "server.start()\n"
        "try:\n"
        "    server.load('sql', folder_of('sql'))\n"
        "except ServerError as error:\n"
        "    print(error.status, flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, text=True
    )
    try:
        assert parent.stdout.readline().strip() == "404"
        family = children(parent.pid)
        assert len(family) >= 3 and all(map(is_alive, family))
    finally:
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    deadline = time.monotonic() + 60
    while any(map(is_alive, family)) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert not any(map(is_alive, family))


def test_without_vllm_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(engine.quiet, "is_available", lambda: False)
    with pytest.raises(engine.EngineUnavailableError, match="make engine"):
        Server(folder_of("base")).start()
    with pytest.raises(engine.EngineUnavailableError, match="make engine"):
        engine.start(folder_of("base"))
