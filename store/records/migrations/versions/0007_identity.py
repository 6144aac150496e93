"""Organisations and accounts; every organisation that a registered lift names is created."""

from __future__ import annotations

import secrets
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

KINDS = (
    ("maintenance_firm", "maintenance-firm"), ("owner", "owner"), ("manufacturer", "manufacturer"),
    ("insurer", "insurer"),
)  # fmt: skip
TABLES = ("organisations", "organisation_names", "people", "memberships", "sessions", "tokens", "one_time_links")


def text(name: str, chars: int | None = None, nullable: bool = False, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(chars), nullable=nullable, primary_key=primary_key)


def number(name: str, nullable: bool = False, default: str | None = None) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable, server_default=default)


def flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())


def upgrade() -> None:
    """Create the tables, and the organisations that lifts name."""
    organisations, names = create_organisations()
    create_accounts()
    create_secrets()
    firms = organisations_of_lifts(op.get_bind())
    if firms:
        op.bulk_insert(organisations, [firm for firm, _ in firms])
        op.bulk_insert(names, [row for _, rows in firms for row in rows])


def create_organisations() -> tuple[sa.Table, sa.Table]:
    organisations = op.create_table(
        "organisations",
        text("id", 32, primary_key=True),
        text("kind", 32),
        text("name", 200),
        text("name_en", 200, nullable=True),
        text("name_zh", 200, nullable=True),
        sa.Column("districts", sa.Text(), nullable=False),
        sa.Column("telephones", sa.Text(), nullable=False),
        text("duty_telephone", 64, nullable=True),
        text("address", 200, nullable=True),
        sa.Column("settings", sa.Text(), nullable=False),
        number("closed_ns", nullable=True),
        number("revision"),
    )
    names = op.create_table(
        "organisation_names",
        text("name", 200, primary_key=True),
        text("name_key"),
        text("organisation_id", 32),
    )
    op.create_index("ix_organisation_names_name_key", "organisation_names", ["name_key"])
    op.create_index("ix_organisation_names_organisation_id", "organisation_names", ["organisation_id"])
    return organisations, names


def create_accounts() -> None:
    op.create_table(
        "people",
        text("id", 32, primary_key=True),
        text("name", 200),
        text("login", 100),
        text("login_key"),
        text("language", 8, nullable=True),
        flag("is_machine"),
        flag("is_disabled"),
        text("password_hash", 200, nullable=True),
        text("totp_secret", 64, nullable=True),
        number("totp_step", default="0"),
        text("oidc_issuer", 300, nullable=True),
        text("oidc_subject", 300, nullable=True),
        number("created_ns"),
        number("revision"),
        sa.UniqueConstraint("login_key"),
    )
    op.create_index("one_person_a_subject", "people", ["oidc_issuer", "oidc_subject"], unique=True)
    op.create_table(
        "memberships",
        text("person_id", 32, primary_key=True),
        text("organisation_id", 32, primary_key=True),
        text("role", 32),
    )
    op.create_index("ix_memberships_organisation_id", "memberships", ["organisation_id"])


def create_secrets() -> None:
    op.create_table(
        "sessions",
        text("id", 64, primary_key=True),
        text("person_id", 32),
        text("organisation_id", 32, nullable=True),
        number("created_ns"),
        number("used_ns"),
        text("address", 64),
        text("agent", 300),
    )
    op.create_table(
        "tokens",
        text("id", 64, primary_key=True),
        text("person_id", 32),
        text("organisation_id", 32),
        text("name", 200),
        number("created_ns"),
        number("expires_ns"),
        number("used_ns", nullable=True),
    )
    op.create_table(
        "one_time_links",
        text("id", 64, primary_key=True),
        text("person_id", 32, nullable=True),
        number("created_ns"),
        number("expires_ns"),
    )
    for table in ("sessions", "tokens", "one_time_links"):
        op.create_index(f"ix_{table}_person_id", table, ["person_id"])


def organisations_of_lifts(connection: sa.Connection) -> list[tuple[dict[str, object], list[dict[str, str]]]]:
    """Return an organisation with its names for each name in the facts of registered lifts."""
    found: dict[str, tuple[dict[str, object], list[dict[str, str]]]] = {}
    spelled: set[str] = set()
    for fact, kind in KINDS:
        query = f"SELECT DISTINCT {fact} FROM lifts WHERE registered AND {fact} IS NOT NULL ORDER BY {fact}"  # nosec B608
        for name in connection.execute(sa.text(query)).scalars().all():
            if name in spelled:
                continue
            spelled.add(name)
            key = " ".join(unicodedata.normalize("NFKC", name).split())
            row, names = found.setdefault(key, ({"id": secrets.token_hex(8), "kind": kind, "name": name, **EMPTY}, []))
            names.append({"name": name, "name_key": key, "organisation_id": str(row["id"])})
    return list(found.values())


EMPTY = {"districts": "[]", "telephones": "[]", "settings": "{}", "revision": 0}


def downgrade() -> None:
    """Remove the tables; accounts and the details of organisations are lost."""
    for table in TABLES:
        op.drop_table(table)
