"""Whether the car felt the stop that its speed tells of (F13): the vibration is asked once for each stop.

    speed      ‾‾‾\\______________        lost: from the running speed to rest
    vibration  ___/‾\\_____________        lost: its integral over the stop, less what it reads at rest (its bias)
    from, to   |--|     |--|              the streams may be 0.2 s apart, the braking may have begun more gently, and
                                          ropes ring: one loss from and to instants of these must agree
    asked          stop | rest ^   0.8 s after it came to rest; until 2 s where vibration that comes by itself is late

Nothing heard, or too little of it: the speed alone decides. The two disagree: it is a sensor's fault, and no stop. The
sign is not asked, for a sensor may hang upside down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.observe.car import F64, Car
from detectors.observe.felt import SLOT_NS, Felt
from detectors.observe.scan import NEVER_NS, Columns, only, scan


@dataclass(frozen=True, slots=True)
class Witness:
    """The speed lost by the vibration may differ by `agree_share` of the speed lost, and by `agree_least_mps` at least.

    `around_s`: the clocks of the two streams may differ by so much. `heard_share`: with less of it heard it is not
    asked; nor so long (`late_s`) after the stop began that the ring may have gone over it.
    """

    agree_share: float = 0.4
    agree_least_mps: float = 0.3
    around_s: float = 0.2
    settle_s: float = 0.8
    wait_s: float = 2.0
    heard_share: float = 0.8
    late_s: float = 6.5

    def start(self, n: int) -> Columns:
        """Return lifts that were not asked yet: of which stop, what was said (1 felt, 0 not), and the speed lost."""
        return {"stop_ns": np.full(n, NEVER_NS), "agrees": np.full(n, np.nan), "felt_mps": np.full(n, np.nan)}

    def step(self, state: Columns, car: Car, told: Columns) -> tuple[Columns, F64, F64]:
        """Return the state, `told["on"]` with the stops that were not felt left out, and the speed lost as felt.

        `told` has for each row `on` (1: stopped), `since_ns`, `rest_ns` and `from_mps`. A stop whose vibration may
        still come is unknown.
        """
        on, felt_mps = told["on"].copy(), np.full(len(car), np.nan)
        stopped = on == 1.0
        if not stopped.any():
            return state, on, felt_mps
        chosen = np.zeros(len(state["agrees"]), dtype=np.bool_)
        chosen[car.lift[stopped]] = True
        rows = {name: told[name] for name in ("since_ns", "rest_ns", "from_mps")}
        rows |= {"stopped": stopped, "t_ns": car.t_ns, "lift": car.lift, "place": np.arange(len(car))}

        def ask(here: Columns, row: Columns, _: Columns) -> tuple[Columns, Columns]:
            return self._ask(here, row, car.felt)

        state, said = scan(only(car.rounds, chosen), state, ask, rows)
        on[said["place"]] = np.where(stopped[said["place"]], said["agrees"], on[said["place"]])
        felt_mps[said["place"]] = np.where(stopped[said["place"]], said["felt_mps"], np.nan)
        return state, on, felt_mps

    def _ask(self, state: Columns, row: Columns, felt: Felt) -> tuple[Columns, Columns]:
        """Carry what was said of the latest stop over one row."""
        new = row["stopped"] & ((row["since_ns"] != state["stop_ns"]) | np.isnan(state["agrees"]))
        agrees, felt_mps = np.where(new, np.nan, state["agrees"]), np.where(new, np.nan, state["felt_mps"])
        if new.any():
            agrees[new], felt_mps[new] = self._agree({name: column[new] for name, column in row.items()}, felt)
        stop_ns = np.where(new, row["since_ns"], state["stop_ns"])
        after = {"stop_ns": stop_ns, "agrees": agrees, "felt_mps": felt_mps}
        return after, {"place": row["place"], "agrees": agrees, "felt_mps": felt_mps}

    def _agree(self, row: Columns, felt: Felt) -> tuple[F64, F64]:
        """Return 1 where the stop was felt or nobody can be asked, 0 where not, NaN where it is too early; and the
        speed lost as felt."""
        around_ns, settle_ns = round(self.around_s * 1e9), round(self.settle_s * 1e9)
        slots = round((self.late_s + self.around_s) * 1e9) // SLOT_NS
        t_ns, a = felt.since(row["lift"], row["since_ns"] - around_ns, slots)
        known = ~np.isnan(a)
        stop = t_ns <= (row["rest_ns"] + around_ns)[:, None]
        rest = ~stop & (t_ns <= (row["rest_ns"] + settle_ns)[:, None])
        before = t_ns <= row["since_ns"][:, None]
        heard = np.minimum(_share(known, stop), _share(known, rest))
        bias = np.where(known & rest, a, 0.0).sum(axis=1) / np.maximum((known & rest).sum(axis=1), 1)
        change = np.cumsum(np.where(known & stop, a - bias[:, None], 0.0), axis=1) * SLOT_NS / 1e9
        least, most = _loss(change, before, stop & (t_ns >= (row["rest_ns"] - around_ns)[:, None]))
        lost = np.abs(change[:, -1])
        age_ns = row["t_ns"] - row["rest_ns"]
        asked = (heard >= self.heard_share) & (age_ns >= settle_ns)
        asked &= row["t_ns"] - row["since_ns"] <= round(self.late_s * 1e9)
        tolerance = np.maximum(self.agree_share * row["from_mps"], self.agree_least_mps)
        agrees = ~asked | ((row["from_mps"] >= least - tolerance) & (row["from_mps"] <= most + tolerance))
        early = ~asked & (known & before).any(axis=1) & (age_ns < round(self.wait_s * 1e9))
        return np.where(early, np.nan, agrees), np.where(asked, lost, np.nan)


def _loss(change: F64, begins: NDArray[np.bool_], ends: NDArray[np.bool_]) -> tuple[F64, F64]:
    """Return the least and the greatest change of speed from one of the begins to one of the ends."""
    from_low, from_high = np.where(begins, change, 0.0).min(axis=1), np.where(begins, change, 0.0).max(axis=1)
    to_low, to_high = np.where(ends, change, np.inf).min(axis=1), np.where(ends, change, -np.inf).max(axis=1)
    down, up = to_low - from_high, to_high - from_low
    return np.maximum(np.maximum(down, -up), 0.0), np.maximum(np.abs(down), np.abs(up))


def _share(known: NDArray[np.bool_], part: NDArray[np.bool_]) -> F64:
    """Return which share of the part of each row is known."""
    share: F64 = (known & part).sum(axis=1) / np.maximum(part.sum(axis=1), 1)
    return share
