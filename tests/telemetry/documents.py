"""Documents that are nearly right: a valid message as a tree, hurt in one or two places, written as JSON or CBOR.

An object is a list of (name, node) pairs, an array is a `List` of nodes, a leaf is its JSON text: so that a tree can
hold what no Python object holds, such as a field that is there twice or a number beyond every range.
"""

from __future__ import annotations

import json
import struct
from random import Random
from typing import Any

import cbor2
from cbor2 import CBORTag

from tests.telemetry.wire import T_MS

Node = Any
LEAVES = (
    *("0", "-0", "1", "2.5", "-3e2", "1E1", "1e400", "1e7", "-1", "1" * 30, "18446744073709551615", "NaN", "1e-4"),
    *("null", "true", "false", '""', '"open"', '"half"', '"a"', '"1"', '"["', '"\\ud800"'),
    *(str(T_MS), str(T_MS + 400_000), str(T_MS // 1000), str(T_MS * 1000)),
)
NAMES = (
    *("seq", "t", "boot", "dt", "at", "v", "a", "x", "z", "state", "presence", "curtain", "rssi", "speed", "door"),
    *("status", "alarm", "mode", "heartbeat_s"),
)
MEASURED = ("speed", "displacement", "vibration", "machine", "door", "infrared")
STATUS = [("online", "true"), ("mode", '"normal"'), ("alarm", "false"), ("heartbeat_s", "60")]


class List(list[Node]):
    """An array of the tree."""


def message(random: Random, stream: str) -> Node:
    """Return a valid message on `stream`."""
    if stream == "gateway":
        lifts = [(f"L{i}", message(random, "bundle")) for i in range(random.randrange(4))]
        return [("lifts", lifts)]
    head: Node = [[("seq", str(random.randrange(100)))], []][random.random() < 0.1]
    times = [str(T_MS), f"{T_MS}.25", str(T_MS - 1e5)]
    head = head + random.choice([[("t", random.choice(times))]] * 9 + [[]])
    head += random.choice([[], [("boot", '"b"')], [("boot", "5")]])
    if stream == "status":
        return head + STATUS
    if stream != "bundle":
        return head + body(random, stream)
    head += random.choice([[], [("dt", "50")]])
    head += random.choice([[]] * 8 + [[("status", list(STATUS))], [("alarm", "true")], [("mode", '"auto"')]])
    return head + [(name, body(random, name)) for name in MEASURED if random.random() < 0.7]


def body(random: Random, stream: str) -> Node:
    count = random.randrange(4)

    def many(*leaves: str) -> List:
        return List(random.choice(leaves) for _ in range(count))

    head: Node = random.choice([[], [], [("t", str(T_MS + 5))]])
    if stream in ("door", "infrared"):
        head += random.choice([[], [("at", List(sorted(many("0", "10", "10.5", "90"), key=float)))]])
        if stream == "door":
            return [*head, ("state", many('"open"', '"closed"', '"closing"', '"opening"'))]
        bits = [(name, many("true", "false", "1", "0", "null")) for name in ("presence", "curtain")]
        return head + random.choice([bits, bits[:1], bits[1:]])
    channels = {"speed": ("v",), "displacement": ("z",), "vibration": ("x", "y", "z"), "machine": ("a",)}[stream]
    return [*head, ("dt", "100"), *((name, many("0", "1", "-1.5", "0.25", "1e-3", "1e6")) for name in channels)]


def hurt(random: Random, tree: Node) -> None:
    """Change one place of the tree, in place."""
    places = [place for place in walk(tree) if len(place)]
    if not places:
        return
    holder = random.choice(places)
    at = random.randrange(len(holder))
    item = holder[at]
    name, value = item if isinstance(item, tuple) else (None, item)
    kind = random.randrange(6)
    if kind == 0:
        del holder[at]
    elif kind == 1:
        twin = (name, random.choice([value, random.choice(LEAVES)])) if name else value
        holder.insert(random.randrange(len(holder) + 1), twin)
    elif kind == 2 and name:
        holder[at] = (random.choice(NAMES), value)
    else:
        nested = [List(), List([value]), List([value, value]), List([List([value, value]), List()]), [("v", value)]]
        new = random.choice([*nested, *random.choices(LEAVES, k=5)])
        holder[at] = (name, new) if name else new


def walk(tree: Node) -> list[Any]:
    """Return every object and array of the tree."""
    if isinstance(tree, str):
        return []
    inner = [value for item in tree for value in walk(item[1] if isinstance(item, tuple) else item)]
    return [tree, *inner]


def as_json(tree: Node) -> bytes:
    """Return the tree as JSON, or as what comes close to it."""
    return write(tree).encode("utf-8", "surrogatepass")


def write(tree: Node) -> str:
    if isinstance(tree, str):
        return tree
    if isinstance(tree, List):
        return "[" + ", ".join(map(write, tree)) + "]"
    return "{" + ",".join(f'"{name}": {write(value)}' for name, value in tree) + "}"


def as_cbor(random: Random, tree: Node) -> bytes:
    """Return the tree as CBOR; arrays of numbers become typed arrays now and then."""
    if isinstance(tree, str):
        try:
            return cbor2.dumps(json.loads(tree))
        except UnicodeEncodeError:
            return cbor2.dumps(tree)
    if not isinstance(tree, List):
        head = struct.pack(">BH", 0xB9, len(tree))
        return head + b"".join(cbor2.dumps(name) + as_cbor(random, value) for name, value in tree)
    numbers = [float(leaf) for leaf in tree if isinstance(leaf, str) and leaf[0] in "-0123456789"]
    if len(numbers) == len(tree) and random.random() < 0.6:
        tag, form = random.choice([(77, "h"), (78, "i"), (85, "f"), (86, "d")] * 8 + [(84, "e"), (81, "f")])
        try:
            octets = struct.pack(f"<{len(numbers)}{form}", *(map(int, numbers) if form in "hi" else numbers))
        except (struct.error, OverflowError):
            octets = b"\0"
        return cbor2.dumps(CBORTag(tag, octets))
    return struct.pack(">BH", 0x99, len(tree)) + b"".join(as_cbor(random, item) for item in tree)
