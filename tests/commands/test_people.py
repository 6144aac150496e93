"""`liftwatch people` and `liftwatch organisations`, and what `serve` does without accounts."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

import liftwatch
from commands.configuration_file import read
from commands.errors import Unusable
from commands.wiring.first_link import first_link
from commands.wiring.sign_in import sign_in_settings
from configuration import Configuration
from registry.roles import Role
from store.records.identity.accounts import AccountRecords
from store.records.identity.credentials import is_password

PASSWORD = "correct horse battery"


@pytest.fixture(name="folder")
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose records are in its data folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, typed: str = "", monkeypatch: pytest.MonkeyPatch | None = None) -> int:
    if monkeypatch is not None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    return liftwatch.main(arguments)


def accounts(folder: Path) -> AccountRecords:
    return AccountRecords.open(f"sqlite:///{folder}/data/records.db")


def test_the_first_administrator_is_added_with_a_typed_password(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("people", "add-administrator", "mei@example.org", "--name", "Mei", "--organisation", "City")
    assert run(*command, typed="password1234\n", monkeypatch=monkeypatch) == 2
    assert "many people have" in capsys.readouterr().err
    assert run(*command, typed=f"{PASSWORD}\n", monkeypatch=monkeypatch) == 0
    with accounts(folder) as records:
        found = records.person_of_login("mei@example.org")
        assert found is not None
        assert [(each.organisation.name, each.role) for each in found.memberships] == [("City", Role.ADMINISTRATOR)]
        kept = records.credentials(found.person_id)
        assert kept is not None
        assert is_password(kept.password_hash, PASSWORD)
    assert run(*command, typed=f"{PASSWORD}\n", monkeypatch=monkeypatch) == 2


def test_accounts_are_added_listed_disabled_and_reset(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("people", "add-administrator", "mei", "--link") == 0
    assert "/welcome?code=" in capsys.readouterr().out
    assert run("organisations", "add", "Firm", "--kind", "maintenance-firm") == 0
    assert run("organisations", "add", "Firm", "--kind", "owner") == 2
    assert run("people", "add", "li", "--organisation", "Frim", "--role", "mechanic") == 2
    assert "did you mean Firm" in capsys.readouterr().err
    assert run("people", "add", "li", "--organisation", "Firm", "--role", "mechanic") == 0
    assert run("people", "add", "export", "--organisation", "Firm", "--role", "viewer", "--machine") == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("lw_")
    assert run("people", "disable", "li") == 0
    assert run("people", "disable", "mei") == 2
    assert "nobody could administer" in capsys.readouterr().err
    assert run("people", "list") == 0
    listed = capsys.readouterr().out
    assert "li\tli\tmechanic of Firm (disabled)" in listed
    assert "export\texport\tviewer of Firm (program)" in listed
    assert run("people", "enable", "li") == 0
    assert run("people", "reset", "li") == 0
    assert "/welcome?code=" in capsys.readouterr().out
    assert run("people", "reset", "export") == 2
    assert run("people", "reset", "nobody") == 2
    assert run("organisations", "list") == 0
    assert "maintenance-firm\tFirm" in capsys.readouterr().out


# ── serve without accounts ──


def settings(folder: Path, **environment: str) -> Configuration:
    return read(None, {f"LIFTWATCH_{name}": value for name, value in environment.items()})


def test_on_loopback_the_server_starts_without_accounts(folder: Path) -> None:
    for host in ("127.0.0.1", "localhost", "::1"):
        assert first_link(settings(folder, DASHBOARDS__HOST=host)) is None


def test_any_other_address_without_accounts_is_refused_with_a_remedy(folder: Path) -> None:
    for host in ("0.0.0.0", "::", "10.1.2.3", "lifts.example"):
        with pytest.raises(Unusable, match="add-administrator"):
            first_link(settings(folder, DASHBOARDS__HOST=host))
    run("people", "add-administrator", "mei", "--link")
    assert first_link(settings(folder, DASHBOARDS__HOST="0.0.0.0")) is None


def test_where_sign_in_is_required_a_link_for_the_first_administrator_is_made(folder: Path) -> None:
    wanted = settings(folder, DASHBOARDS__HOST="0.0.0.0", SIGN_IN__REQUIRED="true")
    link = first_link(wanted)
    assert link is not None
    assert link.startswith("http://localhost:8080/welcome?code=")
    run("people", "add-administrator", "mei", "--link")
    assert first_link(wanted) is None


def test_records_that_do_not_answer_open_nothing(folder: Path) -> None:
    away = settings(folder, DASHBOARDS__HOST="0.0.0.0", RECORDS__URL="postgresql://nobody@127.0.0.1:9/none")
    assert first_link(away) is None


def test_a_provider_needs_its_secret(folder: Path) -> None:
    with pytest.raises(Unusable, match="oidc_client_secret_file"):
        sign_in_settings(settings(folder, SIGN_IN__OIDC_ISSUER="https://id.example"))
    (folder / "secret").write_text("s\n", encoding="utf-8")
    given = settings(folder, SIGN_IN__OIDC_ISSUER="https://id.example", SIGN_IN__OIDC_CLIENT_SECRET_FILE="secret")
    oidc = sign_in_settings(given).oidc
    assert oidc is not None
    assert (oidc.issuer, oidc.client_secret) == ("https://id.example", "s")
