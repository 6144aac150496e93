"""`liftwatch inject`: publish a request for a fault, which the simulator that listens at the broker carries out."""

from __future__ import annotations

import argparse

from commands.errors import nearest
from commands.wiring.audited import audit_command
from commands.wiring.broker import broker_address
from configuration import Configuration
from mqtt.publisher import NotPublished
from simulator.faults.cause_table import CAUSES, InvalidFaultRequest
from simulator.playback.injection import inject
from store.records.audit.writing import AuditSubject
from store.records.database import RecordsUnavailable

EXPECTED_ERRORS = (NotPublished, InvalidFaultRequest, RecordsUnavailable)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments, and the causes to its help."""
    causes = "\n".join(f"  {slug:<30} {cause.en}" for slug, cause in CAUSES.items())
    parser.epilog = f"Causes:\n{causes}"
    parser.add_argument("lift_id", help="the simulated lift")
    parser.add_argument("cause", type=cause, metavar="CAUSE", help="see below")
    how_long = "how long (default 60)"
    parser.add_argument("--for", dest="for_s", type=float, default=60.0, metavar="SECONDS", help=how_long)


def cause(slug: str) -> str:
    """Parse the slug of a cause."""
    if slug not in CAUSES:
        raise argparse.ArgumentTypeError(f"{slug!r} is no cause{nearest(slug, CAUSES)}")
    return slug


def run(options: argparse.Namespace, settings: Configuration) -> int:
    """Publish the request, and print when to expect the first symptom."""
    inject(broker_address(settings), options.lift_id, options.cause, options.for_s)
    about = {"cause": options.cause, "for_s": options.for_s}
    audit_command(settings, "lift.fault", [AuditSubject(options.lift_id, about, lift_id=options.lift_id)])
    delay_s = CAUSES[options.cause].onset_delay_s
    print(
        f"requested for {options.lift_id}: {options.cause} for {options.for_s:g} s; "
        f"in a lift at rest the first symptom appears after about {delay_s:g} s"
    )
    return 0
