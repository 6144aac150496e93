"""`liftwatch organisations`: list the organisations, and add one before lifts name it."""

from __future__ import annotations

import argparse
import time

from commands.errors import Unusable
from commands.wiring.command_actor import command_actor
from configuration import Configuration
from registry.organisations import read_organisation_changes
from registry.roles import OrganisationKind
from store.records.database import RecordsUnavailable
from store.records.identity.accounts import AccountRecords
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
    add.set_defaults(action=add_organisation)


def run(options: argparse.Namespace, settings: Configuration) -> int:
    """Run one action."""
    with AccountRecords.open(settings.records_url, settings.records_key_path) as records:
        options.action(options, records)
    return 0


def list_organisations(options: argparse.Namespace, records: AccountRecords) -> None:
    """Print a line for each organisation."""
    for each in records.organisations():
        former = sorted(each.names - {each.name})
        notes = [*([f"also {', '.join(former)}"] if former else []), *(["closed"] if each.closed_ns else [])]
        print(f"{each.organisation_id}\t{each.kind}\t{each.name}{''.join(f' ({note})' for note in notes)}")


def add_organisation(options: argparse.Namespace, records: AccountRecords) -> None:
    """Add an organisation and print its id."""
    given = {"name": options.name, "kind": options.kind, "districts": options.districts}
    fields, errors = read_organisation_changes(given)
    if errors:
        raise Unusable("\n".join(map(str, errors)))
    try:
        print(records.add_organisation(fields, command_actor(), time.time_ns()).organisation_id)
    except NameTaken as error:
        raise Unusable(str(error)) from None
