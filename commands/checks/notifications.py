"""The ways of notifications: a mail server that lets this program sign in, gateways that answer, and a key of Web Push.

No message is sent.
"""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from functools import partial

from commands.checks.config_check import ConfigCheck
from commands.checks.webhooks import answers
from commands.errors import Unusable
from commands.wiring.notifications import SECTION, gateway_way, mail_way, push_public_key
from configuration import Configuration, GatewaySettings, MailSettings
from notify.ways.http_post import HttpClient
from registry.ways import SMS, VOICE


def checks(settings: Configuration) -> Iterator[ConfigCheck]:
    """Return the checks of `[notifications]`."""
    chosen = settings.notifications
    if chosen.mail is not None:
        yield ConfigCheck(f"{SECTION}.mail", partial(_sign_in, chosen.mail))
    for kind, gateway in ((SMS, chosen.sms), (VOICE, chosen.voice)):
        if gateway is not None:
            yield ConfigCheck(f"{SECTION}.{kind}", partial(_gateway, kind, gateway))
    if chosen.push is not None:
        yield ConfigCheck(f"{SECTION}.push", lambda: f"the public key is {push_public_key(settings)}")
    if settings.dashboards.public_url is None and (chosen.mail or chosen.sms or chosen.push):
        yield ConfigCheck(
            "dashboards.public_url", lambda: "not set: notifications have no links that answer without sign-in"
        )


def _sign_in(settings: MailSettings) -> str:
    try:
        mail_way(settings).check()
    except smtplib.SMTPAuthenticationError:
        raise Unusable(f"{settings.host} refuses the sign-in; correct username and password_file") from None
    except (smtplib.SMTPException, OSError) as error:
        raise Unusable(
            f"{settings.host}:{settings.port} cannot be used ({error}); start the server, or correct host, port, "
            "security and ca_file"
        ) from None
    return f"{settings.host}:{settings.port} accepts {settings.username or 'mail without a sign-in'}"


def _gateway(kind: str, settings: GatewaySettings) -> str:
    gateway_way(settings, kind, HttpClient(allow_private=True))
    return answers(settings.url)
