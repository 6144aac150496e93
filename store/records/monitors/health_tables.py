"""The tables of health."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Integer, LargeBinary, Table, Text

from store.records.schema import CleanText, metadata

health = Table(
    "health",
    metadata,
    Column("lift_id", CleanText(64), primary_key=True),
    Column("district", CleanText(32), nullable=False),
    Column("version", BigInteger, nullable=False, index=True),
    Column("at_ns", BigInteger, nullable=False),
    Column("score", Float),
    Column("grade", CleanText(16)),
    Column("document", Text, nullable=False),
)

health_days = Table(
    "health_days",
    metadata,
    Column("lift_id", CleanText(64), primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("measures", LargeBinary, nullable=False),
    Column("score", Float),
    Column("grade", CleanText(16)),
    Column("parts", Text, nullable=False),
)

ended_health = Table(
    "ended_health",
    metadata,
    Column("lift_id", CleanText(64), primary_key=True),
    Column("district", CleanText(32), primary_key=True),
    Column("version", BigInteger, nullable=False, index=True),
)
"""Where a lift had a health and has none any more: it was deleted, or is in another district."""
