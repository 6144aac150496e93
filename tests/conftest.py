"""Fixtures and hooks that several rooms share; each lives in a file of its own and is named here."""

from __future__ import annotations

from tests.broker import broker, refusing_broker  # noqa: F401
from tests.leftovers import pytest_runtest_logfinish, pytest_runtest_logreport  # noqa: F401
from tests.long_first import pytest_collection_modifyitems  # noqa: F401
from tests.memory import pytest_collection  # noqa: F401
from tests.postgres import postgres_server, postgres_url  # noqa: F401
from tests.prepared_records import bare_url, prepared_file, prepared_server, records_url, url_of_records  # noqa: F401
from tests.secure_broker import secure_broker  # noqa: F401
from tests.small_disk import small_disk  # noqa: F401
from tests.store.influxd import influx, influxd  # noqa: F401
from tests.store.series import store  # noqa: F401
from tests.time_limit import pytest_configure, pytest_exception_interact, pytest_runtest_protocol  # noqa: F401
