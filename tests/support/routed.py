"""The real vllm-router in front of engines that say who they are."""

import http.client
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from plan_peers import free_ports, router_words, running
from says_json import SaysJson

CHAT = [{"role": "user", "content": "Hello"}]


class Engine:
    """Answers a chat with its number; held, it keeps its chats waiting."""

    def __init__(self, number):
        self.number, self.num_asked = number, 0
        self.free = threading.Event()
        self.free.set()
        handler = type("Handler", (_Handler,), {"engine": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=[0.02]).start()

    def close(self):
        self.free.set()
        self.server.shutdown()
        self.server.server_close()


class _Handler(SaysJson, BaseHTTPRequestHandler):
    def do_GET(self):
        self.say(200, {"data": [{"id": "base"}]})

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.engine.num_asked += 1
        self.engine.free.wait(30)
        self.say(200, {"engine": self.engine.number})


@contextmanager
def engines(num_engines):
    """Yield engines that end with the block."""
    started = [Engine(number) for number in range(num_engines)]
    try:
        yield started
    finally:
        for engine in started:
            engine.close()


@contextmanager
def router(urls, policy, *options):
    """Yield ask(model, session=None): the number of the engine chosen."""
    port, metrics = free_ports(2)
    words = router_words([
        "--worker-urls", *urls, "--policy", policy,
        "--host", "127.0.0.1", "--port", str(port),
        "--prometheus-host", "127.0.0.1", "--prometheus-port", str(metrics),
        *options,
    ])  # fmt: skip

    def ask(model, session=None, messages=CHAT):
        headers = {"Content-Type": "application/json"}
        if session is not None:
            headers["X-Session-ID"] = session
        body = json.dumps({"model": model, "messages": messages})
        to = http.client.HTTPConnection("127.0.0.1", port, timeout=40)
        try:
            to.request("POST", "/v1/chat/completions", body, headers)
            reply = to.getresponse()
            said = reply.read()
            assert reply.status == 200, (reply.status, said[:200])
            return json.loads(said)["engine"]
        finally:
            to.close()

    with running(words, port):
        yield ask
