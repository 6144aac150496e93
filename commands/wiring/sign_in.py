"""The settings of sign-in from the configuration."""

from __future__ import annotations

from commands.errors import Unusable
from configuration import Configuration
from dashboards.sign_in.settings import OidcSettings, SessionLimits, SignInSettings

MINUTE_S, HOUR_S = 60, 3600


def sign_in_settings(settings: Configuration) -> SignInSettings:
    """Return the settings of sign-in; raise Unusable where they do not fit together."""
    given = settings.sign_in
    limits = SessionLimits(
        given.idle_minutes * MINUTE_S, given.desk_idle_minutes * MINUTE_S, given.session_hours * HOUR_S
    )
    if given.oidc_issuer is None:
        return SignInSettings(given.required, limits, open_with_accounts=given.open_with_accounts)
    secret = given.oidc_client_secret()
    if not secret:
        raise Unusable("sign_in.oidc_issuer needs sign_in.oidc_client_secret_file: the secret that the provider gave")
    oidc = OidcSettings(given.oidc_issuer, given.oidc_client_id, secret, given.oidc_name)
    return SignInSettings(given.required, limits, oidc, given.open_with_accounts)
