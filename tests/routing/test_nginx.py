"""least_running chooses as nginx's least_conn does."""

import http.client
import json
import threading
import time

import pytest

from asked import ask, setup
from multilora.routing.rules import rule
from plan_peers import free_ports, nginx_words, running
from routed import engines

CONF = """
worker_processes 1;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}; proxy_temp_path {folder};
  fastcgi_temp_path {folder}; uwsgi_temp_path {folder};
  scgi_temp_path {folder};
  upstream fleet {{ least_conn; {servers} }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://fleet; }}
    location /health {{ return 200; }}
  }}
}}
"""


def asked(port):
    """Return the number of the engine that nginx chose."""
    to = http.client.HTTPConnection("127.0.0.1", port, timeout=40)
    try:
        to.request("POST", "/", "{}")
        return json.loads(to.getresponse().read())["engine"]
    finally:
        to.close()


@pytest.mark.peers
def test_every_choice_is_nginxs_idle_and_with_requests_in_flight(tmp_path):
    port = free_ports(1)[0]
    conf = tmp_path / "nginx.conf"
    choose = rule("least_running").make(setup(3))
    with engines(3) as started:
        servers = [f"server {e.url.removeprefix('http://')};" for e in started]
        conf.write_text(CONF.format(
            folder=tmp_path, port=port, servers=" ".join(servers)
        ))  # fmt: skip
        with running(nginx_words(str(conf)), port):
            idle = [asked(port) for _ in range(8)]
            assert idle == [choose(ask(0, range(3))) for _ in range(8)]
            # The ninth request is kept waiting where it goes.
            kept = choose(ask(0, range(3)))
            before = started[kept].num_asked
            started[kept].free.clear()
            waiting = threading.Thread(target=asked, args=[port])
            waiting.start()
            while started[kept].num_asked == before:
                time.sleep(0.01)
            in_flight = [int(k == kept) for k in range(3)]
            busy = [asked(port) for _ in range(8)]
            one = ask(0, range(3), in_flight)
            assert busy == [choose(one) for _ in range(8)]
            assert kept not in busy
            started[kept].free.set()
            waiting.join()
            again = [asked(port) for _ in range(7)]
            assert again == [choose(ask(0, range(3))) for _ in range(7)]
