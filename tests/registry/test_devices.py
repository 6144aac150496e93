"""Devices: the names that are allowed, the topics of each kind, and their CSV."""

from __future__ import annotations

import pytest

from registry.device_csv import read_devices
from registry.device_senders import sender_changes
from registry.devices import (
    CERTIFICATE,
    EACH_OWN_TOPICS,
    GATEWAY,
    LIFT,
    MONITOR,
    PASSWORD,
    PROGRAM,
    PROGRAMS,
    Credential,
    Device,
    TopicRights,
    check_device,
    rights,
)
from registry.lift_facts import FactsError, LiftFacts
from telemetry.instant import DAY_NS
from telemetry.streams import ANNOUNCEMENTS, STREAMS


def device(kind: str = LIFT, credential: str = PASSWORD, **more: object) -> Device:
    return Device("A-1", kind, ("A-2",), Credential(credential), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("device_id", "lifts", "kind", "fault"),
    [
        ("A-1", (), LIFT, None),
        ("a" * 64, (), LIFT, None),
        ("", (), LIFT, "is not an id"),
        ("a" * 65, (), LIFT, "is not an id"),
        ("A/1", (), LIFT, "is not an id"),
        ("+", (), LIFT, "is not an id"),
        ("A:1", (), LIFT, "is not an id"),
        ("A-1\n", (), LIFT, "is not an id"),
        ("liftwatch-monitor", (), LIFT, "a name of Liftwatch"),
        ("LIFTWATCH", (), LIFT, "a name of Liftwatch"),
        ("Tower-9", (), LIFT, "a name of Liftwatch"),
        ("GW-7", ("A-1", "A-2"), GATEWAY, None),
        ("GW-7", (), GATEWAY, "lifts: is empty"),
        ("GW-7", ("A-1", "A-1"), GATEWAY, "A-1 is named twice"),
        ("GW-7", ("A-1", "#"), GATEWAY, "'#' is not an id"),
        ("GW-7", tuple(f"L{i}" for i in range(1001)), GATEWAY, "at most 1000"),
    ],
)
def test_a_name_that_could_be_taken_for_another_is_refused_with_a_remedy(
    device_id: str, lifts: tuple[str, ...], kind: str, fault: str | None
) -> None:
    errors = [str(error) for error in check_device(device_id, lifts, kind, ("tower",))]
    assert (len(errors) == 1 and fault in errors[0]) if fault else errors == []


def test_only_the_monitor_may_write_announcements() -> None:
    announced = {f"lift/v1/+/+/{level}" for level in ANNOUNCEMENTS}
    assert announced == set(PROGRAMS[MONITOR].write)
    for name, own in PROGRAMS.items():
        assert name == MONITOR or not announced & set(own.write)
    assert {f"lift/v1/+/%u/{level}/#" for level in ANNOUNCEMENTS} <= set(EACH_OWN_TOPICS.deny)


def test_a_gateway_has_its_own_topic_and_those_of_its_lifts() -> None:
    own = rights(device(GATEWAY))
    assert own is not None
    assert own.write == ("lift/v1/+/A-1/gateway", "lift/v1/+/A-2/bundle", "lift/v1/+/A-2/status")


def test_a_gateway_cannot_speak_for_a_lift_that_has_its_id_by_chance() -> None:
    own = rights(device(GATEWAY))
    assert own is not None
    assert set(own.deny) == {f"lift/v1/+/A-1/{stream}" for stream in STREAMS if stream != "gateway"}
    listed = rights(Device("A-1", GATEWAY, ("A-1",), Credential(PASSWORD)))
    assert listed is not None
    assert listed.deny == ()


def test_a_lift_needs_no_lines_of_its_own_until_its_certificate_is_revoked() -> None:
    assert rights(device()) is None
    assert rights(device(revoked_ns=1)) is None  # its password is gone
    assert rights(device(credential=CERTIFICATE)) is None
    assert rights(device(credential=CERTIFICATE, revoked_ns=1)) == TopicRights(deny=("#",))
    assert rights(device(GATEWAY, CERTIFICATE, revoked_ns=1)) == TopicRights(deny=("#",))
    assert rights(device(PROGRAM, CERTIFICATE, revoked_ns=1)) == TopicRights(deny=("#",))


def test_a_certificate_ends_and_a_password_does_not() -> None:
    ending = Device("A-1", LIFT, ("A-1",), Credential(CERTIFICATE, expires_ns=DAY_NS))
    assert [ending.state(t_ns) for t_ns in (0, DAY_NS)] == ["valid", "expired"]
    assert device().state(10 * DAY_NS) == "valid"
    assert device(revoked_ns=5).state(0) == "revoked"


@pytest.mark.parametrize(
    ("fact", "device_id", "becomes"),
    [
        (None, "A-1", "A-1"),
        (None, "GW-7", "GW-7"),
        ("A-1", "A-1", None),
        ("A-1", "GW-7", "GW-7"),
        ("GW-7", "GW-7", None),
        ("GW-9", "A-1", None),
        ("GW-9", "GW-7", "refused"),
    ],
)
def test_a_lift_names_its_new_sender_but_is_not_taken_from_another_gateway(
    fact: str | None, device_id: str, becomes: str | None
) -> None:
    lifts = {"A-1": LiftFacts("A-1", "north", gateway_id=fact)}
    changed, other, unregistered = sender_changes([(device_id, ["A-1", "A-2"])], lifts)
    assert [facts.gateway_id for facts in changed] == ([becomes] if becomes not in (None, "refused") else [])
    assert [facts.lift_id for facts in other] == (["A-1"] if becomes == "refused" else [])
    assert unregistered == ["A-2"]


def test_lifts_and_gateways_are_read_from_csv() -> None:
    rows, refused = read_devices(b"\xef\xbb\xbfdevice_id,lifts,credential\nA-1,,\n\nGW-7,A-2; A-3,certificate\n")
    assert not refused
    assert [row[1:] for row in rows] == [
        ("A-1", LIFT, ("A-1",), PASSWORD),
        ("GW-7", GATEWAY, ("A-2", "A-3"), CERTIFICATE),
    ]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("A/1,,", "'A/1' is not an id"),
        ("A-1,,", "A-1 is in line 2 too"),
        ("A-2,,token", "'token' is not known; write password or certificate"),
        ("GW-7,A-1,password,A-2", "more cells than the first line"),
        ("liftwatch,,", "a name of Liftwatch"),
    ],
)
def test_a_bad_line_is_refused_with_its_number_and_the_others_are_taken(line: str, fault: str) -> None:
    rows, refused = read_devices(f"device_id,lifts,credential\nA-1,,\n{line}\nA-9,,\n".encode())
    assert [row.device_id for row in rows] == ["A-1", "A-9"]
    ((number, errors),) = refused
    assert number == 3
    assert fault in str(errors[0])


@pytest.mark.parametrize("text", ["", "lift_id\nA-1\n", "device_id,device_id\nA-1,\n", "device_id,pass\nA,b\n"])
def test_a_file_without_the_columns_names_them(text: str) -> None:
    with pytest.raises(FactsError, match="device_id and any of lifts, credential"):
        read_devices(text.encode())
