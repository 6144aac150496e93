"""The tables of organisations and accounts. Secrets are stored as hashes: a copy of the database opens no session.

The secret of TOTP has to be read again; it is sealed with a key outside the database (`store.records.sealing`).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text, false

from store.records.schema import CleanText, metadata

organisations = Table(
    "organisations",
    metadata,
    Column("id", CleanText(32), primary_key=True),
    Column("kind", CleanText(32), nullable=False),
    Column("name", CleanText(200), nullable=False),
    Column("name_en", CleanText(200)),
    Column("name_zh", CleanText(200)),
    Column("districts", Text, nullable=False),
    Column("telephones", Text, nullable=False),
    Column("duty_telephone", CleanText(64)),
    Column("address", CleanText(200)),
    Column("settings", Text, nullable=False),
    Column("closed_ns", BigInteger),
    Column("revision", BigInteger, nullable=False),
)

organisation_names = Table(
    "organisation_names",
    metadata,
    Column("name", CleanText(200), primary_key=True),
    Column("name_key", CleanText(), nullable=False, index=True),
    Column("organisation_id", CleanText(32), nullable=False, index=True),
)

people = Table(
    "people",
    metadata,
    Column("id", CleanText(32), primary_key=True),
    Column("name", CleanText(200), nullable=False),
    Column("login", CleanText(100), nullable=False),
    Column("login_key", CleanText(), nullable=False, unique=True),
    Column("language", CleanText(8)),
    Column("is_machine", Boolean, nullable=False, server_default=false()),
    Column("is_disabled", Boolean, nullable=False, server_default=false()),
    Column("password_hash", CleanText(200)),
    Column("totp_secret", Text),
    Column("totp_step", BigInteger, nullable=False, server_default="0"),
    Column("oidc_issuer", CleanText(300)),
    Column("oidc_subject", CleanText(300)),
    Column("created_ns", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
)
Index("one_person_a_subject", people.c.oidc_issuer, people.c.oidc_subject, unique=True)

memberships = Table(
    "memberships",
    metadata,
    Column("person_id", CleanText(32), primary_key=True),
    Column("organisation_id", CleanText(32), primary_key=True, index=True),
    Column("role", CleanText(32), nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", CleanText(64), primary_key=True),
    Column("person_id", CleanText(32), nullable=False, index=True),
    Column("organisation_id", CleanText(32)),
    Column("created_ns", BigInteger, nullable=False),
    Column("used_ns", BigInteger, nullable=False),
    Column("address", CleanText(64), nullable=False),
    Column("agent", CleanText(300), nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", CleanText(64), primary_key=True),
    Column("person_id", CleanText(32), nullable=False, index=True),
    Column("organisation_id", CleanText(32), nullable=False),
    Column("name", CleanText(200), nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger, nullable=False),
    Column("used_ns", BigInteger),
)

sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    Column("key_hash", CleanText(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_ns", BigInteger, nullable=False, index=True),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("id", CleanText(64), primary_key=True),
    Column("person_id", CleanText(32), nullable=False, index=True),
    Column("created_ns", BigInteger, nullable=False),
)

one_time_links = Table(
    "one_time_links",
    metadata,
    Column("id", CleanText(64), primary_key=True),
    Column("person_id", CleanText(32), index=True),
    Column("created_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger, nullable=False),
)
