"""The real vllm-router in front of engines that only say who they are."""

import contextlib
import http.client
import http.server
import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

START_S = 20


def router_binary():
    """Return the path of vllm-router beside this Python, or None."""
    return shutil.which("vllm-router", path=str(Path(sys.executable).parent))


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class StubEngine:
    """Answers chats with its number; held, it keeps them until let go."""

    def __init__(self, number, port=0):
        engine = self
        self.number, self.num_asked = number, 0
        self.going = threading.Event()
        self.going.set()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                self.answer({"object": "list", "data": [{"id": "base"}]})

            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                engine.num_asked += 1
                engine.going.wait(30)
                self.answer({"engine": engine.number})

            def answer(self, data):
                body = json.dumps(data).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", port), Handler
        )
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.going.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class RouterProcess:
    """vllm-router over URLs, with a policy; waits until it answers."""

    def __init__(self, urls, policy, *options):
        self.port, prometheus = free_port(), free_port()
        command = [
            router_binary(), "--worker-urls", *urls, "--host", "127.0.0.1",
            "--port", str(self.port), "--prometheus-host", "127.0.0.1",
            "--prometheus-port", str(prometheus), "--policy", policy,
            *options,
        ]  # fmt: skip
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + START_S
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.close()
                raise RuntimeError(f"vllm-router did not start: {command}")
            time.sleep(0.05)

    def answers(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", self.port)
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        return False

    def ask(self, model, headers=None, **body):
        """Return the number of the engine that answered a chat."""
        body.setdefault("messages", [{"role": "user", "content": "Hello"}])
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=40
        )
        connection.request(
            "POST",
            "/v1/chat/completions",
            json.dumps({"model": model} | body),
            {"Content-Type": "application/json"} | (headers or {}),
        )
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {data[:200]!r}")
        return json.loads(data)["engine"]

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def fleet(num_engines):
    """Yield stub engines; they end with the block."""
    engines = [StubEngine(number) for number in range(num_engines)]
    try:
        yield engines
    finally:
        for engine in engines:
            engine.close()


@contextlib.contextmanager
def router(engines, policy, *options):
    """Yield a router over engines; its process ends with the block."""
    running = RouterProcess([e.url for e in engines], policy, *options)
    try:
        yield running
    finally:
        running.close()
