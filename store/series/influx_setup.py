"""Prepares an InfluxDB for the first point: two buckets with their retention, and the downsampling task between them.

Preparing again changes nothing; settings that were changed in the server are restored to the configuration's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from influxdb_client import (
    BucketRetentionRules,
    HealthCheck,
    HealthService,
    InfluxDBClient,
    TaskCreateRequest,
    TaskUpdateRequest,
    WriteService,
)
from influxdb_client.rest import ApiException

from store.series import flux

DAY_S = 86_400
NO_POINTS = 400
"""The status of a write without points, which is refused only after the token was accepted."""


def prepare(client: InfluxDBClient, org: str, retention_days: Mapping[str, int]) -> None:
    """Create the missing buckets, each with its retention (0 is for ever), and the downsampling task."""
    for name, days in retention_days.items():
        _prepare_bucket(client, org, name, days * DAY_S)
    _prepare_task(client, org)


def health(client: InfluxDBClient) -> HealthCheck:
    """Return the answer of the server's health check."""
    return HealthService(client.api_client).get_health()


def usable_buckets(client: InfluxDBClient, org: str, names: Sequence[str]) -> list[str]:
    """Return which buckets there are; raise ApiException where the token cannot write to one, or read tasks."""
    found = [name for name in names if _exists(client, org, name)]
    client.tasks_api().find_tasks(org=org, limit=1)
    for name in found:
        try:
            WriteService(client.api_client).post_write(org=org, bucket=name, body=b"")
        except ApiException as error:
            if error.status != NO_POINTS:
                raise
    return found


def _prepare_bucket(client: InfluxDBClient, org: str, name: str, kept_s: int) -> None:
    api = client.buckets_api()
    rules = [BucketRetentionRules(type="expire", every_seconds=kept_s)]
    found = api.find_buckets(name=name, org=org).buckets if _exists(client, org, name) else []
    if not found:
        api.create_bucket(bucket_name=name, retention_rules=rules, org=org)
    elif sum(rule.every_seconds for rule in found[0].retention_rules) != kept_s:
        found[0].retention_rules = rules
        api.update_bucket(found[0])


def _exists(client: InfluxDBClient, org: str, name: str) -> bool:
    return any(bucket.name == name for bucket in client.buckets_api().find_buckets_iter(org=org))


def _prepare_task(client: InfluxDBClient, org: str) -> None:
    api = client.tasks_api()
    script = flux.task()
    found = [task for task in api.find_tasks(name=flux.TASK_NAME, org=org) or [] if task.name == flux.TASK_NAME]
    if not found:
        api.create_task(task_create_request=TaskCreateRequest(org=org, flux=script, status="active"))
    elif found[0].flux.strip() != script.strip():
        api.update_task_request(found[0].id, TaskUpdateRequest(flux=script, status="active"))
