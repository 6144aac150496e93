"""Limits of sign-ins and of changes. Every attempt counts before its password is checked.

After some failures in a row each further attempt waits twice as long, by account and by address. The counts are in
memory, bounded, and the oldest are forgotten.

    failures   0 … free   +1    +2    +3   …
    wait          0        1 s   2 s   4 s  …  at most `most_s`
"""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict
from dataclasses import dataclass

KEYS_LIMIT = 20_000
FORGOTTEN_AFTER_S = 24 * 3600.0
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
    """Failed attempts by account and by address; thread-safe."""

    def __init__(self, of_account: AttemptPolicy = OF_ACCOUNT, of_address: AttemptPolicy = OF_ADDRESS) -> None:
        self._lock = threading.Lock()
        self._of_account, self._of_address = of_account, of_address
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def begin(self, account: str, address: str, now_s: float) -> float:
        """Count an attempt and return 0, or return the seconds to wait before the next one, which is not counted."""
        keys = self._keys(account, address)
        with self._lock:
            waits = [self._wait_s(key, policy, now_s) for key, policy in keys.items()]
            if max(waits) > 0:
                return max(waits)
            for key in keys:
                self._failures[key] = (self._of(key, now_s) + 1, now_s)
                self._failures.move_to_end(key)
            while len(self._failures) > KEYS_LIMIT:
                self._failures.popitem(last=False)
            return 0.0

    def succeeded(self, account: str, address: str, now_s: float) -> None:
        """Forget the failures of an account, and take the attempt back from its address."""
        of_account, of_address = self._keys(account, address)
        with self._lock:
            self._failures.pop(of_account, None)
            if of_address in self._failures:
                count, last_s = self._failures[of_address]
                self._failures[of_address] = (count - 1, last_s)

    def _wait_s(self, key: str, policy: AttemptPolicy, now_s: float) -> float:
        last_s = self._failures.get(key, (0, now_s))[1]
        return last_s + policy.wait_s(self._of(key, now_s)) - now_s if key in self._failures else 0.0

    def _of(self, key: str, now_s: float) -> int:
        count, last_s = self._failures.get(key, (0, now_s))
        return count if now_s - last_s < FORGOTTEN_AFTER_S else 0

    def _keys(self, account: str, address: str) -> dict[str, AttemptPolicy]:
        return {f"account {account}": self._of_account, f"address {network(address)}": self._of_address}


def network(address: str) -> str:
    """Return an address, or the network of an IPv6 address, of which a client has a whole one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return address if parsed.version == 4 else str(ipaddress.ip_network((parsed, IPV6_PREFIX), strict=False))


class ChangeLimits:
    """A bucket of changes for each session or token: `burst` at once, then `a_second` on average."""

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
