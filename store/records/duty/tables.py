"""The tables of duty. Rosters and policies are documents, as the API has them; the rows hold who they belong to."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from store.records.schema import CleanText, metadata

rosters = Table(
    "rosters",
    metadata,
    Column("id", CleanText(32), primary_key=True),
    Column("organisation_id", CleanText(32), nullable=False, index=True),
    Column("name", CleanText(200), nullable=False),
    Column("document", Text, nullable=False),
    Column("overrides", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
)

escalation_policies = Table(
    "escalation_policies",
    metadata,
    Column("id", CleanText(32), primary_key=True),
    Column("organisation_id", CleanText(32), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("document", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
)

calendar_links = Table(
    "calendar_links",
    metadata,
    Column("id", CleanText(64), primary_key=True),
    Column("roster_id", CleanText(32), nullable=False, index=True),
    Column("person_id", CleanText(32)),
    Column("created_ns", BigInteger, nullable=False),
    Column("created_by", CleanText(), nullable=False),
)

escalations = Table(
    "escalations",
    metadata,
    Column("incident_id", CleanText(64), primary_key=True),
    Column("organisation_id", CleanText(32), primary_key=True),
    Column("start_ns", BigInteger, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("begun_ns", BigInteger),
    Column("policy", Text),
    Column("count", Integer, nullable=False, server_default="0"),
)
