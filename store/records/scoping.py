"""Scopes as SQL: the condition that limits a query to the lifts of a scope, and to the rows that belong to them."""

from __future__ import annotations

from sqlalchemy import Column, ColumnElement, and_, false, or_, select, true

from registry.scope import LiftScope
from store.records.schema import alerts, lifts


def lifts_in(scope: LiftScope) -> ColumnElement[bool]:
    """Return the condition on `lifts` that a lift is in the scope."""
    if scope.everything:
        return true()
    conditions: list[ColumnElement[bool]] = []
    if scope.districts:
        conditions.append(lifts.c.district.in_(sorted(scope.districts)))
    if scope.names:
        conditions += [lifts.c[fact].in_(sorted(scope.names)) for fact in scope.facts]
    return or_(false(), *conditions)


def alerts_in(scope: LiftScope) -> ColumnElement[bool]:
    """Return the condition that an alert belongs to a lift in the scope."""
    return rows_in(scope, alerts.c.lift_id, alerts.c.district)


def rows_in(scope: LiftScope, lift_id: Column[str], district: Column[str] | None = None) -> ColumnElement[bool]:
    """Return the condition on a table with these columns that a row belongs to a lift in the scope.

    The row of a deleted lift belongs to the authority of the `district` in the row, where the table has one.
    """
    if scope.everything:
        return true()
    inside = lift_id.in_(select(lifts.c.lift_id).where(lifts_in(scope)))
    if district is None or not scope.districts:
        return inside
    is_deleted = lift_id.not_in(select(lifts.c.lift_id))
    return or_(inside, and_(district.in_(sorted(scope.districts)), is_deleted))
