"""The operator's settings of sign-in."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session lasts without use, at the operator's desk too, and altogether."""

    idle_s: float = 30 * 60
    desk_idle_s: float = 8 * 3600
    absolute_s: float = 12 * 3600


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """A provider of OpenID Connect, and this server as its client. `name` stands on the button of the sign-in page."""

    issuer: str
    client_id: str
    client_secret: str
    name: str = "OpenID Connect"


@dataclass(frozen=True, slots=True)
class SignInSettings:
    """`required`: nothing is open without an account, on loopback neither. `open_with_accounts`: for a demonstration,
    everything stays open on loopback although there are accounts."""

    required: bool = False
    limits: SessionLimits = field(default_factory=SessionLimits)
    oidc: OidcSettings | None = None
    open_with_accounts: bool = False
