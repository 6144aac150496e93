"""The pages over https: the served pages, and the errors of wrong certificates."""

from __future__ import annotations

import socket
import ssl
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import liftwatch
from commands.errors import Unusable
from commands.wiring.broker import broker_address
from commands.wiring.certificates import server_certificate
from configuration import BrokerSettings, Configuration, DashboardsSettings
from dashboards.api.context import Settings
from tests.dashboards.browser_world import served
from tests.mqtt.certificates import make_certificates


def pages(certificate: Path | None, key: Path | None) -> Configuration:
    return Configuration(dashboards=DashboardsSettings(certificate_file=certificate, key_file=key))


def test_a_certificate_needs_its_key_and_both_are_checked_before_the_start(tmp_path: Path) -> None:
    made = make_certificates(tmp_path / "made")
    assert server_certificate(pages(None, None)) == (None, None)
    assert server_certificate(pages(made.certificate, made.key)) == (str(made.certificate), str(made.key))
    other = make_certificates(tmp_path / "other")
    wrong = [
        (made.certificate, None, "set both or neither"),
        (None, made.key, "set both or neither"),
        (made.certificate, other.key, "not a PEM certificate and its key"),
        (tmp_path / "none", made.key, "No such file"),
    ]
    for certificate, key, message in wrong:
        with pytest.raises(Unusable, match=message):
            server_certificate(pages(certificate, key))


def test_a_server_with_a_useless_certificate_ends_with_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "liftwatch.toml"
    config.write_text(
        f"[monitor]\ndata_dir = '{tmp_path}'\n"
        f"[dashboards]\nport = 0\ncertificate_file = '{tmp_path}/none'\nkey_file = '{tmp_path}/none'\n",
        encoding="utf-8",
    )
    assert liftwatch.main(["--config", str(config), "serve"]) == 2
    assert "dashboards.certificate_file: cannot use" in capsys.readouterr().err


def test_a_client_certificate_without_tls_is_refused(tmp_path: Path) -> None:
    made = make_certificates(tmp_path / "made")
    by_certificate = {"certificate_file": made.certificate, "key_file": made.key}
    with pytest.raises(Unusable, match=r"set broker.tls = true"):
        broker_address(Configuration(broker=BrokerSettings(**by_certificate)))
    address = broker_address(Configuration(broker=BrokerSettings(tls=True, ca_file=made.ca, **by_certificate)))
    assert (address.certificate_file, address.key_file) == (str(made.certificate), str(made.key))


@pytest.mark.parametrize(
    ("ciphers", "is_accepted"),
    [
        ("ECDHE+AESGCM", True),
        ("ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA", False),
    ],
)
def test_tls_1_2_is_served_with_authenticated_encryption_alone(
    settings: Settings, tmp_path: Path, ciphers: str, is_accepted: bool
) -> None:
    made = make_certificates(tmp_path / "made")
    client = ssl.create_default_context(cafile=str(made.ca))
    client.check_hostname, client.maximum_version = False, ssl.TLSVersion.TLSv1_2
    client.set_ciphers(ciphers)
    secured = replace(settings, certificate_file=str(made.certificate), key_file=str(made.key))
    with served(secured) as address, socket.create_connection(("127.0.0.1", urlsplit(address).port or 0)) as plain:
        if is_accepted:
            with client.wrap_socket(plain) as connection:
                assert connection.version() == "TLSv1.2"
        else:
            with pytest.raises(ssl.SSLError):
                client.wrap_socket(plain)
