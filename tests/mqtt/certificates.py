"""A certificate authority of a test's own, and a broker's certificate that it has signed, by the openssl program."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

NAME = "localhost"
"""The only name in the broker's certificate: `127.0.0.1` is not in it."""
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
LACKING = "no openssl on PATH (Debian: openssl)"


@dataclass(frozen=True)
class Certificates:
    """The files of an authority and of a broker."""

    ca: Path
    certificate: Path
    key: Path


def make_certificates(folder: Path) -> Certificates:
    """Make both in `folder`, or skip the test."""
    if shutil.which("openssl") is None:
        pytest.skip(LACKING)
    folder.mkdir(exist_ok=True)
    made = Certificates(folder / "ca.pem", folder / "broker.pem", folder / "broker.key")
    ca_key = folder / "ca.key"
    openssl(*KEY, "-keyout", ca_key, "-out", made.ca, "-subj", "/CN=Authority of a test")
    signed = ("-CA", made.ca, "-CAkey", ca_key, "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}")
    openssl(*KEY, "-keyout", made.key, "-out", made.certificate, *signed, "-addext", "basicConstraints=CA:false")
    return made


def openssl(*arguments: str | Path) -> None:
    """Run `openssl req -x509`."""
    subprocess.run(["openssl", "req", "-x509", *arguments], check=True, capture_output=True)
