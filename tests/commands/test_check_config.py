"""`liftwatch check-config` against real servers: every fault is one line with its key and remedy, and all at once."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psycopg
import pytest
from influxdb_client import InfluxDBClient, Permission, PermissionResource

import liftwatch
from commands.wiring import broker as broker_wiring
from store.records.repository import Records
from store.series.connect import open_timeseries
from tests.broker import Broker
from tests.loopback import free_port
from tests.mqtt.brokers import USER, TlsBroker
from tests.mqtt.certificates import NAME, make_certificates
from tests.notify.receivers import mail_receiver
from tests.store.influxd import Influx

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that is not there is not waited for as long as one that may be starting."""
    monkeypatch.setattr(broker_wiring, "FIRST_ANSWER_S", 2.0)


class Checked:
    """A configuration file that is checked, and the lines that come out of it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys

    def faults(self, text: str) -> dict[str, str]:
        """Check a configuration; return the fault of each key, which there are if and only if the exit code is 2."""
        path = self.folder / "liftwatch.toml"
        path.write_text(text, encoding="utf-8")
        code = liftwatch.main(["--config", str(path), "check-config"])
        output = self._capsys.readouterr()
        assert "Traceback" not in output.err
        lines = [line.removeprefix("FAULT  ") for line in output.out.splitlines() if line.startswith("FAULT  ")]
        assert (code == 2) == bool(lines), output
        return dict(line.split(": ", 1) for line in lines)


@pytest.fixture
def checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Checked:
    return Checked(tmp_path, capsys)


@contextmanager
def http_server(statuses: Mapping[str, int]) -> Iterator[str]:
    """Give the address of a server that answers each path with a status, and all others with 405."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(statuses.get(self.path.split("?")[0], 405))
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(b'{"name": "influxdb", "status": "fail", "message": "starting"}')

        do_HEAD = do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def influx_settings(influx: Influx, folder: Path, **changes: str) -> str:
    settings = {"url": influx.url, "org": influx.org, "token": influx.token} | changes
    (folder / "token").write_text(settings.pop("token"), encoding="utf-8")
    keys = "".join(f"{key} = '{value}'\n" for key, value in settings.items())
    return f"[timeseries]\nkind = 'influxdb'\ntoken_file = '{folder}/token'\n{keys}"


def test_everything_that_is_absent_is_reported_at_once(checked: Checked) -> None:
    taken = checked.folder / "file"
    taken.write_text("", encoding="utf-8")
    faults = checked.faults(
        f"""
        [broker]
        port = {free_port()}
        [monitor]
        data_dir = "{taken}/data"
        [timeseries]
        kind = "influxdb"
        url = "http://127.0.0.1:{free_port()}"
        token_file = "{checked.folder}/none"
        [rules.overspeed]
        dangerus = 1.2
        [rules.overspede]
        dangerous = 1.2
        [[webhooks]]
        name = "desk"
        url = "http://127.0.0.1:{free_port()}/hook"
        secret_file = "{taken}"
        """
    )
    remedies = {
        "broker": "set broker.host and broker.port",
        "monitor.data_dir": "or set monitor.data_dir to another one",
        "records.url": "or set records.url to another one",
        "records.key_file": "or set records.key_file to another one",
        "timeseries.url": "or set timeseries.url",
        "timeseries.token_file": "create it with the secret in it",
        "webhooks.desk.secret_file": "write whsec_ and at least 24 random bytes in base64",
        "webhooks.desk.url": "or correct the address",
        "rules.overspeed": "did you mean dangerous?",
        "rules.overspede": "did you mean overspeed?",
    }
    assert set(faults) == set(remedies)
    for key, remedy in remedies.items():
        assert faults[key].endswith(remedy)


def test_a_check_makes_nothing(checked: Checked, broker: Broker) -> None:
    data = checked.folder / "deep" / "data"
    assert checked.faults(f"[broker]\nport = {broker.port}\n[monitor]\ndata_dir = '{data}'\n") == {}
    assert not data.parent.exists()


def test_a_refused_password_names_the_user_and_an_unreadable_one_its_key(checked: Checked, tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)
    broker = TlsBroker(tmp_path, certificates)
    try:
        wrong = tmp_path / "wrong"
        wrong.write_text("not the password", encoding="utf-8")

        def faults(password_file: Path, ca_file: Path) -> dict[str, str]:
            return checked.faults(
                f"[broker]\nhost = '{NAME}'\nport = {broker.port}\nusername = '{USER}'\ntls = true\n"
                f"password_file = '{password_file}'\nca_file = '{ca_file}'\n[monitor]\ndata_dir = '{tmp_path}'\n"
            )

        assert faults(broker.password_file, certificates.ca) == {}
        assert f"refuses the user '{USER}'" in faults(wrong, certificates.ca)["broker"]
        both = faults(tmp_path / "none", wrong)
        assert set(both) == {"broker.password_file", "broker.ca_file"}
        assert "name the PEM file" in both["broker.ca_file"]
    finally:
        broker.stop()


def test_an_endpoint_that_answers_anything_is_there(checked: Checked, broker: Broker) -> None:
    (checked.folder / "secret").write_text(SECRET, encoding="utf-8")
    with http_server({}) as url:
        faults = checked.faults(
            f"[broker]\nport = {broker.port}\n[monitor]\ndata_dir = '{checked.folder}'\n"
            f"[[webhooks]]\nname = 'desk'\nurl = '{url}/hook'\nsecret_file = '{checked.folder}/secret'\n"
        )
    assert faults == {}


@pytest.mark.parametrize(
    ("statuses", "key", "message"),
    [
        ({"/health": 503}, "timeseries.url", "starting"),
        ({"/health": 404}, "timeseries.url", "start an InfluxDB 2 there"),
        ({"/health": 200}, "timeseries.url", "not healthy: starting"),
    ],
)
def test_a_server_that_is_no_healthy_influxdb_is_a_fault(
    checked: Checked, broker: Broker, statuses: dict[str, int], key: str, message: str
) -> None:
    with http_server(statuses) as url:
        settings = influx_settings(Influx(url, "token", "org"), checked.folder)
        faults = checked.faults(f"[broker]\nport = {broker.port}\n[monitor]\ndata_dir = '{checked.folder}'\n{settings}")
    assert set(faults) == {key}
    assert message in faults[key]


def test_a_token_must_be_able_to_write_to_the_buckets(checked: Checked, broker: Broker, influx: Influx) -> None:
    head = f"[broker]\nport = {broker.port}\n[monitor]\ndata_dir = '{checked.folder}'\n"
    assert checked.faults(head + influx_settings(influx, checked.folder)) == {}
    open_timeseries(influx.url, token=influx.token, org=influx.org).close()
    assert checked.faults(head + influx_settings(influx, checked.folder)) == {}
    wrong_token = checked.faults(head + influx_settings(influx, checked.folder, token="wrong"))
    assert "the token is missing or wrong" in wrong_token["timeseries"]
    assert "timeseries.token_file" in wrong_token["timeseries"]
    wrong_org = checked.faults(head + influx_settings(influx, checked.folder, org="nobody"))
    assert "does the organisation 'nobody' exist" in wrong_org["timeseries"]
    reader = checked.faults(head + influx_settings(influx, checked.folder, token=reading_token(influx)))
    assert "may the token read and write" in reader["timeseries"]


def reading_token(influx: Influx) -> str:
    """Return a token that may read everything of the organisation that the monitor uses, and write nothing."""
    with InfluxDBClient(influx.url, influx.token) as client:
        (org,) = client.organizations_api().find_organizations(org=influx.org)
        kinds = ("buckets", "tasks", "orgs")
        permissions = [Permission("read", PermissionResource(type=kind, org_id=org.id)) for kind in kinds]
        return str(client.authorizations_api().create_authorization(org.id, permissions).token)


def test_records_of_a_newer_version_are_a_fault_and_those_of_none_are_left_as_they_are(
    checked: Checked, broker: Broker, postgres_url: str
) -> None:
    settings = (
        f"[broker]\nport = {broker.port}\n[monitor]\ndata_dir = '{checked.folder}'\n[records]\nurl = '{postgres_url}'"
    )
    assert checked.faults(settings) == {}
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT to_regclass('lifts')").fetchone() == (None,)
    Records.open(postgres_url).close()
    assert checked.faults(settings) == {}
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        assert "made by a newer version" in checked.faults(settings)["records.url"]
        connection.execute("DROP TABLE alembic_version")


def test_a_file_that_is_no_database_is_a_fault(checked: Checked, broker: Broker) -> None:
    (checked.folder / "records.db").write_bytes(b"these are no records, " * 100)
    faults = checked.faults(f"[broker]\nport = {broker.port}\n[monitor]\ndata_dir = '{checked.folder}'\n")
    assert "records.db" in faults["records.url"]


def test_every_wrong_key_of_the_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "liftwatch.toml"
    path.write_text("[broker]\nprot = 1883\nport = 70000\n[monitor]\nbatch_s = 'soon'\n", encoding="utf-8")
    assert liftwatch.main(["--config", str(path), "check-config"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert all(line.startswith(f"liftwatch: {path}: ") for line in lines)
    assert [("broker.prot;" in text, "broker.port =" in text, "monitor.batch_s" in text) for text in sorted(lines)] == [
        (False, True, False),
        (False, False, True),
        (True, False, False),
    ]


def test_the_ways_of_notifications_are_tried(checked: Checked) -> None:
    (checked.folder / "key.pem").write_text("no key", encoding="utf-8")
    sections = f"""
        [monitor]
        data_dir = "{checked.folder}"
        http_port = 0
        [notifications.sms]
        url = "http://127.0.0.1:{free_port()}/sms"
        [notifications.voice]
        url = "http://127.0.0.1:{free_port()}/call"
        secret_file = "{checked.folder}/none"
        [notifications.push]
        private_key_file = "{checked.folder}/key.pem"
        contact = "mailto:desk@example.org"
        """
    with mail_receiver() as mails:
        mail = f"""
            [notifications.mail]
            host = "127.0.0.1"
            port = {mails.port}
            sender = "lifts@desk.example"
            """
        faults = checked.faults(sections + mail)
        assert "notifications.mail" not in checked.faults(sections + mail + 'security = "none"')
    assert "cannot be used" in faults["notifications.mail"]
    assert "nothing answers at" in faults["notifications.sms"]
    assert "create it with the secret in it" in faults["notifications.voice"]
    assert "openssl" in faults["notifications.push"]


def test_a_key_that_openssl_has_made_is_one_of_web_push(checked: Checked) -> None:
    key = checked.folder / "key.pem"
    subprocess.run(
        ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(key)], check=True, timeout=60
    )
    push = f"[notifications.push]\nprivate_key_file = '{key}'\ncontact = 'mailto:desk@example.org'\n"
    assert "notifications.push" not in checked.faults(f"[monitor]\ndata_dir = '{checked.folder}'\n{push}")


def test_the_map_names_its_file_and_what_is_wrong_in_it(checked: Checked) -> None:
    (checked.folder / "districts.geojson").write_text('{"features": [{}]}')
    (checked.folder / "city.pmtiles").write_bytes(b"PMTiles\x02" + bytes(200))
    for tiles, fault in (
        (f"{checked.folder}/city.pmtiles", "no PMTiles archive of version 3"),
        (f"{checked.folder}/none", "cannot read"),
        ("https://tiles.example/{z}/{x}.png", "has no {y}"),
    ):
        faults = checked.faults(f"[map]\ndistricts_file = '{checked.folder}/districts.geojson'\ntiles = '{tiles}'")
        assert "features[0].properties.district is None" in faults["map.districts_file"]
        assert fault in faults["map.tiles"]


def test_tiles_of_an_address_that_answers_are_no_fault(checked: Checked) -> None:
    with http_server({"/0/0/0.png": 200, "/old/0/0/0.png": 301}) as address:
        assert "map.tiles" not in checked.faults(f"[map]\ntiles = '{address}/{{z}}/{{x}}/{{y}}.png'")
        assert (
            "a redirect is not followed"
            in checked.faults(f"[map]\ntiles = '{address}/old/{{z}}/{{x}}/{{y}}.png'")["map.tiles"]
        )
