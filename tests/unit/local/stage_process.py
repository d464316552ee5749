"""A stage as the supervisor sees one: a process that serves its health over HTTP.

It shows its environment at ``/status`` and ends itself with the code posted to ``/exit``.
It is not ready while the file named by ``NOT_READY`` exists.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        not_ready = os.environ.get("NOT_READY")
        if self.path == "/readyz" and not_ready and Path(not_ready).exists():
            self.answer(503, "not ready")
        elif self.path == "/status":
            names = ("DATABASE_URL", "NAME")
            shown = {k: v for k, v in os.environ.items() if k.startswith("TRACKRECORD_")}
            shown |= {name: os.environ[name] for name in names if name in os.environ}
            self.answer(200, json.dumps(shown))
        else:
            self.answer(200, "ok")

    def do_POST(self) -> None:
        self.answer(200, "ending")
        self.wfile.flush()
        os._exit(int(self.path.rsplit("/", 1)[1]))

    def answer(self, code: int, text: str) -> None:
        self.send_response(code)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass


if __name__ == "__main__":
    sys.stdout.write("stage is starting\n")
    sys.stdout.flush()
    HTTPServer(("127.0.0.1", int(os.environ["TRACKRECORD_METRICS_PORT"])), Handler).serve_forever()
