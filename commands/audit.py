"""`liftwatch audit`: verify the chain of the audit log, print its head, and export its rows."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import asdict
from pathlib import Path

from commands.wiring.command_actor import command_actor
from commands.wiring.files import opened_file
from configuration import Configuration
from store.records.audit.chain import Link
from store.records.audit.export import csv_parts
from store.records.audit.search import AuditFilter, AuditStore
from store.records.audit.verification import parse_kept_head
from store.records.audit.writing import AuditSubject
from store.records.database import RecordsUnavailable, Repository
from telemetry import instant

EXPECTED_ERRORS = (RecordsUnavailable,)
SHOWN_LIMIT = 50


class AuditLog(Repository, AuditStore):
    """The audit log alone."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions with their arguments."""
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    verify = actions.add_parser("verify", help="find rows that were changed, moved, inserted or removed (exit code 1)")
    verify.add_argument(
        "--head", type=kept_head, action="append", default=[], metavar="ID:HASH",
        help="a head that was kept elsewhere (the log of each day has one); may be given more than once",
    )  # fmt: skip
    verify.set_defaults(action=verify_chain)
    head = actions.add_parser("head", help="print id and hash of the newest row, to be kept elsewhere")
    head.set_defaults(action=print_head)
    export = actions.add_parser("export", help="write the rows as CSV, newest first")
    export.add_argument("file", type=Path, nargs="?", help="the file to write (default: standard output)")
    export.add_argument("--who", help="only rows of a name or an account")
    export.add_argument(
        "--action",
        dest="wanted_action",
        metavar="ACTION",
        help="only rows of an action as lift.patch, or of a group as lift.",
    )
    export.add_argument("--lift", help="only rows of a lift id")
    for name in ("from", "to"):
        export.add_argument(f"--{name}", type=moment, dest=f"{name}_ns", help=f"a time, as {instant.EXAMPLE}")
    export.set_defaults(action=export_rows)


def kept_head(text: str) -> Link:
    """Parse a head of the chain."""
    try:
        return parse_kept_head(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def moment(text: str) -> int:
    """Parse a time."""
    try:
        return instant.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def run(options: argparse.Namespace, settings: Configuration) -> int:
    """Verify, print the head, or export."""
    code: int = options.action(options, settings)
    return code


def verify_chain(options: argparse.Namespace, settings: Configuration) -> int:
    """Print a line for each break of the chain; return 1 where there is one."""
    with AuditLog.open(settings.records_url) as records, records.chain_check(options.head) as (check, complaints):
        broken = 0
        for complaint in complaints:
            broken += 1
            if broken <= SHOWN_LIMIT:
                print(complaint, file=sys.stderr)
        if broken > SHOWN_LIMIT:
            print(f"and {broken - SHOWN_LIMIT} more", file=sys.stderr)
        result = f"{broken} {'break' if broken == 1 else 'breaks'}" if broken else "unbroken"
        print(f"{check.rows} rows after row {check.anchor.id}, {result}; head {check.head}")
    return 1 if broken else 0


def print_head(options: argparse.Namespace, settings: Configuration) -> int:
    """Print the head of the chain."""
    with AuditLog.open(settings.records_url) as records:
        print(records.audit_head())
    return 0


def export_rows(options: argparse.Namespace, settings: Configuration) -> int:
    """Write the rows of a filter as CSV; the export itself is a row."""
    wanted = AuditFilter(
        who=options.who,
        action=options.wanted_action,
        lift_id=options.lift,
        from_ns=options.from_ns,
        to_ns=options.to_ns,
    )
    asked = {name: value for name, value in asdict(wanted).items() if value is not None}
    with AuditLog.open(settings.records_url) as records, opened_file(options.file) as file:
        subject = AuditSubject("audit", asked or None)
        records.write_audit(time.time_ns(), command_actor(), "audit.export", [subject])
        for part in csv_parts(records.every_audit(wanted)):
            file.write(part)
    return 0
