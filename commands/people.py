"""`liftwatch people`: the accounts of people and programs, for the first administrator and for those locked out."""

from __future__ import annotations

import argparse
import getpass
import sys
import time
from collections.abc import Mapping

from commands.errors import Unusable, nearest
from commands.wiring.command_actor import command_actor
from commands.wiring.first_link import address
from configuration import Configuration
from registry.fact_checks import InvalidFact, text
from registry.passwords import LEAST_CHARS, MOST_CHARS, password_fault
from registry.people import Person, checked_login
from registry.roles import Role
from store.records.database import RecordsUnavailable
from store.records.identity.accounts import AccountRecords
from store.records.identity.administrators import LastAdministrator
from store.records.identity.credentials import hash_password
from store.records.identity.organisations import NameTaken

EXPECTED_ERRORS = (RecordsUnavailable,)
BY = command_actor()
LINK_S = 72 * 3600
S_NS = 1_000_000_000
FAULTS: Mapping[str, str] = {
    "short": f"has fewer than {LEAST_CHARS} characters",
    "long": f"has more than {MOST_CHARS} characters",
    "common": "is one that many people have",
    "derived": "is little more than the name, the login or the name of the product",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions with their arguments."""
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    first = actions.add_parser("add-administrator", help="add an account that administers the whole installation")
    first.add_argument("login", help="an e-mail address, or a name without spaces")
    first.add_argument("--name", help="the person's name (default: the login)")
    first.add_argument("--organisation", default="Operator", help="the organisation that runs the monitor")
    first.add_argument("--link", action="store_true", help="print a one-time link instead of asking for a password")
    first.set_defaults(action=add_administrator)
    add = actions.add_parser("add", help="add an account, and print a one-time link with which to set its password")
    add.add_argument("login", help="an e-mail address, or a name without spaces")
    add.add_argument("--name", help="the person's name (default: the login)")
    add.add_argument("--organisation", required=True, help="the name of the organisation")
    add.add_argument("--role", required=True, choices=list(Role), help="the role in the organisation")
    add.add_argument("--machine", action="store_true", help="a program with a token, which is printed")
    add.add_argument("--days", type=int, default=90, help="how long the token is valid (default: 90)")
    add.set_defaults(action=add_person)
    for name, action, said in (
        ("disable", disable, "disable an account and end its sessions"),
        ("enable", enable, "enable a disabled account"),
        ("reset", reset, "end the sessions of an account, remove its second factor, print a one-time link"),
    ):
        one = actions.add_parser(name, help=said)
        one.add_argument("login")
        one.set_defaults(action=action)
    actions.add_parser("list", help="list the accounts").set_defaults(action=list_people)


def run(options: argparse.Namespace, settings: Configuration) -> int:
    """Run one action."""
    with AccountRecords.open(settings.records_url, settings.records_key_path) as records:
        try:
            options.action(options, settings, records)
        except (NameTaken, LastAdministrator) as error:
            raise Unusable(str(error)) from None
    return 0


def add_administrator(options: argparse.Namespace, settings: Configuration, records: AccountRecords) -> None:
    """Add an administrator; ask for the password, or print a link."""
    login, name = _named(options)
    password = None if options.link else _ask_password(login, name)
    added = records.add_administrator(name, login, options.organisation, BY, time.time_ns(), only_first=False)
    assert added is not None, "the organisation exists, and others may exist"
    if password is None:
        _print_link(added, settings, records)
    else:
        records.set_password(added.person_id, hash_password(password), BY, time.time_ns())
        print(f"{login} administers this installation now")


def add_person(options: argparse.Namespace, settings: Configuration, records: AccountRecords) -> None:
    """Add an account; print a link, or a token of a program."""
    login, name = _named(options)
    names = {one: each.organisation_id for each in records.organisations() for one in each.names}
    if options.organisation not in names:
        raise Unusable(f"there is no organisation {options.organisation!r}{nearest(options.organisation, names)}")
    organisation_id, now_ns = names[options.organisation], time.time_ns()
    roles = {organisation_id: Role(options.role)}
    added = records.add_person(name, login, roles, BY, now_ns, is_machine=options.machine)
    assert added is not None, "the organisation exists"
    if options.machine:
        expires_ns = now_ns + options.days * 86_400 * S_NS
        print(records.add_token(added.person_id, organisation_id, "command line", expires_ns, BY, now_ns))
    else:
        _print_link(added, settings, records)


def disable(options: argparse.Namespace, settings: Configuration, records: AccountRecords) -> None:
    """Disable an account."""
    records.change_person(_find(options, records).person_id, {"is_disabled": True}, BY, time.time_ns())
    print(f"{options.login} is disabled")


def enable(options: argparse.Namespace, settings: Configuration, records: AccountRecords) -> None:
    """Enable an account."""
    records.change_person(_find(options, records).person_id, {"is_disabled": False}, BY, time.time_ns())
    print(f"{options.login} is enabled")


def reset(options: argparse.Namespace, settings: Configuration, records: AccountRecords) -> None:
    """Reset the sign-in of a person who is locked out."""
    person = _find(options, records)
    if person.is_machine:
        raise Unusable(f"{options.login} is a program: it has tokens instead of a password")
    records.set_totp(person.person_id, None, 0, BY, time.time_ns())
    records.end_sessions(person.person_id, BY, time.time_ns(), reason="reset")
    _print_link(person, settings, records)


def list_people(options: argparse.Namespace, settings: Configuration, records: AccountRecords) -> None:
    """Print a line for each account."""
    for person in records.people():
        roles = ", ".join(f"{each.role} of {each.organisation.name}" for each in person.memberships) or "no role"
        notes = [note for note, holds in (("program", person.is_machine), ("disabled", person.is_disabled)) if holds]
        print(f"{person.login}\t{person.name}\t{roles}{''.join(f' ({note})' for note in notes)}")


def _named(options: argparse.Namespace) -> tuple[str, str]:
    """Return the login and the name in the arguments."""
    try:
        login = checked_login(options.login)
        return login, text(options.name or login)
    except InvalidFact as error:
        raise Unusable(f"{options.login!r}: {error}") from None


def _find(options: argparse.Namespace, records: AccountRecords) -> Person:
    found = records.person_of_login(options.login)
    if found is None:
        logins = [each.login for each in records.people()]
        raise Unusable(f"there is no account {options.login!r}{nearest(options.login, logins)}")
    return found


def _ask_password(login: str, name: str) -> str:
    """Ask for a new password twice; read one line where the input is no terminal."""
    if not sys.stdin.isatty():
        password = again = sys.stdin.readline().rstrip("\n")
    else:
        password, again = getpass.getpass("New password: "), getpass.getpass("Again: ")
    if password != again:
        raise Unusable("the two passwords differ: run the command again")
    fault = password_fault(password, (login, name))
    if fault is not None:
        raise Unusable(f"the password {FAULTS[fault]}: choose another")
    return password


def _print_link(person: Person, settings: Configuration, records: AccountRecords) -> None:
    now_ns = time.time_ns()
    secret = records.add_link(person.person_id, now_ns + LINK_S * S_NS, BY, now_ns)
    print(f"{address(settings)}/welcome?code={secret}")
