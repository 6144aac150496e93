"""The access of the pages to the broker, to change devices: passwords, and the broker's files."""

from __future__ import annotations

import time

from commands.errors import Unusable
from commands.wiring import broker_files, credentials
from configuration import Configuration
from dashboards.api.context import DeviceActions
from dashboards.http.problem import unavailable
from registry.devices import Credential
from store.records.repository import Records


def device_actions(settings: Configuration) -> DeviceActions:
    """Return the actions of devices for this configuration."""

    def new_password(device_id: str) -> tuple[Credential, str]:
        made = credentials.new_password(device_id)
        return made.credential, str(made.password)

    def apply(records: Records) -> None:
        try:
            broker_files.write_broker_files(settings, records, time.time_ns())
        except Unusable as error:
            raise unavailable("broker's files", str(error)) from None
        broker_files.reload_broker(settings.broker.pid_file)

    reserved = (settings.broker.client_id,)
    return DeviceActions(new_password, apply, lambda: broker_files.hindrance(settings), reserved)
