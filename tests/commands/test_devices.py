"""`liftwatch devices` without a broker: the files written, their modes, and the messages of errors."""

from __future__ import annotations

import csv
import os
import ssl
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

import liftwatch
from commands.wiring.broker_files import reload_broker
from mqtt.mosquitto_files import is_secret_of
from registry.actor import Actor
from registry.lift_facts import LiftFacts
from store.records.devices import DeviceRecords

Run = Callable[..., int]


@pytest.fixture(name="run")
def devices_command(tmp_path: Path) -> Run:
    config = tmp_path / "liftwatch.toml"
    config.write_text(f"[monitor]\ndata_dir = '{tmp_path}/data'\n[broker]\nclient_id = 'tower'\n", encoding="utf-8")

    def run(*arguments: object) -> int:
        return liftwatch.main(["--config", str(config), "devices", *map(str, arguments)])

    return run


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def hashes(folder: Path, name: str = "passwords") -> dict[str, str]:
    lines = (folder / "data/broker" / name).read_text(encoding="utf-8").splitlines()
    return {name: hashed for name, _, hashed in (line.partition(":") for line in lines)}


def test_secrets_are_readable_by_their_owner_alone_and_stored_as_hashes(run: Run, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("device_id,lifts,credential\nA-1,,\nGW-7,A-2;A-3,certificate\n", encoding="utf-8")
    assert run("import", tmp_path / "new.csv", "--to", tmp_path / "out") == 0
    secret_names = ("passwords.csv", "GW-7.key", "GW-7.pem")
    assert [oct(rights(tmp_path / "out" / name)) for name in secret_names] == ["0o600"] * 3
    assert oct(rights(tmp_path / "data/authority/authority.key")) == "0o600"
    assert not rights(tmp_path / "data/broker/passwords") & 0o007
    with (tmp_path / "out/passwords.csv").open(encoding="utf-8", newline="") as file:
        ((device_id, password),) = list(csv.reader(file))[1:]
    assert device_id == "A-1"
    assert is_secret_of(password, hashes(tmp_path)["A-1"])
    stored = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert password.encode() not in stored


def test_a_certificate_is_signed_by_the_authority_for_signing_in_as_the_device(run: Run, tmp_path: Path) -> None:
    assert run("add", "A-1", "--certificate", "--days", 30, "--to", tmp_path / "out") == 0
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(tmp_path / "out/authority.pem"))
    context.load_cert_chain(tmp_path / "out/A-1.pem", tmp_path / "out/A-1.key")
    fields = ssl._ssl._test_decode_cert(str(tmp_path / "out/A-1.pem"))  # type: ignore[attr-defined]
    assert fields["subject"] == ((("commonName", "A-1"),),)
    assert ssl.cert_time_to_seconds(fields["notAfter"]) - ssl.cert_time_to_seconds(fields["notBefore"]) < 31 * 86_400


def test_a_file_of_secrets_is_never_overwritten_and_nothing_is_changed_then(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("add", "A-1", "--to", tmp_path / "out") == 0
    before = (tmp_path / "out/passwords.csv").read_bytes(), hashes(tmp_path)
    assert run("rotate", "A-1", "--to", tmp_path / "out") == 2
    assert "name a new or an empty folder" in capsys.readouterr().err
    assert before == ((tmp_path / "out/passwords.csv").read_bytes(), hashes(tmp_path))


def test_no_file_of_secrets_is_left_where_the_records_refuse(run: Run, tmp_path: Path) -> None:
    assert run("add", "A-1") == 0
    assert run("add", "A-0", "A-1", "--to", tmp_path / "out") == 2
    assert list((tmp_path / "out").iterdir()) == []


def test_an_import_takes_the_good_lines_and_names_the_others(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("add", "A-1") == 0
    (tmp_path / "new.csv").write_text("device_id\nA-1\nA/2\nA-3\ntower-1\n", encoding="utf-8")
    assert run("import", tmp_path / "new.csv", "--to", tmp_path / "out") == 1
    faults = capsys.readouterr().err
    assert "line 2: A-1 is a device already; rotate or revoke it" in faults
    assert "line 3: lift: 'A/2' is not an id" in faults
    assert "line 5: lift: 'tower-1' begins with 'tower', a name of Liftwatch" in faults
    assert set(hashes(tmp_path)) == {"A-1", "A-3"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["add"], "name the lifts that connect themselves, or a gateway"),
        (["add", "A-1", "--gateway", "GW-7"], "name the lifts that connect themselves, or a gateway"),
        (["add", "--gateway", "GW-7"], "lifts: is empty; name the lifts"),
        (["add", "A-1", "--certificate"], "--to: name a folder"),
        (["import", "none.csv"], "--to: name a folder"),
        (["import", "none.csv", "--to", "out"], "none.csv"),
        (["revoke", "A-9"], "A-9 is not a device"),
        (["rotate", "A-9"], "A-9 is not a device"),
    ],
)
def test_an_error_names_the_remedy(
    run: Run, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 2
    assert message in capsys.readouterr().err


def test_a_broken_authority_is_not_replaced(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("authority") == 0
    key = tmp_path / "data/authority/authority.key"
    key.write_bytes(b"")
    assert run("add", "A-1") == 2
    assert "restore both files" in capsys.readouterr().err
    assert key.read_bytes() == b""


def test_the_programs_keep_the_passwords_that_are_there(run: Run, tmp_path: Path) -> None:
    assert run("programs", "--secrets", tmp_path / "secrets") == 0
    (name,) = hashes(tmp_path, "program-passwords")
    secret = (tmp_path / "secrets" / name).read_text(encoding="utf-8")
    assert run("programs", "--demo", "--secrets", tmp_path / "secrets") == 0
    assert (len(hashes(tmp_path, "program-passwords")), hashes(tmp_path)) == (3, {})
    assert is_secret_of(secret, hashes(tmp_path, "program-passwords")[name])


def test_registered_lifts_name_their_new_devices(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lifts = [LiftFacts("A-1", "north"), LiftFacts("A-2", "north"), LiftFacts("A-3", "north", gateway_id="GW-9")]
    with DeviceRecords.open(f"sqlite:///{tmp_path}/data/records.db") as records:
        records.put_lifts(lifts, Actor.named("ann"), 1)
        assert run("add", "A-1") == 0
        assert run("add", "--gateway", "GW-7", "--lifts", "A-2,A-3,A-4") == 0
        assert {one.lift_id: one.gateway_id for one in records.registered()} == {
            "A-1": "A-1", "A-2": "GW-7", "A-3": "GW-9",
        }  # fmt: skip
    output = capsys.readouterr().err
    assert "A-3: its fact gateway_id names GW-9" in output
    assert "not registered: 1 lifts (A-4)" in output


def test_a_list_shows_each_device_and_no_secret(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("add", "A-1", "--by", "ann")
    run("add", "--gateway", "GW-7", "--lifts", "A-2,A-3", "--certificate", "--to", tmp_path / "out")
    run("revoke", "A-1")
    capsys.readouterr()
    run("list")
    first, second = (line.split("\t") for line in capsys.readouterr().out.splitlines())
    assert first[:4] == ["A-1", "lift", "revoked", "password"]
    assert first[6] == "ann"
    assert second[:4] == ["GW-7", "gateway", "valid", "certificate"]
    assert second[7] == "A-2,A-3"


def test_a_stale_process_id_signals_nobody(tmp_path: Path) -> None:
    pid_file = tmp_path / "mosquitto.pid"
    for content in ("1", "0", "-1", "", "none", str(os.getpid())):
        pid_file.write_text(content, encoding="utf-8")
        assert not reload_broker(pid_file)
    assert not reload_broker(tmp_path / "none")
    assert not reload_broker(None)
