"""The webhooks: a secret that can sign, and an endpoint that answers HTTP. No message is sent."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import httpx

from commands.checks.config_check import ConfigCheck
from commands.errors import Unusable
from commands.wiring.webhooks import webhook_endpoints
from configuration import Configuration, WebhookSettings

ANSWER_LIMIT_S = 5.0


def checks(settings: Configuration) -> Iterator[ConfigCheck]:
    """Return two checks for each of `[[webhooks]]`."""
    for webhook in settings.webhooks:
        yield ConfigCheck(f"webhooks.{webhook.name}.secret_file", partial(_secret, settings, webhook))
        yield ConfigCheck(f"webhooks.{webhook.name}.url", partial(answers, webhook.url))


def _secret(settings: Configuration, webhook: WebhookSettings) -> str:
    webhook_endpoints(settings.model_copy(update={"webhooks": (webhook,)}))
    return f"{webhook.secret_file} can sign"


def answers(url: str) -> str:
    """Request the headers at `url`: any answer shows that the endpoint exists."""
    try:
        answer = httpx.head(url, timeout=ANSWER_LIMIT_S, follow_redirects=False)
    except httpx.InvalidURL as error:
        raise Unusable(f"{url} is no address ({error}); write https://host/path") from None
    except httpx.HTTPError as error:
        why = str(error) or type(error).__name__
        raise Unusable(f"nothing answers at {url} ({why}); start the endpoint, or correct the address") from None
    return f"{url} answers (HEAD: {answer.status_code})"
