"""A server that answers as vLLM's does and plays a StepCost in real time."""

import json
import queue
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from multilora.cache.tiers import AdapterTiers
from says_json import SaysJson


class FakeVllm(ThreadingHTTPServer):
    """For a `with` block. fault is the name of one of the methods of Faults.

    after is the number of completions before the fault shows. What was
    asked for is in paths and in completions, (model, prompt, max_tokens).
    metrics are the pages of /metrics, one after the other, the last one for
    ever. With a key, whoever reads without it gets a 401.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self, cost, limits, adapters, fault=None, after=0, metrics=(),
        key=None,
    ):  # fmt: skip
        super().__init__(("127.0.0.1", 0), _Handler)
        self.fault, self.after = fault, after
        self.adapters = list(adapters)
        self.paths, self.completions, self.most_loaded = [], [], 0
        self.engine = _Engine(cost, limits)
        self.is_dead = False
        self.metrics, self.key = list(metrics), key

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self):
        threading.Thread(target=self.engine.run, daemon=True).start()
        threading.Thread(
            target=self.serve_forever, args=(0.01,), daemon=True
        ).start()
        return self

    def __exit__(self, *error):
        self.shutdown()
        self.server_close()
        self.engine.is_over = True

    def is_faulty(self, fault):
        return self.fault == fault and len(self.completions) > self.after

    def handle_error(self, request, client_address):
        """A client that hangs up is no news."""


class _Request:
    def __init__(self, model, num_prompt_tokens, num_tokens):
        self.model, self.prompt = model, num_prompt_tokens
        self.left = num_tokens
        self.tokens = queue.SimpleQueue()


class _Engine:
    """vLLM's walk, without cut prompts: seats and slots, then the loads."""

    def __init__(self, cost, limits):
        self.cost, self.limits = cost, limits
        self.tiers = AdapterTiers(limits.max_loras, limits.max_cpu_loras)
        self.ids = {}
        self.arrived = queue.SimpleQueue()
        self.waiting, self.running = [], []
        self.num_loads = [0, 0]
        self.is_over = False

    def run(self):
        now = time.perf_counter()
        while not self.is_over:
            try:
                if not self.waiting and not self.running:
                    self.waiting.append(self.arrived.get(timeout=0.05))
                    now = time.perf_counter()
                while True:
                    self.waiting.append(self.arrived.get_nowait())
            except queue.Empty:
                pass
            if self.waiting or self.running:
                now += self.step_ns() / 1e9
                time.sleep(max(0.0, now - time.perf_counter()))
                self.hand_out()

    def step_ns(self):
        new = []
        active = {r.model for r in self.running} - {"base"}
        for request in list(self.waiting):
            if len(self.running) == self.limits.max_num_seqs:
                break
            more = active | ({request.model} - {"base"})
            if len(more) <= self.limits.max_loras:
                active = more
                new.append(request)
                self.running.append(request)
                self.waiting.remove(request)
        before = self.tiers.slot_loads, self.tiers.disk_loads
        for name in active:
            self.tiers.activate(self.ids.setdefault(name, len(self.ids)))
        slots = self.tiers.slot_loads - before[0]
        disks = self.tiers.disk_loads - before[1]
        return self.cost.load_ns(slots, disks) + self.cost.compute_ns(
            sum(r.prompt for r in new), len(self.running), len(active)
        )

    def hand_out(self):
        for request in list(self.running):
            request.left -= 1
            request.tokens.put(request.left)
            if not request.left:
                self.running.remove(request)


class _Handler(SaysJson, BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        server = self.server
        server.paths.append(self.path)
        if server.fault == "not vllm":
            return self.say(200, "<html>It works!</html>")
        if server.fault == "other json":
            return self.say(200, [1, 2])
        if server.fault == "mute":
            return time.sleep(3)
        if self.is_unknown():
            return self.say(401, {"error": "Unauthorized"})
        if self.path == "/metrics":
            pages = server.metrics
            return self.say(200, pages.pop(0) if len(pages) > 1 else pages[0])
        if self.path == "/version":
            return self.say(200, {"version": "0.32.0"})
        cards = [{"id": "base", "parent": None, "max_model_len": 4096}]
        cards += [{"id": n, "parent": "base"} for n in server.adapters]
        self.say(200, {"object": "list", "data": cards})

    def do_POST(self):
        server = self.server
        length = int(self.headers["Content-Length"])
        body = json.loads(self.rfile.read(length))
        server.paths.append(self.path)
        if self.path == "/tokenize":
            if server.fault == "no tokens":
                return self.say(404, {"detail": "Not Found"})
            return self.say(200, {"tokens": list(range(5, 60)), "count": 55})
        if self.path.endswith("load_lora_adapter"):
            return self.load(body)
        prompt = body["prompt"]
        server.completions.append((body["model"], prompt, body["max_tokens"]))
        self.complete(body)

    def is_unknown(self):
        key = self.server.key
        told = self.headers.get("Authorization")
        return key is not None and told != f"Bearer {key}"

    def load(self, body):
        server, name = self.server, body["lora_name"]
        if server.fault == "loads nothing":
            return self.say(404, {"detail": "Not Found"})
        if server.fault == "bad adapter":
            return self.say(500, {"error": {"message": "no such folder"}})
        if self.path == "/v1/unload_lora_adapter":
            if server.fault == "keeps it":
                return self.say(500, {"error": {"message": "never"}})
            server.adapters.remove(name)
            return self.say(200, "Success")
        server.adapters.append(name)
        server.most_loaded = max(server.most_loaded, len(server.adapters))
        self.say(200, "Success")

    def complete(self, body):
        server, model = self.server, body["model"]
        if model != "base" and model not in server.adapters:
            return self.say(404, {"error": {"message": "does not exist"}})
        if server.is_faulty("refuses"):
            return self.say(400, {"error": {"message": "too long"}})
        if server.is_faulty("slower"):
            server.engine.cost = server.slow_cost
        request = _Request(model, len(body["prompt"]), body["max_tokens"])
        server.engine.arrived.put(request)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        num = 0
        while num < body["max_tokens"]:
            request.tokens.get()
            num += 1
            if self.is_spoilt():
                return
            usage = {"completion_tokens": num, "prompt_tokens": 1}
            self.chunk({"choices": [{"text": "x"}], "usage": usage})
        self.chunk({"choices": [], "usage": usage})
        self.chunk("[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def is_spoilt(self):
        """Do what a faulty server does in the middle of a stream."""
        server = self.server
        if server.is_faulty("dies"):
            server.is_dead = True
            server.socket.close()  # whoever comes now is refused
            self.close_connection = True
            self.connection.close()
        elif server.is_faulty("silent"):
            time.sleep(3)
        elif server.is_faulty("rubbish"):
            self.chunk("{'no': json")
        elif server.is_faulty("stops early"):
            self.chunk("[DONE]")
            self.wfile.write(b"0\r\n\r\n")
        else:
            return False
        return True

    def chunk(self, data):
        text = data if isinstance(data, str) else json.dumps(data)
        line = f"data: {text}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
