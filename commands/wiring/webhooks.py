"""The webhooks, with their secrets read and checked."""

from __future__ import annotations

import configuration
from commands.errors import Unusable
from configuration import Configuration
from notify.ways.signed_webhook import BadSecret, signer
from notify.webhook import Endpoint


def webhook_endpoints(settings: Configuration) -> list[Endpoint]:
    """Return the endpoints of `[[webhooks]]`; raise Unusable where a secret cannot be read or cannot sign."""
    found = []
    for webhook in settings.webhooks:
        name = f"webhooks.{webhook.name}.secret_file"
        secret = configuration.secret(webhook.secret_file, name) or ""
        endpoint = Endpoint(
            webhook.name,
            webhook.url,
            secret,
            webhook.severities,
            webhook.districts,
            webhook.kinds,
            webhook.organisations,
            webhook.about,
        )
        try:
            signer(endpoint.secret, endpoint.name)
        except BadSecret as error:
            raise Unusable(f"{name}: {error}") from None
        found.append(endpoint)
    return found
