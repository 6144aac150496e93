"""Tokens of InfluxDB with the fewest permissions, made with the operator's own token.

monitor      reads and writes buckets and the downsampling task
dashboards   reads the two buckets
grafana      reads the two buckets
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from influxdb_client import InfluxDBClient, Permission, PermissionResource

READERS = ("dashboards", "grafana")
WRITER = "monitor"
TOKEN_NAMES = (WRITER, *READERS)


def has_token(client: InfluxDBClient, org: str, name: str) -> bool:
    """Return whether a token was made for `name`."""
    found = client.authorizations_api().find_authorizations(org=org)
    return any(one.description == _label(name) for one in found)


def create_token(client: InfluxDBClient, org: str, name: str, buckets: Sequence[str]) -> str:
    """Return a new token for `name`; tokens that were made for it before are removed."""
    organisations = client.organizations_api().find_organizations(org=org)
    api = client.authorizations_api()
    for one in api.find_authorizations(org=org):
        if one.description == _label(name):
            api.delete_authorization(one)
    permissions = list(_permissions(client, org, organisations[0].id, name, buckets))
    made = api.create_authorization(organisations[0].id, permissions)
    made.description = _label(name)
    api.update_authorization(made)
    return str(made.token)


def _label(name: str) -> str:
    return f"liftwatch {name}"


def _permissions(
    client: InfluxDBClient, org: str, org_id: str, name: str, buckets: Sequence[str]
) -> Iterator[Permission]:
    if name == WRITER:
        for kind in ("buckets", "tasks"):
            for action in ("read", "write"):
                yield Permission(action, PermissionResource(type=kind, org_id=org_id))
        yield Permission("read", PermissionResource(type="orgs", id=org_id, org_id=org_id))
        return
    for bucket in client.buckets_api().find_buckets_iter(org=org):
        if bucket.name in buckets:
            yield Permission("read", PermissionResource(type="buckets", id=bucket.id, org_id=org_id))
