"""Devices: who may connect to the broker, for which lifts, and on which topics.

    lift      a terminal of one lift; its id is the lift's id
    gateway   publishes for the lifts in its list, in envelopes on its own topic `gateway`
    program   a process of Liftwatch itself: monitor, dashboards, simulator

The id of a device is its user name, and on the ports for devices its client id too. Ids that begin with `liftwatch` are
kept for programs, so that no device can have the name or the client id of one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from registry.fact_checks import FieldError
from telemetry.streams import ANNOUNCEMENTS, LIFT_ID_PATTERN, STREAMS

LIFT, GATEWAY, PROGRAM = "lift", "gateway", "program"
PASSWORD, CERTIFICATE = "password", "certificate"
CREDENTIALS = (PASSWORD, CERTIFICATE)
RESERVED_PREFIX = "liftwatch"
MONITOR, DASHBOARDS, SIMULATOR = "liftwatch-monitor", "liftwatch-dashboards", "liftwatch-simulator"
GATEWAY_LIFTS_LIMIT = 1000
STREAMS_OF_LIFT = tuple(stream for stream in STREAMS if stream != GATEWAY)
STREAMS_BEHIND_GATEWAY = ("bundle", "status")
"""The streams that a gateway may also publish on the topics of its lifts."""


@dataclass(frozen=True, slots=True)
class Credential:
    """How a device proves its identity: the hash of a password, or a certificate's serial number and fingerprint."""

    kind: str
    secret_hash: str | None = None
    serial: str | None = None
    fingerprint: str | None = None
    expires_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """An identity at the broker, and its history: who made, renewed and revoked it."""

    device_id: str
    kind: str
    lifts: tuple[str, ...]
    credential: Credential
    created_ns: int = 0
    created_by: str = ""
    rotated_ns: int | None = None
    revoked_ns: int | None = None
    revoked_by: str | None = None

    def state(self, now_ns: int) -> str:
        """Return `revoked`, `expired` or `valid`."""
        if self.revoked_ns is not None:
            return "revoked"
        expires_ns = self.credential.expires_ns
        return "expired" if expires_ns is not None and expires_ns <= now_ns else "valid"


@dataclass(frozen=True, slots=True)
class TopicRights:
    """The topics of one user: `deny` takes precedence."""

    deny: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    read: tuple[str, ...] = ()


PROGRAMS = {
    MONITOR: TopicRights(
        write=tuple(f"lift/v1/+/+/{level}" for level in ANNOUNCEMENTS), read=("lift/v1/#", "$SYS/broker/version")
    ),
    DASHBOARDS: TopicRights(write=("sim/v1/+/fault",)),
    SIMULATOR: TopicRights(
        deny=tuple(f"lift/v1/+/+/{level}/#" for level in ANNOUNCEMENTS), write=("lift/v1/#",), read=("sim/v1/+/fault",)
    ),
}
"""Liftwatch's own programs, each with the fewest topics that it needs."""

EACH_OWN_TOPICS = TopicRights(
    deny=tuple(f"lift/v1/+/%u/{level}/#" for level in (*ANNOUNCEMENTS, "gateway")), write=("lift/v1/+/%u/#",)
)
"""The rights of every user by its own name, `%u`: one pattern instead of lines for each device, because Mosquitto takes
seconds to read the lines of ten thousand users. `alert/#` is `alert` and what is below it, which a reader of `alert/#`
would take for the monitor's. `#` instead of the names of streams: the monitor refuses a misspelt
stream and shows the refusal, while the broker gives an MQTT 3.1.1 client no answer."""
OPTIONAL_PROGRAMS = (DASHBOARDS, SIMULATOR)
"""Programs that a demonstration needs and a real installation does not: with real lifts nobody simulates."""


def rights(device: Device) -> TopicRights | None:
    """Return the topics of a device besides `EACH_OWN_TOPICS`, None where it needs no others.

    A revoked certificate is denied everything: the broker does not end its open connection.
    """
    if device.revoked_ns is not None:
        return TopicRights(deny=("#",)) if device.credential.kind == CERTIFICATE else None
    if device.kind == PROGRAM:
        return PROGRAMS[device.device_id]
    if device.kind == GATEWAY:
        return _rights_of_gateway(device)
    return None


def _rights_of_gateway(gateway: Device) -> TopicRights:
    """Return the topics of a gateway; a lift with the gateway's id is denied, unless it is one of its lifts."""
    own = f"lift/v1/+/{gateway.device_id}"
    lifts = (f"lift/v1/+/{lift}/{stream}" for lift in gateway.lifts for stream in STREAMS_BEHIND_GATEWAY)
    denied = () if gateway.device_id in gateway.lifts else tuple(f"{own}/{stream}" for stream in STREAMS_OF_LIFT)
    return TopicRights(deny=denied, write=(f"{own}/gateway", *lifts))


def check_device(device_id: str, lifts: Iterable[str], kind: str, reserved: Iterable[str] = ()) -> list[FieldError]:
    """Return all errors of a new device; `reserved` are client ids of Liftwatch's own programs."""
    field = "gateway" if kind == GATEWAY else "lift"
    errors = _check_id(field, device_id)
    for prefix in (RESERVED_PREFIX, *reserved):
        if device_id.lower().startswith(prefix.lower()):
            remedy = "choose another id: as a client id it could end a connection of Liftwatch itself"
            errors.append(FieldError(field, f"{device_id!r} begins with {prefix!r}, a name of Liftwatch", remedy))
            break
    return errors + (_check_lifts(list(lifts)) if kind == GATEWAY else [])


def _check_id(field: str, text: str) -> list[FieldError]:
    if LIFT_ID_PATTERN.fullmatch(text):
        return []
    return [FieldError(field, f"{text[:70]!r} is not an id", "use 1 to 64 letters, digits, hyphens and underscores")]


def _check_lifts(lifts: list[str]) -> list[FieldError]:
    if not lifts:
        return [FieldError("lifts", "is empty", "name the lifts behind the gateway")]
    if len(lifts) > GATEWAY_LIFTS_LIMIT:
        return [FieldError("lifts", f"has {len(lifts)} lifts", f"give a gateway at most {GATEWAY_LIFTS_LIMIT}")]
    twice = sorted({lift for lift in lifts if lifts.count(lift) > 1})
    errors = [FieldError("lifts", f"{lift} is named twice", "name it once") for lift in twice]
    return errors + [error for lift in lifts for error in _check_id("lifts", lift)]
