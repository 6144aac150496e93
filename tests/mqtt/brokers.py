"""Brokers for tests: a Mosquitto with TLS and a password, a scripted one, and a listener that keeps first bytes."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mqtt.connection import BrokerConnection
from tests.broker import Broker, mosquitto
from tests.loopback import until
from tests.mqtt.certificates import Certificates

USER, PASSWORD = "monitor-7", "a password that nobody may read"
MQTT5, MQTT311 = 5, 4
ACCEPTED = {MQTT5: b"\x20\x03\x00\x00\x00", MQTT311: b"\x20\x02\x00\x00"}
Answer = Callable[[int], bytes | None]


class TlsBroker(Broker):
    """A Mosquitto whose only listener speaks TLS and asks for a password; `more` is added to its configuration."""

    def __init__(self, folder: Path, certificates: Certificates, more: str = "") -> None:
        passwords = folder / "passwords"
        passwords.touch(mode=0o600)
        subprocess.run(["mosquitto_passwd", "-b", str(passwords), USER, PASSWORD], check=True, capture_output=True)
        self.password_file = folder / "password"
        self.password_file.write_text(PASSWORD, encoding="utf-8")
        super().__init__(
            mosquitto(),
            folder,
            f"cafile {certificates.ca}\ncertfile {certificates.certificate}\nkeyfile {certificates.key}\n"
            f"allow_anonymous false\npassword_file {passwords}\n{more}",
        )


@contextmanager
def scripted_broker(answer: Answer) -> Iterator[tuple[int, list[int]]]:
    """Yield the port of a broker, and the MQTT versions that clients asked for.

    It sends `answer(version)` to each CONNECT and then keeps the connection; it closes at once where that is None.
    """
    versions: list[int] = []
    kept: list[socket.socket] = []

    def serve(connection: socket.socket) -> None:
        packet = connection.recv(4096)
        version = packet[packet.index(b"MQTT") + 4]
        versions.append(version)
        content = answer(version)
        if content is None:
            connection.close()
        else:
            connection.sendall(content)

    with listener(lambda connection: (kept.append(connection), serve(connection))) as port:
        yield port, versions
    for connection in kept:
        connection.close()


@contextmanager
def first_bytes_listener(certificates: Certificates) -> Iterator[tuple[int, list[bytes]]]:
    """Yield the port of a listener, and the first bytes of each connection; a TLS client gets the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)
    seen: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        with connection:
            seen.append(connection.recv(4096, socket.MSG_PEEK))
            with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as secured:
                secured.recv(4096)

    with listener(serve) as port:
        yield port, seen


@contextmanager
def listener(serve: Callable[[socket.socket], object]) -> Iterator[int]:
    """Give a port of the loopback, each of whose connections is served in a thread of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    connection.settimeout(20)
                    threading.Thread(target=quietly, args=(connection,), daemon=True).start()

        def quietly(connection: socket.socket) -> None:
            with contextlib.suppress(OSError):
                serve(connection)

        threading.Thread(target=accept, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def serve_until(connection: BrokerConnection, ready: Callable[[], bool], what: str) -> None:
    """Serve a connection until `ready`, and fail by name where that does not come."""

    def served() -> bool:
        connection.serve(0.1)
        return ready()

    until(served, what)
