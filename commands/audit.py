"""`liftwatch audit`: verify the chain of the audit log, print its head, and export its rows."""

from __future__ import annotations

import argparse
import sys

from configuration import Configuration
from store.records.audit.chain import Link
from store.records.audit.search import AuditStore
from store.records.audit.verification import parse_kept_head
from store.records.database import RecordsUnavailable, Repository

EXPECTED_ERRORS = (RecordsUnavailable,)
SHOWN_LIMIT = 50


class AuditRecords(Repository, AuditStore):
    """The audit log only."""


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


def kept_head(text: str) -> Link:
    """Parse a head of the chain."""
    try:
        return parse_kept_head(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def run(options: argparse.Namespace, settings: Configuration) -> int:
    """Verify, print the head, or export."""
    code: int = options.action(options, settings)
    return code


def verify_chain(options: argparse.Namespace, settings: Configuration) -> int:
    """Print a line for each break of the chain; return 1 where there is one."""
    with AuditRecords.open(settings.records_url) as records, records.chain_check(options.head) as (check, complaints):
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
    with AuditRecords.open(settings.records_url) as records:
        print(records.audit_head())
    return 0
