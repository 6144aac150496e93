"""The telephones of the demonstration: an HTTP gateway for SMS on loopback, which writes what it takes to a log."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from commands.child_process import LOOPBACK

MESSAGE_LIMIT_BYTES = 64 * 1024


class SmsGateway:
    """A gateway that accepts every message, from now until the process ends."""

    def __init__(self, log_path: Path) -> None:
        class Request(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = min(int(self.headers.get("content-length") or 0), MESSAGE_LIMIT_BYTES)
                with log_path.open("ab") as log:
                    log.write(self.rfile.read(length) + b"\n")
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self._server = ThreadingHTTPServer((LOOPBACK, 0), Request)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def configuration(self) -> str:
        """The table of the configuration that names this gateway."""
        return f"[notifications.sms]\nurl = 'http://{LOOPBACK}:{self._server.server_address[1]}/'\n"
