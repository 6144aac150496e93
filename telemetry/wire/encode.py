"""From values to bytes: the messages of a lift, a gateway, the simulator or a test. The counterpart of `decode`.

A message is the object of the contract as a dict; its sampled arrays may be numpy arrays, whose NaN is "no reading".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cbor2
import numpy as np
import orjson
from cbor2 import CBOREncoder, CBORTag
from numpy.typing import NDArray

from telemetry.wire.parsed import TYPED_ARRAYS

MessageObject = Mapping[str, Any]
Array = NDArray[Any] | Sequence[float]


def speed(dt_ms: float, v_mps: Array) -> dict[str, Any]:
    """Return a speed stream's object."""
    return {"dt": dt_ms, "v": v_mps}


def displacement(dt_ms: float, z_m: Array) -> dict[str, Any]:
    """Return a displacement stream's object."""
    return {"dt": dt_ms, "z": z_m}


def vibration(dt_ms: float, xyz_mps2: NDArray[Any]) -> dict[str, Any]:
    """Return a vibration stream's object of an array (3, samples)."""
    return {"dt": dt_ms, "x": xyz_mps2[0], "y": xyz_mps2[1], "z": xyz_mps2[2]}


def door(at_ms: Array, states: Sequence[str]) -> dict[str, Any]:
    """Return a door stream's object."""
    return {"at": at_ms, "state": states}


def bundle(seq: int, t_ms: float, boot: str | int | None = None, **streams: MessageObject) -> dict[str, Any]:
    """Return a bundle: one message for one lift and one second."""
    head: dict[str, Any] = {"seq": seq, "t": t_ms}
    if boot is not None:
        head["boot"] = boot
    return head | streams


def gateway(bundles: Mapping[str, MessageObject]) -> dict[str, Any]:
    """Return the envelope of the bundles of several lifts of one building, by lift id."""
    return {"lifts": bundles}


def to_json(message: MessageObject) -> bytes:
    """Return a message as JSON; NaN becomes null."""
    return orjson.dumps(message, default=np.ndarray.tolist, option=orjson.OPT_SERIALIZE_NUMPY)


def to_cbor(message: MessageObject) -> bytes:
    """Return a message as CBOR; numpy arrays become typed arrays: float64 and the integers that the contract takes as
    they are, any other as float32."""
    return cbor2.dumps(message, default=_typed_array)


_TAGS = {dtype: tag for tag, dtype in TYPED_ARRAYS.items()}


def _typed_array(encoder: CBOREncoder, value: Any) -> None:
    if not isinstance(value, np.ndarray):
        encoder.encode(value.item())
        return
    if value.dtype not in _TAGS:
        value = value.astype("<f4")
    encoder.encode(CBORTag(_TAGS[value.dtype], value.tobytes()))
