"""Limits of sign-ins and of changes. Every attempt counts before its password is checked.

After some failures in a row each further attempt waits twice as long, by account and by address. The counts of sign-ins
are in the records (`store.records.identity.attempts`), those of changes in memory.

    failures   0 … free   +1    +2    +3   …
    wait          0        1 s   2 s   4 s  …  at most `most_s`
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from store.records.repository import Records

KEYS_LIMIT = 20_000
IPV6_PREFIX = 64


@dataclass(frozen=True, slots=True)
class AttemptPolicy:
    """The number of failures without a wait, the first and the longest wait: 15 minutes are 96 attempts a day."""

    free: int
    first_s: float = 1.0
    most_s: float = 900.0

    def wait_s(self, failures: int) -> float:
        """Return the wait after so many failures in a row."""
        return 0.0 if failures < self.free else min(self.most_s, self.first_s * 2.0 ** min(failures - self.free, 30))


OF_ACCOUNT, OF_ADDRESS = AttemptPolicy(free=5), AttemptPolicy(free=20)


class AttemptLimits:
    """Failed attempts by account and by address; the counts are in the records, so that all processes share them."""

    def __init__(
        self,
        records: Callable[[], Records],
        of_account: AttemptPolicy = OF_ACCOUNT,
        of_address: AttemptPolicy = OF_ADDRESS,
    ) -> None:
        self._records, self._of_account, self._of_address = records, of_account, of_address

    def begin(self, account: str, address: str, now_ns: int) -> float:
        """Count an attempt and return 0, or return the seconds to wait before the next one, which is not counted."""
        policies = zip(_keys(account, address), (self._of_account, self._of_address), strict=True)
        return self._records().begin_attempt({key: policy.wait_s for key, policy in policies}, now_ns)

    def succeeded(self, account: str, address: str) -> None:
        """Forget the failures of an account, and take the attempt back from its address."""
        of_account, of_address = _keys(account, address)
        self._records().forgive_attempt(of_account, of_address)


def _keys(account: str, address: str) -> tuple[str, str]:
    return f"account {account}", f"address {network(address)}"


def network(address: str) -> str:
    """Return an address, or the network of an IPv6 address, of which a client has a whole one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return address if parsed.version == 4 else str(ipaddress.ip_network((parsed, IPV6_PREFIX), strict=False))


class ChangeLimits:
    """A bucket of changes for each account, with its sessions and tokens: `burst` at once, then `a_second`."""

    def __init__(self, burst: int = 120, a_second: float = 5.0) -> None:
        self._burst, self._a_second = burst, a_second
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, now_s: float) -> bool:
        """Count a change; return False where the bucket of the key is empty."""
        left, last_s = self._buckets.pop(key, (float(self._burst), now_s))
        left = min(float(self._burst), left + (now_s - last_s) * self._a_second)
        taken = left >= 1
        self._buckets[key] = (left - 1 if taken else left, now_s)
        if len(self._buckets) > KEYS_LIMIT:
            self._buckets.popitem(last=False)
        return taken
