"""Ways of people and their codes, and links that answer once, in SQLite and in PostgreSQL."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from alerts.notification import CODE
from registry.actor import Actor
from registry.ways import MAIL, SMS, WAYS_LIMIT, WEBHOOK, shown_address
from store.records.outbox.answer_links import ACCEPT, ACKNOWLEDGE, LINK_LIVES_NS
from store.records.outbox.tables import answer_links, ways
from store.records.outbox.ways import CODE_LIVES_NS, CODE_TRIES, CODES_AN_HOUR, HOUR_NS
from store.records.repository import AuditFilter, Records, TooManyWays
from tests.alerts.rules import T0, S

ANN = Actor("Ann", "person:ann", "Desk", "dispatcher", "127.0.0.1")
MINUTE = 60 * S


def sent_code(records: Records, now_ns: int = T0) -> str:
    """Return the newest code in the outbox."""
    waiting = records.claim_notifications(now_ns, MINUTE, 100)
    code = waiting[-1].notification.code
    assert (waiting[-1].notification.kind, code is not None) == (CODE, True)
    return code or ""


def test_a_way_is_used_after_its_code_was_given_back(records: Records) -> None:
    way = records.add_way("ann", MAIL, "ann@example.org", None, ANN, T0)
    assert not way.is_verified
    code = sent_code(records)
    assert len(code) == 6
    wrong = f"{(int(code) + 1) % 10**6:06}"
    assert records.verify_way("ann", way.way_id, wrong, ANN, T0) is None
    assert records.verify_way("bob", way.way_id, code, ANN, T0) is None
    verified = records.verify_way("ann", way.way_id, f" {code[:3]} {code[3:]} ", ANN, T0 + MINUTE)
    assert verified is not None
    assert verified.verified_ns == T0 + MINUTE
    assert records.verify_way("ann", way.way_id, code, ANN, T0 + MINUTE) is None


def test_a_code_ends_after_ten_minutes_and_after_few_wrong_tries(records: Records) -> None:
    way = records.add_way("ann", SMS, "+8613800138000", None, ANN, T0)
    code = sent_code(records)
    assert records.verify_way("ann", way.way_id, code, ANN, T0 + CODE_LIVES_NS) is None
    for _ in range(CODE_TRIES):
        assert records.verify_way("ann", way.way_id, "x", ANN, T0) is None
    assert records.verify_way("ann", way.way_id, code, ANN, T0) is None
    records.send_way_code("ann", way.way_id, ANN, T0 + MINUTE)
    again = sent_code(records, T0 + MINUTE)
    assert records.verify_way("ann", way.way_id, again, ANN, T0 + MINUTE) is not None


def test_codes_are_stored_as_hashes(records: Records) -> None:
    way = records.add_way("ann", MAIL, "ann@example.org", None, ANN, T0)
    code = sent_code(records)
    with records._database.reading() as connection:
        stored = connection.execute(select(ways.c.code_hash).where(ways.c.id == way.way_id)).scalar()
    assert stored is not None
    assert code not in stored


def test_nobody_can_have_strangers_called_without_end(records: Records) -> None:
    way = records.add_way("ann", SMS, "+8613800138000", None, ANN, T0)
    for _ in range(CODES_AN_HOUR - 1):
        records.send_way_code("ann", way.way_id, ANN, T0)
    with pytest.raises(TooManyWays, match="an hour"):
        records.send_way_code("ann", way.way_id, ANN, T0)
    with pytest.raises(TooManyWays, match="an hour"):
        records.add_way("ann", SMS, "+8613800138001", None, ANN, T0)
    assert records.add_way("bob", SMS, "+8613800138001", None, ANN, T0)
    assert records.send_way_code("ann", way.way_id, ANN, T0 + HOUR_NS)


def test_a_person_has_few_ways_and_none_twice(records: Records) -> None:
    for number in range(WAYS_LIMIT):
        records.add_way("ann", MAIL, f"ann{number}@example.org", None, ANN, T0 + number * HOUR_NS)
    assert records.add_way("ann", MAIL, "ann3@example.org", None, ANN, T0) == records.ways("ann")[3]
    with pytest.raises(TooManyWays, match=f"at most {WAYS_LIMIT}"):
        records.add_way("ann", MAIL, "more@example.org", None, ANN, T0 + 99 * HOUR_NS)


def test_ways_have_an_order(records: Records) -> None:
    made = [records.add_way("ann", MAIL, f"{name}@example.org", None, ANN, T0).way_id for name in "abc"]
    assert [each.way_id for each in records.ways("ann")] == made
    wanted = [made[2], made[0], made[1]]
    ordered = records.order_ways("ann", wanted, ANN, T0)
    assert ordered is not None
    assert [each.way_id for each in ordered] == wanted
    assert records.order_ways("ann", made[:2], ANN, T0) is None
    assert records.order_ways("bob", wanted, ANN, T0) is None
    assert records.remove_way("ann", made[0], ANN, T0)
    assert not records.remove_way("bob", made[1], ANN, T0)
    assert [each.way_id for each in records.ways("ann")] == [made[2], made[1]]
    assert list(records.ways_of(["ann", "bob"])) == ["ann"]


def test_the_audit_log_has_each_change_and_no_token(records: Records) -> None:
    url = "https://example.org/hook?token=secret-token"
    way = records.add_way("ann", WEBHOOK, url, "whsec_abc", ANN, T0)
    records.verify_way("ann", way.way_id, sent_code(records), ANN, T0)
    records.order_ways("ann", [way.way_id], ANN, T0)
    records.remove_way("ann", way.way_id, ANN, T0)
    rows = records.audit(AuditFilter()).items
    assert [row.action for row in rows] == ["way.remove", "way.order", "way.verify", "way.add"]
    assert "secret-token" not in str(rows)
    assert "whsec" not in str(rows)


@pytest.mark.parametrize(
    ("kind", "address", "shown"),
    [
        ("mail", "ann@example.org", "ann@example.org"),
        ("sms", "+8613800138000", "…8000"),
        ("webhook", "https://u:p@example.org/hook?token=abcdefgh", "https://example.org/…efgh"),
        ("dingtalk", "https://oapi.dingtalk.com/robot/send?access_token=abc12345", "https://oapi.dingtalk.com/…2345"),
        ("apprise", "tgram://123:secret/4", "tgram://…"),
        ("push", '{"endpoint": "https://push.example/secret"}', ""),
    ],
)
def test_tokens_in_addresses_are_not_shown(kind: str, address: str, shown: str) -> None:
    assert shown_address(kind, address) == shown


def test_a_link_answers_once_for_half_an_hour(records: Records) -> None:
    made = records.add_answer_links("ann", "i1", (ACKNOWLEDGE, ACCEPT), T0)
    assert len(set(made.values())) == 2
    link = records.answer_link(made[ACKNOWLEDGE])
    assert link is not None
    assert (link.person_id, link.incident_id, link.action) == ("ann", "i1", ACKNOWLEDGE)
    assert records.use_answer_link(link, T0 + MINUTE)
    assert not records.use_answer_link(link, T0 + MINUTE)
    used = records.answer_link(made[ACKNOWLEDGE])
    assert used is not None
    assert used.used_ns == T0 + MINUTE
    other = records.answer_link(made[ACCEPT])
    assert other is not None
    assert not records.use_answer_link(other, T0 + LINK_LIVES_NS)
    assert records.answer_link("guessed") is None


def test_links_are_stored_as_hashes_and_removed_when_they_are_old(records: Records) -> None:
    made = records.add_answer_links("ann", "i1", (ACKNOWLEDGE,), T0)
    with records._database.reading() as connection:
        assert made[ACKNOWLEDGE] not in str(connection.execute(select(answer_links)).all())
    records.add_answer_links("ann", "i2", (), T0 + LINK_LIVES_NS + 25 * HOUR_NS)
    assert records.answer_link(made[ACKNOWLEDGE]) is None
