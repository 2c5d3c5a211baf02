"""The answers of stand-in servers: a status and JSON, and no log."""

import json


class SaysJson:
    """A handler that answers by say(); a str is sent as it is, JSON or not.

    It comes before BaseHTTPRequestHandler.
    """

    def say(self, status, body):
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass
