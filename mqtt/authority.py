"""The certificate authority of an installation: it signs the certificates of servers and devices, and revokes devices.

    folder/authority.key    the private key, readable by its owner alone
    folder/authority.pem    the certificate that brokers, devices and browsers trust

Keys are of the curve P-256. A device's certificate names the device in its common name, which the broker takes as the
user name. A revocation list is valid as long as the authority, because Mosquitto refuses
every certificate once the list is old.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

KEY_NAME, CERTIFICATE_NAME = "authority.key", "authority.pem"
AUTHORITY_DAYS, SERVER_DAYS, DEVICE_DAYS = 20 * 365, 825, 825
CLOCK_DIFFERENCE = timedelta(hours=1)
"""How far the clock of a device may be behind when its certificate is made."""
LIST_BEGINS_BEFORE = timedelta(days=1)


class BadAuthority(ValueError):
    """The files of the authority cannot be used; the text names a remedy."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A new certificate with its private key, both in PEM."""

    certificate: bytes
    key: bytes
    serial: str
    fingerprint: str
    expires_ns: int


class CertificateAuthority:
    """The authority in a folder; `now` is the beginning of validity of everything that it signs."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self._certificate, self._key = certificate, key

    @classmethod
    def open(cls, folder: Path, now: datetime) -> CertificateAuthority:
        """Return the authority in `folder`; create the authority at the first use."""
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not (folder / KEY_NAME).exists():
                _create(folder, now)
            key = serialization.load_pem_private_key((folder / KEY_NAME).read_bytes(), None)
            certificate = x509.load_pem_x509_certificate((folder / CERTIFICATE_NAME).read_bytes())
        except (OSError, ValueError) as error:
            raise BadAuthority(
                f"{folder}: the certificate authority cannot be used ({error}); restore both files"
                " from a backup, or remove both: every certificate is then to be issued anew"
            ) from error
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return cls(certificate, key)

    @property
    def pem(self) -> bytes:
        """The certificate of the authority."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the certificate of the authority."""
        return self._certificate.fingerprint(hashes.SHA256()).hex()

    def issue_device(self, device_id: str, now: datetime, days: int = DEVICE_DAYS) -> Issued:
        """Return a certificate by which a device signs in to the broker."""
        return self._issue(device_id, now, days, ExtendedKeyUsageOID.CLIENT_AUTH, [])

    def issue_server(self, names: Iterable[str], now: datetime, days: int = SERVER_DAYS) -> Issued:
        """Return a certificate for a server with these host names and IP addresses."""
        listed = list(names)
        return self._issue(listed[0], now, days, ExtendedKeyUsageOID.SERVER_AUTH, [_general_name(n) for n in listed])

    def revocation_list(self, revoked: Iterable[tuple[str, datetime]], now: datetime, previous: bytes | None) -> bytes:
        """Return the list of the serial numbers that are revoked.

        Of two lists OpenSSL uses the one that begins later, in whole seconds: each list begins after `previous`, and
        the first a day ago, so that no list begins in the future.
        """
        begins = now - LIST_BEGINS_BEFORE
        if previous is not None:
            begins = max(begins, x509.load_pem_x509_crl(previous).last_update_utc + timedelta(seconds=1))
        builder = x509.CertificateRevocationListBuilder().issuer_name(self._certificate.subject)
        builder = builder.last_update(begins).next_update(self._certificate.not_valid_after_utc)
        for serial, at in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(int(serial, 16)).revocation_date(at)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def _issue(
        self, name: str, now: datetime, days: int, usage: x509.ObjectIdentifier, names: list[x509.GeneralName]
    ) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        ends = min(now + timedelta(days=days), self._certificate.not_valid_after_utc)
        builder = _builder(name, self._certificate.subject, key, now, ends)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(identifier, critical=False)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        signed = builder.sign(self._key, hashes.SHA256())
        return Issued(
            signed.public_bytes(serialization.Encoding.PEM),
            _key_pem(key),
            f"{signed.serial_number:x}",
            signed.fingerprint(hashes.SHA256()).hex(),
            int(signed.not_valid_after_utc.timestamp()) * 1_000_000_000,
        )


def _create(folder: Path, now: datetime) -> None:
    """Create the key and the certificate of an authority; the key last, because the key is looked for first."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = f"Liftwatch authority {now:%Y-%m-%d}"
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = _builder(name, subject, key, now, now + timedelta(days=AUTHORITY_DAYS))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    signed = builder.add_extension(usage, critical=True).sign(key, hashes.SHA256())
    (folder / CERTIFICATE_NAME).write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    with open(os.open(folder / KEY_NAME, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(_key_pem(key))


def _builder(
    name: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, ends: datetime
) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(now - CLOCK_DIFFERENCE).not_valid_after(ends)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def utc_of(t_ns: int) -> datetime:
    """Return an instant in nanoseconds as a datetime in whole seconds."""
    return datetime.fromtimestamp(t_ns // 1_000_000_000, UTC)
