"""A receiver of webhooks in a process of its own: writes the time of arrival of each call, and the lift of the call.

python -m benchmarks.receiving --port 9000 --into arrivals.txt
"""

from __future__ import annotations

import argparse
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO

import orjson


def serve(port: int, into: IO[str]) -> None:
    """Accept messages until the process is ended, a line of `into` for each call: wall clock in ns, lift."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            at_ns, data = time.time_ns(), orjson.loads(content)["data"]
            for call in data.get("notifications", [data]):
                into.write(f"{at_ns} {call['lift']['lift_id']}\n")
            into.flush()
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as listening:
        listening.serve_forever()


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--into", type=Path, required=True)
    asked = parser.parse_args()
    with asked.into.open("w", encoding="ascii") as into:
        serve(asked.port, into)


if __name__ == "__main__":
    main()
