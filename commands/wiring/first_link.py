"""The start of `serve` without accounts: it stays on this machine, or prints a link for the first administrator."""

from __future__ import annotations

import ipaddress
import time

from commands.errors import Unusable
from configuration import Configuration
from registry.actor import Actor
from store.records.database import RecordsUnavailable
from store.records.identity.accounts import AccountRecords

FIRST_LINK_S = 30 * 60
S_NS = 1_000_000_000


def first_link(settings: Configuration) -> str | None:
    """Return a one-time link for the first administrator where sign-in is required and there is no account.

    Raises Unusable where the pages would be open to other machines. Where the records do not answer nothing is open
    either, and the next start returns the link.
    """
    where = settings.dashboards
    try:
        with AccountRecords.open(settings.records_url, settings.records_key_path) as records:
            if records.has_people():
                return None
            if settings.sign_in.required:
                now_ns = time.time_ns()
                secret = records.add_link(None, now_ns + FIRST_LINK_S * S_NS, Actor.named("serve"), now_ns)
                return f"{address(settings)}/welcome?code={secret}"
    except RecordsUnavailable:
        return None
    if not _is_loopback(where.host):
        raise Unusable(
            f"dashboards.host = {where.host}: without accounts the pages are open, so 127.0.0.1 alone is served; run"
            " `liftwatch people add-administrator` first, or set sign_in.required = true and use the link it prints"
        )
    return None


def address(settings: Configuration) -> str:
    """Return the address of the pages, as a person on this machine opens them."""
    where = settings.dashboards
    host = where.hosts[0] if where.hosts else "localhost"
    return f"{'https' if where.certificate_file else 'http'}://{host}:{where.port}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
