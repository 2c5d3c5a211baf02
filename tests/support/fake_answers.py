"""A server that answers as vLLM's does, rightly or wrong in a known way."""

import contextlib
import json
import random
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest import mock

from multilora.canary.greedy import Greedy
from says_json import SaysJson

WORDS = ["sun", "moon", "tree", "river", "stone", "bird", "cloud", "sea"]
REFUSED = {
    "no logprobs": ["logprobs"],
    "no cache_salt": ["cache_salt"],
    "neither": ["cache_salt", "logprobs"],
}
HOLD_S = 0.005  # requests that overlap by chance are in one batch
MEET_S = 30.0  # what is sent at once meets, however busy the machine is


class FakeAnswers(ThreadingHTTPServer):
    """For a `with` block; fault is one of those that _Handler knows.

    What was asked is in asked, (model, prompt); adapters come and go.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, adapters=("a", "b"), fault=None, key=None):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.adapters, self.fault, self.key = list(adapters), fault, key
        self.asked, self.unloaded = [], []
        self.refuses = REFUSED.get(fault, [])
        self.lock = threading.Lock()
        self.running, self.batches = {}, {}
        self.hold_s = HOLD_S
        self.blocks, self.num_loads = {}, 0
        self.meeting = threading.Barrier(1)
        self.told = mock.patch.object(
            Greedy, "ask_together", self.told_of(Greedy.ask_together)
        )

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self):
        threading.Thread(
            target=self.serve_forever, args=(0.01,), daemon=True
        ).start()
        self.told.start()
        return self

    def __exit__(self, *error):
        self.told.stop()
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        """A client that hangs up is no news."""

    def told_of(self, ask_together):
        """Return an ask_together that says how many will be in a batch."""

        def told(greedy, asked):
            self.meeting = threading.Barrier(len(asked))
            try:
                return ask_together(greedy, asked)
            finally:
                self.meeting.abort()
                self.meeting = threading.Barrier(1)

        return told

    def company_of(self, me, model):
        """Return the models that were in a batch with a request."""
        with self.lock:
            self.running[me] = model
            for other in self.running:
                self.batches.setdefault(other, set()).add((me, model))
                self.batches.setdefault(me, set()).add(
                    (other, self.running[other])
                )
        with contextlib.suppress(threading.BrokenBarrierError):
            self.meeting.wait(MEET_S)
        time.sleep(self.hold_s)
        with self.lock:
            del self.running[me]
            return [model for _, model in self.batches.pop(me)]


def answer(model, prompt, num):
    """Return [(token, logprob, margin)], always the same for a model."""
    rng = random.Random(f"{model}:{prompt}")
    rows = [
        (f" {rng.choice(WORDS)}", -rng.uniform(0.1, 1), rng.uniform(1, 3))
        for _ in range(num)
    ]
    return [*rows[:-3], (*rows[-3][:2], 0.02), *rows[-2:]]  # a near tie


class _Handler(SaysJson, BaseHTTPRequestHandler):
    def do_GET(self):
        fault = self.server.fault
        if fault == "html":
            return self.say(200, "<html>It works!</html>")
        if self.path == "/version":
            return self.say(200, {"version": "0.32.0"})
        if not self.has_key():
            return self.say(401, {"error": "Unauthorized"})
        cards = [{"id": "base", "parent": None, "max_model_len": 4096}]
        cards += [{"id": n, "parent": "base"} for n in self.server.adapters]
        self.say(200, {"object": "list", "data": cards})

    def has_key(self):
        key = self.server.key
        return key is None or self.headers["Authorization"] == f"Bearer {key}"

    def do_POST(self):
        server = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/tokenize":
            return self.say(200, {"tokens": [ord(c) for c in body["prompt"]]})
        if self.path == "/v1/load_lora_adapter":
            return self.load(body["lora_name"])
        if self.path == "/v1/unload_lora_adapter":
            server.adapters.remove(body["lora_name"])
            server.unloaded.append(body["lora_name"])
            return self.say(200, "Success")
        fields = [name for name in server.refuses if name in body]
        if fields:
            return self.say(400, {"error": {"message": f"what is {fields}?"}})
        if body["model"] not in ["base", *server.adapters]:
            return self.say(404, {"error": {"message": "does not exist"}})
        with server.lock:
            me = len(server.asked)
            server.asked.append((body["model"], body["prompt"]))
        if server.fault == "dies" and me > 30:
            server.socket.close()
            self.close_connection = True
            return self.connection.close()
        if server.fault == "rubbish" and me > 30:
            return self.say(200, {"choices": [{"text": 3}]})
        company = server.company_of(me, body["model"])
        self.complete(body, company)

    def load(self, name):
        server = self.server
        if server.fault == "loads nothing":
            return self.say(404, {"detail": "Not Found"})
        if server.fault == "bad adapter":
            return self.say(500, {"error": {"message": "no such folder"}})
        server.num_loads += 1
        server.adapters.append(name)
        time.sleep(5 * HOLD_S)
        self.say(200, "Success")

    def complete(self, body, company):
        model, num = body["model"], body["max_tokens"]
        prompt = str(body["prompt"])
        whose = self.weights_of(model, prompt, company, body)
        rows = answer(whose, prompt, num)
        fault = self.server.fault
        if fault == "stale slots" and self.server.num_loads and model == "b":
            half = num // 2
            rows = rows[:half] + answer("a", prompt, num)[half:]
        if fault in ("noise", "much noise") and len(company) > 1:
            rows = noisy(rows, 0.05 if fault == "noise" else 2)
        if fault == "sampling":
            rows = answer(random.random(), prompt, num)
        self.say(200, {"choices": [choice(rows, "logprobs" in body)]})

    def weights_of(self, model, prompt, company, body):
        """Return whose weights a request gets: its own, if all is well."""
        server, others = self.server, sorted(set(company) - {model, "base"})
        is_first = [model] == server.adapters[:1]
        match server.fault:
            case "base rows" if model == "base" and others:
                return others[-1]
            case "adapter rows" if is_first and others:
                return others[-1]
            case "not applied" if is_first:
                return "base"
            case "shared id" if is_first:
                return server.adapters[1]
            case "blocks" if "cache_salt" not in body:
                with server.lock:
                    return server.blocks.setdefault(prompt, model)
            case "new takes base" if model == "base" and "new" in company:
                return "new"
        return model


def noisy(rows, size):
    """Move logprobs; one token is a near tie, and another wins."""
    rows = [
        (token, logprob - random.uniform(-size, size), margin)
        for token, logprob, margin in rows
    ]
    return [*rows[:-3], (" tie", -0.7, 0.01), *rows[-2:]]


def choice(rows, has_logprobs):
    tokens = [token for token, _, _ in rows]
    found = {"text": "".join(tokens), "index": 0}
    if has_logprobs:
        best = [{t: lp, "other": lp - gap} for t, lp, gap in rows]
        found["logprobs"] = {
            "tokens": tokens,
            "token_logprobs": [lp for _, lp, _ in rows],
            "top_logprobs": best,
        }
    return found
