"""Certificates with their keys, from the configuration: checked before anything is started with them."""

from __future__ import annotations

import ssl
from pathlib import Path

from commands.errors import Unusable
from configuration import Configuration


def server_certificate(settings: Configuration) -> tuple[str | None, str | None]:
    """Return the files of the certificate and the key of the pages, or None twice: without TLS."""
    where = settings.dashboards
    return _pair("dashboards", where.certificate_file, where.key_file)


def client_certificate(settings: Configuration) -> tuple[str | None, str | None]:
    """Return the files of the certificate and the key by which a program signs in to the broker, or None twice."""
    where = settings.broker
    if where.certificate_file is not None and not where.tls:
        raise Unusable("broker.certificate_file: set broker.tls = true; a certificate is shown over TLS only")
    return _pair("broker", where.certificate_file, where.key_file)


def _pair(section: str, certificate: Path | None, key: Path | None) -> tuple[str | None, str | None]:
    if certificate is None and key is None:
        return None, None
    if certificate is None or key is None:
        raise Unusable(f"{section}.certificate_file, {section}.key_file: set both or neither")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except OSError as error:  # ssl.SSLError is one
        why = "not a PEM certificate and its key" if isinstance(error, ssl.SSLError) else error.strerror
        raise Unusable(f"{section}.certificate_file: cannot use {certificate} with {key} ({why})") from None
    return str(certificate), str(key)
