"""A server without vLLM that is hard to end: Server starts it instead.

It takes adapters and lists them. It refuses the name "refused", and does not
list "unlisted".
"""

import sys

GRACE_SECONDS = 0.3
START_SECONDS = 1.5

# It and its child, which is in a session of its own, ignore SIGTERM.
PROGRAM = """
import json, os, signal, subprocess, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer

for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
port, seconds = int(sys.argv[1]), float(sys.argv[2])
child = "import time; print('grandchild', flush=True); time.sleep(600)"
subprocess.Popen([sys.executable, "-S", "-c", child], start_new_session=True)
time.sleep(abs(seconds))
if seconds < 0:
    sys.exit("no such model")

with open(os.environ["MULTILORA_JOURNAL"], "a") as journal:
    journal.write('["begun"]\\n')

names = ["base"]

class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        self.tell(200, {"data": [{"id": name} for name in names]})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        name = json.loads(body)["lora_name"]
        is_new = name not in names
        if name == "refused" or is_new == ("unload" in self.path):
            return self.tell(400, {"message": "no " + name})
        if name != "unlisted":
            (names.append if is_new else names.remove)(name)
        self.tell(200, {})

    def tell(self, status, body):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_):
        pass

HTTPServer(("127.0.0.1", port), Answers).serve_forever()
"""


def use(patch=setattr, seconds=START_SECONDS):
    """Let Server start PROGRAM in vLLM's place; below 0 it fails then."""
    from multilora.engine import launch, processes, quiet

    def command(model, adapters, port, *sizes):
        return [sys.executable, "-S", "-c", PROGRAM, str(port), str(seconds)]

    patch(launch, "command", command)
    patch(quiet, "require_installed", lambda: None)
    patch(quiet, "is_cuda_build", lambda: False)
    patch(processes, "GRACE_SECONDS", GRACE_SECONDS)
