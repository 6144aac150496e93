"""The actor of a command in the audit log: its name, and which user of which machine has run it."""

from __future__ import annotations

import getpass
import socket

from registry.actor import Actor

ADDRESS_CHARS = 64
COMMAND_LINE = "command line"


def command_actor(name: str = COMMAND_LINE) -> Actor:
    """Return the actor of a command; the address is `user@machine`."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        user = "?"
    where = f"{user}@{socket.gethostname()}"[:ADDRESS_CHARS]
    return Actor(name, account=None, organisation=None, role=None, address=where)
