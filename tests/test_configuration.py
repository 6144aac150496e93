"""The configuration: one file, the environment over it, and one clear line for whatever is wrong."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from commands import configuration_file
from commands.errors import Unusable
from commands.wiring.rules import tuned_rules
from configuration import Configuration, DetectionSettings, WebhookSettings

EXAMPLE = Path(__file__).parent.parent / "liftwatch.example.toml"


def written(folder: Path, text: str) -> Path:
    path = folder / "liftwatch.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_example_states_every_default() -> None:
    assert configuration_file.read(EXAMPLE, {}) == Configuration()


def test_the_example_with_every_comment_taken_off_names_every_key() -> None:
    bare = re.sub(r"(?m)^# (?=\[|\w+ = )", "", EXAMPLE.read_text(encoding="utf-8"))
    tables = tomllib.loads(bare)
    assert set(tables) == set(Configuration.model_fields)
    for name in ("broker", "records", "timeseries", "monitor", "dashboards", "map", "sign_in", "notifications"):
        assert set(tables[name]) == set(type(getattr(Configuration(), name)).model_fields), name
    for name in ("mail", "sms", "voice", "push"):
        assert set(tables["notifications"][name]) == set(configuration_file.known_keys(("notifications", name))), name
    assert set(tables["webhooks"][0]) == set(WebhookSettings.model_fields)
    assert set(tables.pop("detection")) == set(DetectionSettings.model_fields)  # its file is not there
    tuned_rules(Configuration.model_validate(tables))


def test_the_environment_stands_over_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, '[broker]\nhost = "one"\nport = 1\n')
    read = configuration_file.read(
        path, {"LIFTWATCH_BROKER__HOST": "two", "LIFTWATCH_BROKER__USERNAME": "", "HOME": "x"}
    )
    assert (read.broker.host, read.broker.port, read.broker.username) == ("two", 1, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[broker]\nhots = "x"', "unknown key broker.hots; did you mean host?"),
        ("[brokr]\nport = 1", "unknown key brokr; did you mean broker?"),
        ("[broker]\nport = 99999", "broker.port = 99999"),
        (
            "[notifications.mail]\nhost = 'x'\nsender = 'a@x.org'\nprot = 1",
            "unknown key notifications.mail.prot; did you mean port?",
        ),
        ('[timeseries]\nkind = "paper"', "timeseries.kind = 'paper'"),
        ("[rules.overspeed]\ndangerous = nan", "rules.overspeed.dangerous = nan"),
        ("[broker", "is not TOML"),
        ('[[webhooks]]\nname = "a"\nurl = "ftp://x"\nsecret_file = "s"', "webhooks.0.url"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_it(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(Unusable) as wrong:
        configuration_file.read(written(tmp_path, text), {})
    assert message in str(wrong.value)
    assert "\n" not in str(wrong.value)


def test_a_variable_that_fits_no_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=r"unknown key broker\.prot; did you mean port"):
        configuration_file.read(None, {"LIFTWATCH_BROKER__PROT": "1"})


def test_a_missing_file_is_reported_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="--config"):
        configuration_file.read(tmp_path / "none.toml", {})
    with pytest.raises(Unusable, match=r"broker\.password_file"):
        configuration_file.read(written(tmp_path, f"[broker]\npassword_file = '{tmp_path}/none'"), {}).broker.password()


def test_a_key_that_moved_is_refused_with_its_new_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(configuration_file.MOVED_KEYS, "monitor.inbox", "broker.receive_maximum")
    monkeypatch.setitem(configuration_file.MOVED_KEYS, "storage.folder", "monitor.data_dir")
    for text, message in (
        ("[monitor]\ninbox = 3", "monitor.inbox moved to broker.receive_maximum"),
        ("[storage]\nfolder = 'x'", "storage.folder moved to monitor.data_dir"),
    ):
        path = written(tmp_path, text)
        with pytest.raises(Unusable) as wrong:
            configuration_file.read(path, {})
        assert str(wrong.value) == f"{path}: {message}"
    with pytest.raises(Unusable, match=r"monitor\.inbox moved to broker\.receive_maximum"):
        configuration_file.read(None, {"LIFTWATCH_MONITOR__INBOX": "3"})
    assert configuration_file.read(None, {}) == Configuration()


def test_every_moved_key_is_gone_and_its_new_place_is_known() -> None:
    for old, new in configuration_file.MOVED_KEYS.items():
        section, _, key = old.partition(".")
        assert section not in Configuration.model_fields or key not in configuration_file.known_keys((section,)), old
        section, _, key = new.partition(".")
        assert key in configuration_file.known_keys((section,)), new


def test_a_byte_order_mark_is_accepted_in_the_configuration_and_in_a_secret(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("\ufeffs3cret\n", encoding="utf-8")
    document = f"\ufeff[timeseries]\nkind = 'influxdb'\ntoken_file = '{tmp_path / 'token'}'\n"
    (tmp_path / "liftwatch.toml").write_text(document, encoding="utf-8")
    settings = configuration_file.read(tmp_path / "liftwatch.toml", {})
    assert (settings.timeseries.kind, settings.timeseries.token()) == ("influxdb", "s3cret")


def test_a_configuration_in_another_encoding_names_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "liftwatch.toml").write_bytes("# 电梯\n".encode("utf-16"))
    with pytest.raises(Unusable, match="not UTF-8 at byte 0; save it as UTF-8"):
        configuration_file.read(tmp_path / "liftwatch.toml", {})
