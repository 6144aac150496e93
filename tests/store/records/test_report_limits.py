"""Limits of reports of the public page, in the records: shared by processes, and none counts where one is full."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from store.records.incidents.tables import report_limits
from store.records.repository import Records, ReportRate
from tests.alerts.rules import T0, S

TWO_A_MINUTE = ReportRate(3, 1 / 30)


def kept(records: Records) -> int:
    with records._database.reading() as connection:
        return connection.execute(select(func.count()).select_from(report_limits)).scalar_one()


def test_a_burst_is_taken_and_then_one_in_its_time(records: Records) -> None:
    assert [records.take_report({"a": TWO_A_MINUTE}, T0 + n) for n in range(5)] == [True] * 3 + [False] * 2
    assert not records.take_report({"a": TWO_A_MINUTE}, T0 + 29 * S)
    assert [records.take_report({"a": TWO_A_MINUTE}, T0 + 31 * S + n) for n in range(2)] == [True, False]
    assert records.take_report({"b": TWO_A_MINUTE}, T0), "another key has its own"


def test_processes_share_the_limits(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/records.db"
    with Records.open(url) as one, Records.open(url) as other:
        taken = [each.take_report({"a": TWO_A_MINUTE}, T0) for each in (one, other, one, other)]
    assert taken == [True, True, True, False]


def test_where_one_limit_is_full_the_report_counts_for_none(records: Records) -> None:
    one = ReportRate(1, 1 / 60)
    assert records.take_report({"a": one}, T0)
    for _ in range(5):
        assert not records.take_report({"b": TWO_A_MINUTE, "a": one}, T0)
    assert [records.take_report({"b": TWO_A_MINUTE}, T0) for _ in range(4)] == [True, True, True, False]


def test_what_is_over_is_deleted(records: Records) -> None:
    for n in range(20):
        records.take_report({f"a{n}": TWO_A_MINUTE}, T0)
    records.take_report({"b": TWO_A_MINUTE}, T0 + 3600 * S)
    assert kept(records) == 1


@given(st.integers(1, 50), st.integers(1, 600), st.integers(-(10**19), 10**19))
def test_a_clock_that_was_set_back_locks_nobody_out_for_long(burst: int, each_s: int, paid_ns: int) -> None:
    rate = ReportRate(burst, 1 / each_s)
    assert rate.paid_after(paid_ns, T0 + (burst * each_s + 1) * S) is not None or paid_ns > T0
    later_ns = T0
    for _ in range(3):
        after = rate.paid_after(paid_ns, later_ns)
        paid_ns = paid_ns if after is None else after
        later_ns += (burst + 1) * each_s * S
    assert rate.paid_after(min(paid_ns, later_ns), later_ns) is not None
