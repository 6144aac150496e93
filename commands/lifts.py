"""`liftwatch lifts`: import lifts into the registry from CSV or JSON, and export them.

A change of thresholds or of the district of a registered lift needs `--reason`, and so does a firm or owner in place of
one that asks for a second person; it waits for an account's approval where an operator, the lift's firm or its owner
asks for a second person, and is reported to the authority, as over the API.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from commands.errors import Unusable
from commands.wiring.command_actor import COMMAND_LINE, command_actor
from commands.wiring.files import write_file, write_output
from configuration import Configuration
from registry.lift_csv import export_csv, read_csv
from registry.lift_facts import FactsError, LiftFacts, export_json, read_json
from registry.thresholds import asks_second_person, guarded_facts, with_facts_of
from store.records.audit.writing import AuditSubject
from store.records.changes.change_request import fact_change
from store.records.changes.requests import RegistryChangeRecords
from store.records.database import RecordsUnavailable
from store.records.lifts import FactsChange, LiftRecords

EXPECTED_ERRORS = (RecordsUnavailable,)
SHOWN_EVERY_S = 1.0
NAMED_LIFTS = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the two actions with their arguments."""
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    bring = actions.add_parser(
        "import", help="import lifts from CSV or JSON; refused rows are listed with their errors"
    )
    bring.add_argument("file", type=Path, help="a .csv or .json file (the columns: docs/contract.md, section 2)")
    bring.add_argument("--by", default=COMMAND_LINE, help="the name in the audit log")
    bring.add_argument(
        "--reason",
        default="",
        help="why thresholds or districts of registered lifts, or who asks for a second person, change",
    )
    bring.set_defaults(action=import_lifts)
    take = actions.add_parser("export", help="write the registry as CSV or JSON")
    take.add_argument("file", type=Path, nargs="?", help="the file to write (default: standard output, JSON)")
    take.set_defaults(action=export_lifts)


def run(options: argparse.Namespace, settings: Configuration) -> int:
    """Import or export."""
    code: int = options.action(options, settings)
    return code


def import_lifts(options: argparse.Namespace, settings: Configuration) -> int:
    """Import the lifts of a file into the registry; print the errors of each refused row."""
    read = read_json if options.file.suffix.lower() == ".json" else read_csv
    try:
        taken, refused = read(options.file.read_bytes())
    except (OSError, FactsError) as error:
        raise Unusable(f"{options.file}: {error}") from None
    progress = ImportProgress(len(taken))
    try:
        with RegistryChangeRecords.open(settings.records_url, settings.records_key_path) as records:
            waiting = _take(taken, options, records, progress)
    except RecordsUnavailable as error:
        raise Unusable(
            f"{error} {progress.taken} of {len(taken)} lifts were taken, in the order of the file; import it again:"
            " those change nothing"
        ) from None
    print(f"{len(taken)} lifts taken, {len(refused)} refused")
    for lift_id, number in waiting:
        print(f"  {lift_id}: the change waits for approval, request {number}", file=sys.stderr)
    for row in refused:
        for fault in row.errors:
            print(f"  row {row.number}: {fault}", file=sys.stderr)
    return 1 if refused else 0


def _take(
    read: Sequence[LiftFacts], options: argparse.Namespace, records: RegistryChangeRecords, progress: ImportProgress
) -> list[tuple[str, int]]:
    """Take the lifts, but for thresholds that wait; return these lifts with the numbers of their requests."""
    stored = records.facts_of([lift.lift_id for lift in read])
    organisations = records.organisations()
    known = [each for each in read if each.lift_id in stored]
    guarded = {each.lift_id: guarded_facts(stored[each.lift_id], each, organisations) for each in known}
    changed = [each for each in known if guarded[each.lift_id]]
    reason, by, now_ns = options.reason.strip(), command_actor(options.by), time.time_ns()
    if changed and not reason:
        more = ", …" if len(changed) > NAMED_LIFTS else ""
        named = ", ".join(each.lift_id for each in changed[:NAMED_LIFTS]) + more
        raise Unusable(f"the changes of {named} can hide a danger: write why with --reason")
    held = [each for each in changed if asks_second_person(stored[each.lift_id], organisations)]
    kept = {each.lift_id: guarded[each.lift_id] for each in held}
    taken = [
        with_facts_of(stored[each.lift_id], each, kept[each.lift_id]) if each.lift_id in kept else each for each in read
    ]

    def record(applied: Sequence[FactsChange]) -> None:
        wanted = [fact_change(*each, reason, guarded_facts(*each, ())) for each in applied]
        records.record_changes(wanted, by, now_ns, is_applied=True)

    records.put_lifts(taken, by, now_ns, progress.show, record)
    wanted = [fact_change(stored[each.lift_id], each, reason, kept[each.lift_id]) for each in held]
    numbers = records.record_changes(wanted, by, now_ns, is_applied=False)
    return [(each.lift_id, number) for each, number in zip(held, numbers, strict=True)]


class ImportProgress:
    """Writes once a second to standard error how many lifts were taken so far."""

    def __init__(self, total: int) -> None:
        self.taken, self._total = 0, total
        self._shown_s = time.monotonic()

    def show(self, taken: int) -> None:
        """Note how many lifts were taken; write a line where the last one is a second old."""
        self.taken = taken
        if time.monotonic() - self._shown_s >= SHOWN_EVERY_S:
            self._shown_s = time.monotonic()
            print(f"{taken} of {self._total} lifts taken", file=sys.stderr, flush=True)


def export_lifts(options: argparse.Namespace, settings: Configuration) -> int:
    """Write the registered lifts to a file, or as JSON to standard output."""
    with LiftRecords.open(settings.records_url) as records:
        lifts = records.registered()
        by, subject = command_actor(), AuditSubject("registry", {"lifts": len(lifts)})
        records.write_audit(time.time_ns(), by, "lift.export", [subject])
    as_csv = options.file is not None and options.file.suffix.lower() == ".csv"
    text = export_csv(lifts) if as_csv else export_json(lifts)
    if options.file is None:
        write_output(f"{text}\n".encode())
    else:
        write_file(options.file, text.encode())
        print(f"{len(lifts)} lifts written to {options.file}")
    return 0
