"""A page of metrics is read whole, and a hostile one is a sentence."""

import contextlib
import math
import socket
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_vllm import FakeVllm
from metric_pages import SECONDS, page
from multilora.serving.client import MAX_BODY_BYTES
from multilora.serving.cost import step_cost
from multilora.serving.limits import engine_limits
from multilora.serving.replies import CalibrationError
from multilora.watch.metrics import fetch_scrape, read_scrape
from multilora.watch.scrapes import parse_scrape, since_restart

FAKE = step_cost(1, 0, 0, 0, 0, 0), engine_limits(2), ["a"]
HOSTILE = [
    "", "<html>It works!</html>", '{"a": 1}', "x" * 10**5, "\0", "a{",
    "vllm:num_requests_running 1", "# TYPE a histogram\na_bucket 1",
    "vllm:num_requests_running{a=\"\\", "}{", "a 1\n" * 1000,
    page() + "vllm:num_requests_running 1\n" * 200_000,
]  # fmt: skip


def test_gauges_are_added_over_engines_and_kv_is_the_fullest():
    scrape = parse_scrape(page(running=3, deferred=2, kv=0.5, engines=2))
    assert scrape.total("vllm:num_requests_running") == 6
    by_reason = "vllm:num_requests_waiting_by_reason"
    assert scrape.total(by_reason, reason="deferred") == 4
    assert scrape.total(by_reason, reason="capacity") == 0
    assert scrape.largest("vllm:kv_cache_usage_perc") == 0.5


def test_only_the_newest_line_of_lora_requests_info_counts():
    """It keeps a line for each set of names that it ever showed."""
    lines = [(8, ("a", "b", "c"), 5e9), (8, ("c",), 7e9), (8, (), 6e9)]
    active = parse_scrape(page(lora_lines=lines)).active()
    assert active.names == {"c"}
    assert (active.max_loras, active.at_s) == (8, 7e9)
    assert parse_scrape(page(lora_lines=())).active() is None


@given(
    st.lists(st.floats(1e-4, 20), max_size=30),
    st.lists(st.floats(1e-4, 20), max_size=30),
    st.floats(0.01, 1),
)
def test_a_histogram_is_as_if_its_values_were_counted_alone(old, new, share):
    name = "vllm:time_to_first_token_seconds"
    before, after = (
        parse_scrape(page(ttft_s=values)).histogram(name)
        for values in (old, old + new)
    )
    added = after.since(before)
    assert added.num == len(new)
    for bound in SECONDS:
        assert added.num_above(bound) == sum(value > bound for value in new)
    if new:
        assert added.mean == pytest.approx(np.mean(new), rel=1e-6, abs=1e-9)
        ordered = sorted(new)
        value = ordered[math.ceil(share * len(new) - 1e-9) - 1]
        at_least = [b for b in (*SECONDS, math.inf) if value <= b]
        assert added.quantile(share) in at_least[:2]


def test_a_page_of_weeks_is_read_at_once():
    """100,000 sets of names that were active together, and one that is."""
    body = page(running=3)
    old = 'vllm:lora_requests_info{max_lora="8",running_lora_adapters="%d"} 2'
    body += "\n".join(old % number for number in range(10**5))
    body += "\n" + (old % 7).replace("} 2", "} 3e9")
    started = time.perf_counter()
    assert parse_scrape(body).active().names == {"7"}
    assert time.perf_counter() - started < 2


def test_a_server_that_was_started_again_is_noticed():
    pages = [page(prompt_tokens=n) for n in (5, 90, 3, 8)]
    scrapes = [parse_scrape(one) for one in pages]
    assert since_restart(scrapes) == (2, True)
    assert since_restart(scrapes[2:]) == (0, False)
    young = [parse_scrape(page(started_s=s)) for s in (1.0, 1.0, 9.0)]
    assert since_restart(young) == (2, True)


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_a_page_of_another_kind_is_a_sentence(body, tmp_path):
    file = tmp_path / "metrics.txt"
    file.write_text(body, "utf-8")
    for read, given_ in ((parse_scrape, body), (read_scrape, file)):
        with pytest.raises(
            ValueError, match="no page of vLLM's metrics"
        ) as caught:
            read(given_)
        assert len(str(caught.value)) < 300


@given(st.binary(max_size=200))
def test_no_bytes_end_in_another_error(data):
    body = page() + data.decode("latin-1")
    try:
        scrape = parse_scrape(body)
    except ValueError:
        return
    scrape.active()
    scrape.histogram("vllm:time_to_first_token_seconds")


def test_a_file_that_is_none_of_text_is_a_sentence(tmp_path):
    file = tmp_path / "metrics.txt"
    with pytest.raises(ValueError, match="cannot be read"):
        read_scrape(file)
    file.write_bytes(b"\xff\xfe" * 9)
    with pytest.raises(ValueError, match="UTF-8"):
        read_scrape(file)
    with open(file, "wb") as whole:
        whole.truncate(MAX_BODY_BYTES + 1)
    with pytest.raises(ValueError, match="larger than"):
        read_scrape(file)
    with pytest.raises(ValueError, match="cannot be read"):
        read_scrape(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"fault": "not vllm"}, "no page of vLLM's metrics"),
        ({"fault": "other json"}, "no page of vLLM's metrics"),
        ({"fault": "mute"}, "silent for 0.5 s|broke off"),
        ({"key": "sesame"}, "wants a key"),
        ({"metrics": ["up 1\n"]}, "no page of vLLM's metrics"),
    ],
)
def test_a_server_of_another_kind_is_a_sentence(arguments, sentence):
    with FakeVllm(*FAKE, **arguments) as server:
        with pytest.raises(CalibrationError, match=sentence):
            fetch_scrape(server.url, timeout_s=0.5)


def test_a_key_opens_the_page():
    with FakeVllm(*FAKE, metrics=[page(running=7)], key="sesame") as server:
        scrape = fetch_scrape(server.url + "/v1", api_key="sesame")
    assert scrape.total("vllm:num_requests_running") == 7


def test_an_answer_that_drips_for_ever_is_a_sentence():
    """Each line comes in time; the page never ends."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=drip, args=(server,), daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(CalibrationError, match="not ended its answer"):
            fetch_scrape(url, timeout_s=0.2)


def drip(server):
    connection, _ = server.accept()
    with connection, contextlib.suppress(OSError):
        connection.recv(10**4)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"up 1\n")
            time.sleep(0.05)


def test_a_server_of_another_protocol_is_one_line():
    def greet(server):
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=greet, args=(server,), daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(CalibrationError) as caught:
            fetch_scrape(url, timeout_s=1)
    assert "\n" not in str(caught.value)
