"""`liftwatch organisations`: list the organisations, and add one before lifts name it.

The districts of a new authority need `--reason`, and wait for an account's approval where an operator asks for a second
person, as over the API.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from typing import Any

from commands.errors import Unusable
from commands.wiring.command_actor import command_actor
from configuration import Configuration
from registry.actor import Actor
from registry.organisations import DISTRICTS, Organisation, needs_second_person, read_organisation_changes
from registry.roles import OrganisationKind
from store.records.changes.change_request import organisation_change
from store.records.changes.requests import RegistryChangeRecords
from store.records.database import RecordsUnavailable
from store.records.identity.organisations import NameTaken

EXPECTED_ERRORS = (RecordsUnavailable,)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions with their arguments."""
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    actions.add_parser("list", help="list the organisations").set_defaults(action=list_organisations)
    add = actions.add_parser("add", help="add an organisation")
    add.add_argument("name", help="the name, as lifts name the organisation")
    add.add_argument("--kind", required=True, choices=list(OrganisationKind), help="what the organisation does")
    add.add_argument("--districts", default="", help="the districts of an authority, separated by commas")
    add.add_argument("--reason", default="", help="why the authority supervises these districts")
    add.set_defaults(action=add_organisation)


def run(options: argparse.Namespace, settings: Configuration) -> int:
    """Run one action."""
    with RegistryChangeRecords.open(settings.records_url, settings.records_key_path) as records:
        options.action(options, records)
    return 0


def list_organisations(options: argparse.Namespace, records: RegistryChangeRecords) -> None:
    """Print a line for each organisation."""
    for each in records.organisations():
        former = sorted(each.names - {each.name})
        notes = [*([f"also {', '.join(former)}"] if former else []), *(["closed"] if each.closed_ns else [])]
        print(f"{each.organisation_id}\t{each.kind}\t{each.name}{''.join(f' ({note})' for note in notes)}")


def add_organisation(options: argparse.Namespace, records: RegistryChangeRecords) -> None:
    """Add an organisation and print its id."""
    given = {"name": options.name, "kind": options.kind, "districts": options.districts}
    fields, errors = read_organisation_changes(given)
    if errors:
        raise Unusable("\n".join(map(str, errors)))
    districts, reason = fields.pop(DISTRICTS, ()), options.reason.strip()
    if districts and not reason:
        raise Unusable("districts decide who sees which lifts: write why with --reason")
    by, now_ns = command_actor(), time.time_ns()
    try:
        added = records.add_organisation(fields, by, now_ns)
    except NameTaken as error:
        raise Unusable(str(error)) from None
    print(added.organisation_id)
    if districts:
        _supervise(records, added, {DISTRICTS: districts}, reason, by, now_ns)


def _supervise(
    records: RegistryChangeRecords,
    added: Organisation,
    districts: Mapping[str, Any],
    reason: str,
    by: Actor,
    now_ns: int,
) -> None:
    """Give a new organisation its districts, or ask for the approval of that."""
    waits = needs_second_person(added.organisation_id, records.organisations())
    apply = None if waits else lambda _: records.change_organisation(added.organisation_id, districts, by, now_ns)
    made = records.request_change(organisation_change(added, districts, None, reason), by, now_ns, apply)
    if waits:
        print(f"the districts wait for approval, request {made.id}", file=sys.stderr)
