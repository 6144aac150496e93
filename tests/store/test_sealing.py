"""Secrets that have to be read again: sealed in the database, opened by the keys of a file beside it."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select, update

from registry.actor import Actor
from registry.roles import OrganisationKind, Role
from registry.ways import DINGTALK, MAIL, WEBHOOK
from store.records.identity.credentials import new_totp_secret
from store.records.identity.tables import people
from store.records.outbox.tables import notifications, ways
from store.records.repository import Records, SealingReport, SecretsUnreadable
from store.records.sealing.keys import SEALED, SealingKeys
from tests.alerts.rules import T0, S

BY = Actor.named("test")
HOOK, SIGNING = "https://example.org/hook?token=plain-token", "whsec_cGxhaW4tc2lnbmluZy1zZWNyZXQtMTIzNA=="
MINUTE = 60 * S


@pytest.fixture(name="key_file")
def path_of_keys(tmp_path: Path) -> Path:
    return tmp_path / "elsewhere" / "keys"


@pytest.fixture(name="records")
def opened_with_keys(url: str, key_file: Path) -> Iterator[Records]:
    with Records.open(url, key_file) as opened:
        yield opened


@pytest.fixture(name="person_id")
def account(records: Records) -> str:
    desk = records.add_organisation({"name": "Desk", "kind": OrganisationKind.OPERATOR}, BY, T0)
    ann = records.add_person("Ann", "ann", {desk.organisation_id: Role.VIEWER}, BY, T0)
    assert ann is not None
    return ann.person_id


def totp_of(records: Records, person_id: str) -> str:
    """Return the secret of TOTP of a person."""
    found = records.credentials(person_id)
    assert found is not None
    return records.totp_secret(found)


def stored(records: Records) -> str:
    """Return everything that the tables of secrets hold, as text."""
    with records._database.reading() as connection:
        return str([connection.execute(select(table)).all() for table in (people, ways, notifications)])


def code_of(records: Records) -> str:
    """Return the newest code that waits."""
    code = records.claim_notifications(T0, MINUTE, 100)[-1].notification.code
    assert code is not None
    return code


def put_back_plain(records: Records, totp: str) -> None:
    """Store a secret of each kind as versions before sealing did."""
    with records._database.writing() as connection:
        connection.execute(update(people).values(totp_secret=totp))
        connection.execute(update(ways).values(address=HOOK, secret=SIGNING))


def test_every_secret_is_sealed_and_opened_again(records: Records, person_id: str, key_file: Path) -> None:
    totp = new_totp_secret()
    records.set_totp(person_id, totp, 0, BY, T0)
    records.add_way(person_id, WEBHOOK, HOOK, SIGNING, BY, T0)
    code = code_of(records)
    held = stored(records)
    assert not any(secret in held for secret in (totp, "plain-token", SIGNING, f'"code":"{code}"'))
    assert held.count(SEALED) == 4
    (way,) = records.ways(person_id)
    assert (way.address, way.secret, totp_of(records, person_id)) == (HOOK, SIGNING, totp)
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600


def test_a_secret_that_was_copied_to_another_place_or_changed_is_not_opened(records: Records, person_id: str) -> None:
    records.set_totp(person_id, new_totp_secret(), 0, BY, T0)
    roles = {each.organisation_id: Role.VIEWER for each in records.organisations()}
    bob = records.add_person("Bob", "bob", roles, BY, T0)
    assert bob is not None
    with records._database.writing() as connection:
        sealed = str(connection.execute(select(people.c.totp_secret).where(people.c.id == person_id)).scalar())
        connection.execute(update(people).where(people.c.id == bob.person_id).values(totp_secret=sealed))
        changed = sealed[:-4] + ("AAAA" if sealed[-4:] != "AAAA" else "BBBB")
        connection.execute(update(people).where(people.c.id == person_id).values(totp_secret=changed))
    for each in (bob.person_id, person_id):
        with pytest.raises(SecretsUnreadable, match="was changed in the database"):
            totp_of(records, each)


def test_plain_secrets_of_earlier_versions_are_read_and_then_sealed(records: Records, person_id: str) -> None:
    totp = new_totp_secret()
    records.add_way(person_id, WEBHOOK, "https://example.org/other", None, BY, T0)
    put_back_plain(records, totp)
    assert (totp_of(records, person_id), records.ways(person_id)[0].address) == (totp, HOOK)
    assert records.seal_secrets() == SealingReport(sealed=3)
    assert records.seal_secrets() == SealingReport()
    assert totp not in stored(records)
    (way,) = records.ways(person_id)
    assert (totp_of(records, person_id), way.address, way.secret) == (totp, HOOK, SIGNING)


def test_sqlite_keeps_no_copy_of_a_secret_that_was_plain(tmp_path: Path) -> None:
    path = tmp_path / "records.db"
    with Records.open(f"sqlite:///{path}") as records:
        desk = records.add_organisation({"name": "Desk", "kind": OrganisationKind.OPERATOR}, BY, T0)
        assert records.add_person("Ann", "ann", {desk.organisation_id: Role.VIEWER}, BY, T0)
        put_back_plain(records, totp := new_totp_secret())
        assert totp.encode() in b"".join(each.read_bytes() for each in tmp_path.glob("records.db*"))
        assert records.seal_secrets().sealed == 1
        assert totp.encode() not in b"".join(each.read_bytes() for each in tmp_path.glob("records.db*"))
    assert (tmp_path / "records.key").exists(), "beside the file of SQLite by default"


def test_postgresql_keeps_no_copy_of_a_secret_that_was_plain_in_its_tables(postgres_url: str, key_file: Path) -> None:
    with Records.open(postgres_url, key_file) as records:
        desk = records.add_organisation({"name": "Desk", "kind": OrganisationKind.OPERATOR}, BY, T0)
        assert records.add_person("Ann", "ann", {desk.organisation_id: Role.VIEWER}, BY, T0)
        put_back_plain(records, totp := new_totp_secret())
        assert totp.encode() in table_file(records)
        assert records.seal_secrets().sealed == 1
        assert totp.encode() not in table_file(records)


def test_a_table_that_others_hold_is_sealed_and_reported_as_not_written_anew(
    postgres_url: str, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.records.sealing.secrets.LOCK_WAIT_MS", 50)
    with Records.open(postgres_url, key_file) as records:
        desk = records.add_organisation({"name": "Desk", "kind": OrganisationKind.OPERATOR}, BY, T0)
        assert records.add_person("Ann", "ann", {desk.organisation_id: Role.VIEWER}, BY, T0)
        put_back_plain(records, totp := new_totp_secret())
        with records._database.engine.connect() as reader:
            reader.execute(select(people)).all()  # holds the table until its end
            report = records.seal_secrets()
        assert report.sealed == 1
        assert report.kept.startswith("people (")
        assert "ways" not in report.kept
        assert totp not in stored(records)


def table_file(records: Records) -> bytes:
    """Return the file of the table of people of a PostgreSQL server on this machine."""
    with records._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as bare:
        bare.exec_driver_sql("CHECKPOINT")
        found = bare.exec_driver_sql("SELECT pg_read_binary_file(pg_relation_filepath('people'))").scalar()
    return bytes(found)


def test_a_key_is_replaced_by_a_line_above_it(records: Records, person_id: str, key_file: Path) -> None:
    records.set_totp(person_id, totp := new_totp_secret(), 0, BY, T0)
    records.add_way(person_id, DINGTALK, HOOK, "sign", BY, T0)
    old = key_file.read_text()
    key_file.write_text("ab" * 32 + "\n" + old)
    assert totp_of(records, person_id) == totp, "sealed by the second line"
    assert records.seal_secrets() == SealingReport(sealed=4)
    key_file.write_text("ab" * 32)
    assert (totp_of(records, person_id), records.ways(person_id)[0].address) == (totp, HOOK)
    key_file.write_text(old)
    with pytest.raises(SecretsUnreadable, match=r"lacks the key [0-9a-f]{8}: add its line from a backup"):
        totp_of(records, person_id)


def test_a_missing_key_is_reported_and_only_what_needs_it_is_refused(
    records: Records, person_id: str, key_file: Path
) -> None:
    records.set_totp(person_id, new_totp_secret(), 0, BY, T0)
    records.add_way(person_id, MAIL, "ann@example.org", None, BY, T0)
    records.add_way(person_id, WEBHOOK, HOOK, SIGNING, BY, T0)
    kept = key_file.read_text()
    key_file.unlink()
    report = records.seal_secrets()
    assert report.unreadable == 5
    assert f"restore {key_file} from a backup" in report.reason
    assert not key_file.exists(), "no new key hides that the old one is missing"
    with pytest.raises(SecretsUnreadable, match=r"records\.key_file"):
        totp_of(records, person_id)
    mail, hook = records.ways(person_id)
    assert (mail.address, mail.is_readable) == ("ann@example.org", True)
    assert (hook.address, hook.secret, hook.is_readable) == ("", None, False)
    assert {each.notification.code for each in records.claim_notifications(T0, MINUTE, 9)} == {None}
    key_file.write_text(kept)
    assert records.ways(person_id)[1].address == HOOK
    assert records.seal_secrets() == SealingReport()


def test_the_proof_of_a_label_is_of_its_lift_and_place_and_outlives_a_new_key(records: Records, key_file: Path) -> None:
    car, room = (records.label_proof("L001", place) for place in ("car", "machine-room"))
    assert re.fullmatch("[a-z2-7]{16}", car), "80 bits"
    assert (records.place_of_label("L001", car), records.place_of_label("L001", room)) == ("car", "machine-room")
    old = key_file.read_text()
    assert {records.place_of_label("L002", car), records.place_of_label("L001", car[:-1])} == {None}
    key_file.write_text("ab" * 32 + "\n" + old)
    assert records.place_of_label("L001", car) == "car"
    assert records.label_proof("L001", "car") != car
    key_file.write_text("ab" * 32)
    assert records.place_of_label("L001", car) is None, "without the old key the printed labels prove nothing"
    key_file.unlink()
    assert records.place_of_label("L001", car) is None


@pytest.mark.parametrize(
    ("content", "complaint"),
    [("", "has no key"), ("xyz", "cannot be read"), ("ab" * 31, "62 digits"), ("é", "cannot be read")],
)
def test_a_file_without_valid_keys_is_refused_with_its_form(tmp_path: Path, content: str, complaint: str) -> None:
    path = tmp_path / "keys"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SecretsUnreadable, match=complaint) as raised:
        SealingKeys(path).seal("secret", "place")
    assert "64 hexadecimal digits" in str(raised.value)


def test_a_folder_that_cannot_be_written_and_no_file_at_all_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SecretsUnreadable, match=r"cannot be written to .*file/keys"):
        SealingKeys(tmp_path / "file" / "keys").create()
    with pytest.raises(SecretsUnreadable, match=r"set records\.key_file"):
        SealingKeys(None).seal("secret", "place")


def test_of_many_that_create_the_file_one_does(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: SealingKeys(path).create(), range(8)))
    assert made.count(True) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["keys"]
    assert SealingKeys(path).unseal(SealingKeys(path).seal("secret", "place"), "place") == "secret"
