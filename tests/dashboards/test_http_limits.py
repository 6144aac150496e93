"""Slow and greedy clients, with real sockets: what they hold is taken from them, and everybody else is answered."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from itertools import pairwise

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.api.context import Settings
from dashboards.http import connections
from dashboards.live.event_stream import EventBatch, EventFilter, StreamEvent, StreamPosition
from store.records.repository import Records
from tests.dashboards.browser_world import served
from tests.dashboards.identity.accounts import Accounts
from tests.dashboards.sample_fleet import EMPTY_INDEX
from tests.loopback import until

OTHER = "127.0.0.2"
HALF = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Half: "


@pytest.fixture
def address(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server whose limits are short."""
    for name in ("HEADERS_S", "BODY_S", "WRITE_S"):
        monkeypatch.setattr(connections, name, 1.0)
    with served(settings) as found:
        yield found


def connected(address: str, source: str = "127.0.0.1") -> socket.socket:
    """Return a connection to the server from an address of this machine."""
    port = int(address.rsplit(":", 1)[1])
    return socket.create_connection(("127.0.0.1", port), timeout=60, source_address=(source, 0))


def is_alive(address: str) -> bool:
    """Ask until the server answers: under its short limits, a request of a busy machine may be taken for a slow one."""
    until(lambda: answers(address), "an answer")
    return True


def answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/healthz", timeout=60, trust_env=False).json() == {"status": "alive"}
    except (httpx.TransportError, ValueError):
        return False


def dropped(address: str, reason: str) -> float:
    """Return how many connections the server ended for a reason."""
    text = ""
    while "liftwatch_http_connections_dropped_total" not in text:
        with suppress(httpx.TransportError):
            text = httpx.get(f"{address}/metrics", timeout=60, trust_env=False).text
    name = f'liftwatch_http_connections_dropped_total{{reason="{reason}"}} '
    return sum(float(line.removeprefix(name)) for line in text.splitlines() if line.startswith(name))


def everything(connection: socket.socket) -> bytes:
    """Return what the server sends until it ends the connection."""
    chunks = []
    while chunk := connection.recv(65536):
        chunks.append(chunk)
    return b"".join(chunks)


def test_many_half_sent_requests_are_ended_and_healthz_is_answered_beside_them(address: str) -> None:
    with ExitStack() as held:
        halves = [held.enter_context(connected(address, OTHER)) for _ in range(200)]
        for half in halves:
            half.sendall(HALF)
        assert is_alive(address)
        answers = [everything(half) for half in halves]
        assert all(answer.startswith(b"HTTP/1.1 408 ") for answer in answers)
        assert is_alive(address)
        assert dropped(address, "slow-request") >= len(halves)


def test_a_request_that_arrives_byte_by_byte_is_ended_too(address: str) -> None:
    with connected(address) as slow:
        slow.sendall(HALF)
        slow.settimeout(0.05)

        def is_ended() -> bool:
            try:
                slow.sendall(b"x")
                return slow.recv(1000).startswith(b"HTTP/1.1 408 ")
            except TimeoutError:
                return False

        until(is_ended, "the end of a request that never ends")


def test_a_connection_on_which_nothing_is_asked_is_ended_without_an_answer(address: str) -> None:
    with connected(address) as silent:
        assert everything(silent) == b""


@pytest.mark.parametrize(
    "head",
    [
        b"POST /api/v1/lifts HTTP/1.1\r\nContent-Type: application/json\r\n",
        b"POST /api/v1/lifts/import HTTP/1.1\r\nContent-Type: text/csv\r\n",
    ],
)
def test_a_half_sent_body_is_timed_out(address: str, head: bytes) -> None:
    with connected(address) as slow:
        slow.sendall(head + b"Host: localhost\r\nContent-Length: 1000\r\n\r\n{")
        assert everything(slow).startswith(b"HTTP/1.1 408 ")
    assert is_alive(address)


def test_a_body_that_no_route_reads_holds_no_connection(address: str) -> None:
    with connected(address) as slow:
        slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{")
        answer = everything(slow)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"408" not in answer.partition(b"\r\n")[2]


def test_a_client_that_asks_again_and_again_keeps_its_connection(address: str) -> None:
    """It asks for longer than a request may take; where this machine lets it pause that long, it begins again."""
    with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:

        def keeps_its_connection() -> bool:
            streams, begun_s, asked_s = set(), time.monotonic(), [time.monotonic()]
            while asked_s[-1] - begun_s < 2.5 * connections.HEADERS_S:
                answer = client.get("/healthz")
                streams.add(id(answer.extensions["network_stream"].get_extra_info("socket")))
                time.sleep(0.1)  # between two checks of the server
                asked_s.append(time.monotonic())
            is_pausing = max(after - before for before, after in pairwise(asked_s)) > connections.HEADERS_S / 2
            assert is_pausing or len(streams) == 1
            return not is_pausing

        until(keeps_its_connection, "a run without a pause")


def test_a_client_that_reads_nothing_is_dropped(address: str) -> None:
    with connected(address) as greedy:
        greedy.settimeout(0.2)
        asked = b"GET /api/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
        try:
            for _ in range(200):
                greedy.sendall(asked)
        except TimeoutError:
            pass
        until(lambda: dropped(address, "slow-reader") == 1, "the end of a client that reads nothing")
        assert is_alive(address)


def test_at_the_limit_of_connections_the_greediest_address_gives_way(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "CONNECTIONS_LIMIT", 50)
    monkeypatch.setattr(connections, "HEADERS_S", 600.0)
    with ExitStack() as held:
        for _ in range(150):
            held.enter_context(connected(address, OTHER)).sendall(HALF)
        mine = held.enter_context(connected(address))
        mine.sendall(HALF)
        for _ in range(20):
            held.enter_context(connected(address, OTHER)).sendall(HALF)
        assert is_alive(address)
        until(lambda: dropped(address, "crowded") >= 120, "places")
        mine.sendall(b"whole\r\nConnection: close\r\n\r\n")
        assert everything(mine).startswith(b"HTTP/1.1 200 ")


@contextmanager
def stream(address: str, source: str = "127.0.0.1", **headers: str) -> Iterator[httpx.Response]:
    """Open a live stream from an address of this machine."""
    transport = httpx.HTTPTransport(local_address=source)
    with (
        httpx.Client(transport=transport, timeout=60, trust_env=False) as client,
        client.stream("GET", f"{address}/api/v1/live", headers=headers) as answer,
    ):
        yield answer


def test_the_live_streams_of_one_address_are_limited_and_others_and_healthz_are_served(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboards.live.event_stream.SUBSCRIBERS_OF_AN_ADDRESS_LIMIT", 3)
    with served(settings) as address, ExitStack() as held:
        codes = [held.enter_context(stream(address)).status_code for _ in range(5)]
        assert codes == [200, 200, 200, 429, 429]
        assert held.enter_context(stream(address, OTHER)).status_code == 200
        assert is_alive(address)


@pytest.mark.parametrize(("proxies", "codes"), [((), [200, 429]), (("127.0.0.1",), [200, 200])])
def test_the_clients_behind_a_configured_proxy_have_limits_of_their_own(
    settings: Settings, records: Records, monkeypatch: pytest.MonkeyPatch, proxies: tuple[str, ...], codes: list[int]
) -> None:
    accounts = Accounts(records)
    token = accounts.token(accounts.admin, accounts.desk)
    monkeypatch.setattr("dashboards.live.event_stream.SUBSCRIBERS_OF_AN_ADDRESS_LIMIT", 1)
    with served(replace(settings, proxies=proxies)) as address, ExitStack() as held:
        clients = [{"X-Forwarded-For": f"192.0.2.{number}"} | token for number in range(2)]
        assert [held.enter_context(stream(address, **client)).status_code for client in clients] == codes


@given(st.lists(st.sampled_from("abcd")), st.sets(st.sampled_from("abcde")), st.sampled_from([None, "d0", "d1"]))
def test_a_batch_gives_a_filter_the_same_events_in_the_same_order(
    lifts: list[str], wanted: set[str], district: str | None
) -> None:
    events = [StreamEvent(lift, f"d{ord(lift) % 2}", b"%d" % place) for place, lift in enumerate(lifts)]
    event_filter, end = EventFilter(district, frozenset(wanted)), StreamPosition(1, 1)
    assert EventBatch(events, EMPTY_INDEX).encode(event_filter, end) == event_filter.encode(events, end, EMPTY_INDEX)


def test_a_client_that_leaves_amid_its_body_is_no_error_of_ours(
    address: str, records: Records, caplog: pytest.LogCaptureFixture
) -> None:
    with connected(address) as leaving:
        leaving.sendall(b"POST /api/v1/lifts/import HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n")
        leaving.sendall(b"Content-Length: 1000\r\n\r\nlift")
    assert is_alive(address)
    assert not [each for each in caplog.records if each.levelname == "ERROR"]
