"""Servers where an InfluxDB should be, and that are none: each way to be away that was met."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from tests.loopback import free_port


def reset(client: socket.socket) -> None:
    """Reset the connection after the request."""
    client.recv(4096)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hang(client: socket.socket) -> None:
    """Answer nothing until the client gives up."""
    while client.recv(4096):
        pass


def answer(head: str, body: str) -> Callable[[socket.socket], None]:
    """Return a server that answers every request with `body`."""

    def answer_with(client: socket.socket) -> None:
        client.recv(4096)
        text = f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"
        client.sendall(text.encode())

    return answer_with


WAYS: Mapping[str, Callable[[socket.socket], None] | None] = {
    "refuses": None,
    "503": answer("503 Service Unavailable\r\nContent-Type: text/html", "<html>away</html>"),
    "resets": reset,
    "hangs": hang,
    "login page": answer("200 OK\r\nContent-Type: text/html", "<html>login</html>"),
    "elsewhere": answer("302 Found\r\nLocation: /login", ""),
    "wrong token": answer("401 Unauthorized\r\nContent-Type: application/json", '{"code":"unauthorized"}'),
}
"""What the server does with a connection, by name; None where nobody listens."""


@contextmanager
def broken_influx(way: str) -> Iterator[str]:
    """Start a server and yield its URL."""
    behave = WAYS[way]
    if behave is None:
        yield f"http://127.0.0.1:{free_port()}"
        return
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ended = threading.Event()

        def accept() -> None:
            while not ended.is_set():
                client, _ = listening.accept()
                threading.Thread(target=serve, args=(client,), daemon=True).start()

        def serve(client: socket.socket) -> None:
            with client:
                try:
                    behave(client)
                except OSError:
                    pass

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        port = listening.getsockname()[1]
        yield f"http://127.0.0.1:{port}"
        ended.set()
        socket.create_connection(("127.0.0.1", port)).close()
        thread.join()
