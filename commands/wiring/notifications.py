"""The senders of notifications: those that need no configuration, and those of `[notifications]`."""

from __future__ import annotations

import configuration
from commands.errors import Unusable
from configuration import Configuration, GatewaySettings, MailSettings, PushSettings
from notify.ways.apprise_way import AppriseWay
from notify.ways.dingtalk import DingTalkWay
from notify.ways.feishu import FeishuWay
from notify.ways.gateway import Gateway, GatewayWay
from notify.ways.http_post import HttpClient
from notify.ways.mail import BadMailAddress, MailServer, MailWay
from notify.ways.sender import Sender
from notify.ways.signed_webhook import WebhookWay
from notify.ways.web_push import WebPushWay, public_key
from notify.ways.wecom import WeComWay
from registry.ways import APPRISE, DINGTALK, FEISHU, MAIL, PUSH, SMS, VOICE, WEBHOOK, WECOM

SECTION = "notifications"


def notification_senders(settings: Configuration) -> dict[str, Sender]:
    """Return the sender of each kind of way; raise Unusable where the configuration of one cannot be used."""
    chosen = settings.notifications
    client = HttpClient(allow_private=chosen.private_addresses)
    senders: dict[str, Sender] = {
        DINGTALK: DingTalkWay(client),
        WECOM: WeComWay(client),
        FEISHU: FeishuWay(client),
        WEBHOOK: WebhookWay(client),
        APPRISE: AppriseWay(frozenset(chosen.apprise_schemes)),
    }
    if chosen.mail is not None:
        senders[MAIL] = mail_way(chosen.mail)
    if chosen.push is not None:
        senders[PUSH] = WebPushWay(client, push_key(chosen.push), chosen.push.contact)
    own = HttpClient(allow_private=True)
    for kind, gateway in ((SMS, chosen.sms), (VOICE, chosen.voice)):
        if gateway is not None:
            senders[kind] = gateway_way(gateway, kind, own)
    return senders


def way_kinds(settings: Configuration) -> tuple[str, ...]:
    """Return the kinds of ways that people may add."""
    return tuple(notification_senders(settings))


def mail_way(settings: MailSettings) -> MailWay:
    """Return the sender of e-mail; raise Unusable where its password or its address cannot be used."""
    password = configuration.secret(settings.password_file, f"{SECTION}.mail.password_file")
    server = MailServer(
        settings.host, settings.sender, settings.port, settings.security, settings.username, password,
        None if settings.ca_file is None else str(settings.ca_file),
    )  # fmt: skip
    try:
        return MailWay(server)
    except BadMailAddress as error:
        raise Unusable(f"{SECTION}.mail.sender: {error}") from None


def gateway_way(settings: GatewaySettings, kind: str, client: HttpClient) -> GatewayWay:
    """Return the sender by a gateway; raise Unusable where its secret cannot be read."""
    secret = configuration.secret(settings.secret_file, f"{SECTION}.{kind}.secret_file") or ""
    gateway = Gateway(
        settings.url, settings.body, settings.method, settings.content_type, settings.headers, secret,
        settings.success_contains,
    )  # fmt: skip
    return GatewayWay(gateway, client, speaks=kind == VOICE)


def push_key(settings: PushSettings) -> bytes:
    """Return the private key of Web Push; raise Unusable where the file is none."""
    key = (configuration.secret(settings.private_key_file, f"{SECTION}.push.private_key_file") or "").encode()
    try:
        public_key(key)
    except ValueError:
        raise Unusable(
            f"{SECTION}.push.private_key_file: {settings.private_key_file} is no private key; make one by "
            "openssl ecparam -name prime256v1 -genkey -noout"
        ) from None
    return key


def push_public_key(settings: Configuration) -> str | None:
    """Return the public key that browsers subscribe with; None where Web Push is not configured."""
    chosen = settings.notifications.push
    return None if chosen is None else public_key(push_key(chosen))
