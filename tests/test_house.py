"""The structure of the tree: which module may import which, what the core may use, and which files may not be there.

Every law is a function from a folder to complaints. Each runs over this tree, where it must find nothing, and over a
small broken one, where it must find the break: a law that cannot fail is no law.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# What each top-level folder may import; a dot narrows it to one module of the other folder.
MAY_IMPORT: dict[str, set[str]] = {
    "telemetry": set(),
    "registry": {"telemetry"},
    "detectors": {"telemetry", "registry"},
    "alerts": {"telemetry", "registry", "detectors.catalogue", "detectors.rule"},
    "mqtt": set(),
    "store": {"telemetry", "registry", "alerts"},
    "ingest": {"telemetry", "registry", "detectors", "alerts", "mqtt", "store"},
    "notify": {"telemetry", "registry", "alerts", "store", "mqtt"},
    "simulator": {"telemetry", "registry.facts", "registry.fact_checks", "registry.catalogue", "mqtt"},
    "evaluation": {"telemetry", "registry", "detectors", "alerts"},
    "dashboards": {
        "telemetry", "registry", "detectors.catalogue", "detectors.rule",
        "detectors.observe.trips", "detectors.observe.series", "alerts", "store",
    },
    "configuration": {"commands.errors"},
}  # fmt: skip
SEES_ALL = {"commands", "liftwatch", "tests", "benchmarks"}

# The walls inside a folder: what each of its rooms may import of the folder's own modules.
WALLS: dict[str, set[str]] = {
    "telemetry.wire": {"telemetry.arrays", "telemetry.batch", "telemetry.groups", "telemetry.streams"},
    "telemetry.order": {
        "telemetry.arrays",
        "telemetry.batch",
        "telemetry.groups",
        "telemetry.compiled",
        "telemetry.cutting",
    },
    "detectors.observe": set(),
    "detectors.series": set(),
    "detectors.health": {"detectors.series"},
    "detectors.behaviour": {"detectors.observe"},
    "detectors.rule_files": {"detectors.observe", "detectors.rule"},
    "detectors.rules": {"detectors.observe", "detectors.rule", "detectors.hold", "detectors.tally"},
    "registry.duty": {"registry.fact_checks"},
    "alerts.escalation": set(),
    "alerts.incidents": {"alerts.alert", "alerts.answers", "alerts.book", "alerts.inhibition"},
    "store.series": set(),
    "store.records": {"store.sqlite_file"},
    "store.recordings": {"store.series"},
    "ingest.failing": set(),
    "ingest.receiving": set(),
    "ingest.recordings": {"ingest.receiving", "ingest.state"},
    "ingest.waiting": {"ingest.fleet"},
    "ingest.health": set(),
    "ingest.probing": set(),
    "dashboards.http": set(),
    "dashboards.live": {"dashboards.http"},
    "dashboards.sign_in": {"dashboards.http"},
    "dashboards.api": {"dashboards.http", "dashboards.live", "dashboards.sign_in"},
    "dashboards.pages": {"dashboards.http", "dashboards.live", "dashboards.sign_in", "dashboards.api"},
    "notify.escalation": {"notify.rounds", "notify.texts"},
    "notify.texts": set(),
    "notify.ways": {"notify.texts"},
    "notify.dispatch": {"notify.texts", "notify.ways", "notify.rounds"},
    "simulator.maths": set(),
    "simulator.faults": {"simulator.maths"},
    "simulator.buildings": {"simulator.maths"},
    "simulator.cars": {"simulator.maths", "simulator.faults", "simulator.buildings"},
    "simulator.physics": {"simulator.maths", "simulator.faults", "simulator.cars"},
    "simulator.world": {
        "simulator.maths", "simulator.faults", "simulator.buildings", "simulator.cars", "simulator.physics",
    },
    "simulator.terminals": {"simulator.maths", "simulator.buildings", "simulator.physics", "simulator.world"},
    "simulator.scenarios": {
        "simulator.maths", "simulator.faults", "simulator.buildings", "simulator.physics", "simulator.world",
        "simulator.terminals.network",
    },
    "simulator.playback": {"simulator"},
}  # fmt: skip

# The core touches nothing.
CORE = ("telemetry", "registry", "detectors", "alerts")
PURE = {
    "__future__", "array", "base64", "binascii", "bisect", "collections", "contextlib", "csv", "dataclasses", "decimal",
    "difflib", "enum", "functools", "hashlib", "heapq", "io", "itertools", "json", "math", "numbers", "operator", "re",
    "statistics", "string", "struct", "sys", "types", "typing", "unicodedata", "zlib",
}  # fmt: skip
CODECS_AND_MATHS = {"cbor2", "numba", "numpy", "orjson", "scipy", "simdjson"}
# Instants are integers inside; few files of the core know the calendar: where the contract writes instants and dates,
# and where rosters have days, hours and holidays.
CALENDAR = {
    "telemetry.instant": {"datetime"},
    "registry.fact_checks": {"datetime", "zoneinfo"},
    "registry.duty.civil_time": {"datetime", "zoneinfo"},
    "registry.duty.calendar_feed": {"datetime", "icalendar"},
    "registry.duty.public_holidays": {"holidays"},
}
# Two modules of the core read a file that is packaged with them: the catalogue, and the list of common passwords.
PACKAGED_DATA = {"registry.catalogue": {"importlib", "tomllib"}, "registry.passwords": {"importlib"}}
# One module of the core reads sources, and looks for a cache: compiled code is stale when its sources change.
SOURCES = {"telemetry.compiled": {"inspect", "os"}}
# What the core takes from packages that need not be installed.
# One room of the core reads the text of rule files, and evaluates their expressions over columns.
RULE_FILES = {
    "detectors.rule_files.expression": {"polars"},
    "detectors.rule_files.condition": {"polars"},
    "detectors.rule_files.parsing": {"tomllib"},
}
OPTIONAL = {"detectors.series.matrix_profile": {"stumpy"}, "detectors.series.estimator": {"sklearn"}}
OF_THE_INTERPRETER = {"byteorder", "float_info", "maxsize"}  # what of `sys` is a number, not the world
WORLDLY_NAMES = {"open", "print", "input", "breakpoint", "exec", "eval"}
WORLDLY_METHODS = {("datetime", "now"), ("datetime", "utcnow"), ("date", "today"), ("random", "default_rng")}

MIGRATIONS = "store.records.migrations.versions"
FILES_LIMIT = 22
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "core", "base", "manager", "service", "models", "misc"}
# What tools make beside the tree: never kept, so never looked at.
MADE = re.compile(r"(^|/)(\.git|\.venv[^/]*|__pycache__|\.\w+_cache|\.hypothesis|\.schemathesis|build|[^/]*egg-info)/")
LOCK_FILES = re.compile(r"(^|/)([^/]*\.lock|[^/]*-lock\.(json|ya?ml)|npm-shrinkwrap\.json|go\.sum)$")
# Put together here, so that this file may lie in the tree as well.
MACHINE_PATH = re.compile(r"(?<![\w.:/*-])/(?:" + "|".join(["work", "root", "home", "Users", "opt/wheels"]) + r")/\w")
REGISTRIES = re.compile(
    "|".join(
        re.escape(f"{host}.{end}")
        for host, end in [
            ("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"), ("yarnpkg", "com"),
            ("crates", "io"), ("proxy.golang", "org"), ("deb.debian", "org"), ("unpkg", "com"), ("jsdelivr", "net"),
        ]
    )
)  # fmt: skip


@cache
def modules(root: Path) -> dict[str, ast.Module]:
    """Return the tree of every module of the house by its dotted name; a package goes by its folder's name."""
    found = {}
    for top in sorted(root.iterdir()):
        if top.name.startswith(".") or top.name in ("build", "dist"):
            continue
        for path in sorted(top.rglob("*.py")) if top.is_dir() else [top] * (top.suffix == ".py"):
            parts = path.relative_to(root).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return found


def imported(tree: ast.AST, known: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield the line and the dotted name of each import; a name taken from a package is its module where it is one."""
    known = set(known)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import hides where it points"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield node.lineno, inner if inner in known else str(node.module)


def room(name: str) -> str:
    """Return the top-level folder, or the top-level module, that a dotted name is in."""
    return name.partition(".")[0]


def wrong_directions(root: Path) -> list[str]:
    """Return imports from one room to another that the table does not allow, and rooms that it does not know."""
    house = modules(root)
    ours = {room(name) for name in house}
    found = [f"{name} is a room without a line in the table" for name in sorted(ours - set(MAY_IMPORT) - SEES_ALL)]
    for name, tree in house.items():
        if room(name) in SEES_ALL or room(name) not in MAY_IMPORT:
            continue
        for line, target in imported(tree, house):
            allowed = MAY_IMPORT[room(name)] | {room(name)}
            if room(target) in ours and not within(target, allowed):
                found.append(f"{name}:{line} may not import {target}")
    return found


def within(name: str, rooms: Iterable[str]) -> bool:
    """Return whether a module is one of these, or in one of these."""
    return any(name == each or name.startswith(f"{each}.") for each in rooms)


def broken_walls(root: Path) -> list[str]:
    """Return imports between the rooms inside a folder that the table of walls does not allow."""
    house, found = modules(root), []
    for name, tree in house.items():
        top, _, inner = name.partition(".")
        own = ".".join(name.split(".")[:2])
        if top not in MAY_IMPORT or "." not in inner:
            continue
        if own not in WALLS:
            found.append(f"{own} is a room without a line in the table of walls")
            continue
        for line, target in imported(tree, house):
            if room(target) == top and target != top and not within(target, {own, *WALLS[own]}):
                found.append(f"{name}:{line} may not import {target}")
    return found


def crowded_folders(root: Path) -> list[str]:
    """Return folders with so many files that they want rooms; migrations are one list in the order of time."""
    count = Counter(name.rpartition(".")[0] for name in modules(root) if room(name) in MAY_IMPORT and "." in name)
    del count[MIGRATIONS]
    return [f"{folder} has {n} files; give it rooms" for folder, n in sorted(count.items()) if n > FILES_LIMIT]


def cycles(root: Path) -> list[str]:
    """Return the first ring of modules that import each other."""
    house = modules(root)
    graph = {name: {t for _, t in imported(tree, house) if t in house and t != name} for name, tree in house.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [" -> ".join(reversed(error.args[1]))]
    return []


def hidden_imports(root: Path) -> list[str]:
    """Return imports of our own inside a function, and imports for the type checker alone."""
    house = modules(root)
    ours, found = {room(name) for name in house}, []
    for name, tree in house.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                inner = {(line, target) for line, target in imported(node, house) if room(target) in ours}
                found += [f"{name}:{line} imports {target} inside a function" for line, target in sorted(inner)]
            if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
                found.append(f"{name}:{node.lineno} imports for the type checker alone")
    return found


def reaches_out(node: ast.Name | ast.Attribute) -> bool:
    """Return whether a name reaches past a program's arguments."""
    if isinstance(node, ast.Name):
        return node.id in WORLDLY_NAMES
    owner = ast.unparse(node.value).rpartition(".")[2]
    return (owner, node.attr) in WORLDLY_METHODS or (owner == "sys" and node.attr not in OF_THE_INTERPRETER)


def worldly_core(root: Path) -> list[str]:
    """Return what in the core reaches for the world: a socket, a file, the clock, the environment, a log, a thread."""
    house = modules(root)
    ours, found = {room(name) for name in house}, []
    for name, tree in house.items():
        if room(name) not in CORE:
            continue
        for line, target in imported(tree, house):
            exceptions = (each.get(name, set()) for each in (CALENDAR, PACKAGED_DATA, SOURCES, OPTIONAL, RULE_FILES))
            allowed = (PURE | CODECS_AND_MATHS | ours).union(*exceptions)
            if room(target) not in allowed:
                found.append(f"{name}:{line} is of the core and may not import {target}")
        found += [
            f"{name}:{node.lineno} is of the core and may not use {ast.unparse(node)}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Name | ast.Attribute) and reaches_out(node)
        ]
    return found


def empty_names(root: Path) -> list[str]:
    """Return modules and folders named for nothing in particular."""
    return [f"{name} has an empty name" for name in modules(root) if EMPTY_NAMES & set(name.split("."))]


def names_given_twice(root: Path) -> list[str]:
    """Return the names of classes and types that two modules of the product, or of the benchmarks, define."""
    defined: dict[str, list[str]] = {}
    for name, tree in modules(root).items():
        if room(name) != "tests":
            for each in [*classes(tree), *type_aliases(tree)]:
                defined.setdefault(each, []).append(name)
    return [f"{name} is a class in {' and '.join(places)}" for name, places in defined.items() if len(places) > 1]


def classes(tree: ast.Module) -> Iterator[str]:
    """Yield the name of each class."""
    yield from (node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef))


def type_aliases(tree: ast.Module) -> Iterator[str]:
    """Yield each name in CamelCase that the module assigns."""
    for node in tree.body:
        if isinstance(node, ast.Assign):
            names = (target.id for target in node.targets if isinstance(target, ast.Name))
            yield from (name for name in names if name[0].isupper() and not name.isupper() and "_" not in name)


def litter(root: Path) -> list[str]:
    """Return tracked files that pin by lock file, or that name a machine's folder or a registry's host."""
    found = []
    for name in tracked(root):
        path = root / name
        if LOCK_FILES.search(name):
            found.append(f"{name} is a lock file; constraints.txt is enough")
        if path.is_symlink() or not path.is_file():
            continue
        text = path.read_bytes().decode("utf-8", errors="replace")
        for law, what in ((MACHINE_PATH, "a machine's folder"), (REGISTRIES, "a registry's host")):
            found += [f"{name}:{text.count(chr(10), 0, hit.start()) + 1} names {what}" for hit in law.finditer(text)]
    return found


def loose_pins(root: Path) -> list[str]:
    """Return lines of the constraints that are more, or less, than a name and a version."""
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pin = re.compile(r"[A-Za-z0-9][\w.-]*==[\w.!+]+")
    return [f"constraints.txt: {line}" for line in lines if not line.startswith("#") and not pin.fullmatch(line)]


def unbound_processes(root: Path) -> list[str]:
    """Return the places where tests start a process that may outlive them."""
    return [
        f"{path.relative_to(root)}:{node.lineno} starts a process: tests.processes ends it with the test's own"
        for path in sorted((root / "tests").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "subprocess.Popen" and path.stem != "processes"
    ]


def tracked(root: Path) -> list[str]:
    """Return the files that git keeps; where there is no git, those that are there."""
    try:
        listed = subprocess.run(["git", "-C", str(root), "ls-files", "-z"], capture_output=True, check=True, text=True)
        return [name for name in listed.stdout.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        files = (str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
        return [name for name in files if not MADE.search(name)]


LAWS: list[Callable[[Path], list[str]]] = [
    wrong_directions, broken_walls, crowded_folders, cycles, hidden_imports, worldly_core, empty_names,
    names_given_twice, litter,
    loose_pins, unbound_processes,
]  # fmt: skip

BREAKS: list[tuple[Callable[[Path], list[str]], dict[str, str], str]] = [
    (wrong_directions, {"telemetry/a.py": "import detectors.b", "detectors/b.py": ""}, "telemetry.a:1 may not"),
    (wrong_directions, {"simulator/a.py": "from detectors import b", "detectors/b.py": ""}, "simulator.a:1 may not"),
    (wrong_directions, {"store/a.py": "import ingest", "ingest/__init__.py": ""}, "store.a:1 may not import ingest"),
    (wrong_directions, {"dashboards/a.py": "from detectors.door import x", "detectors/door.py": ""}, "detectors.door"),
    (wrong_directions, {"telemetry/a.py": "import configuration", "configuration.py": ""}, "telemetry.a:1 may not"),
    (wrong_directions, {"ingest/a.py": "import liftwatch", "liftwatch.py": ""}, "ingest.a:1 may not import liftwatch"),
    (wrong_directions, {"stuff/a.py": ""}, "stuff is a room without a line"),
    (broken_walls, {"simulator/maths/a.py": "import simulator.cars.b", "simulator/cars/b.py": ""}, "may not import"),
    (broken_walls, {"telemetry/wire/a.py": "from telemetry.order import b", "telemetry/order/b.py": ""}, "may not"),
    (broken_walls, {"store/attic/a.py": ""}, "store.attic is a room without a line"),
    (crowded_folders, {f"store/a{i}.py": "" for i in range(30)}, "store has 30 files"),
    (cycles, {"store/a.py": "from store import b", "store/b.py": "import store.a"}, "store."),
    (hidden_imports, {"store/a.py": "def f():\n    import store.b", "store/b.py": ""}, "store.a:2 imports store.b"),
    (hidden_imports, {"store/a.py": "if typing.TYPE_CHECKING:\n    import x"}, "store.a:1 imports for the type"),
    (worldly_core, {"telemetry/a.py": "import socket"}, "telemetry.a:1 is of the core and may not import socket"),
    (worldly_core, {"detectors/a.py": "from os import environ"}, "may not import os"),
    (worldly_core, {"alerts/book.py": "import time"}, "may not import time"),
    (worldly_core, {"alerts/book.py": "import logging.handlers"}, "may not import logging.handlers"),
    (worldly_core, {"detectors/a.py": "from threading import Lock"}, "may not import threading"),
    (worldly_core, {"detectors/a.py": "import httpx"}, "may not import httpx"),
    (worldly_core, {"detectors/a.py": "import sys\nsys.argv"}, "may not use sys.argv"),
    (worldly_core, {"detectors/a.py": "open('x')"}, "may not use open"),
    (
        worldly_core,
        {"detectors/a.py": "def f():\n    return datetime.datetime.now()"},
        "may not use datetime.datetime.now",
    ),
    (empty_names, {"store/utils.py": ""}, "store.utils has an empty name"),
    (empty_names, {"core/a.py": ""}, "core.a has an empty name"),
    (names_given_twice, {"store/a.py": "class A: ...", "ingest/b.py": "class A: ..."}, "A is a class in ingest.b and"),
    (
        names_given_twice,
        {"store/a.py": "class A: ...", "benchmarks/b.py": "class A: ..."},
        "A is a class in benchmarks",
    ),
    (
        names_given_twice,
        {"store/a.py": "Row = dict", "ingest/b.py": "class Row: ..."},
        "Row is a class in ingest.b and",
    ),
    (litter, {"uv.lock": ""}, "uv.lock is a lock file"),
    (litter, {"package-lock.json": ""}, "package-lock.json is a lock file"),
    (litter, {"a.md": "see\n/home" + "/someone/notes"}, "a.md:2 names a machine's folder"),
    (litter, {"a.md": "from https://files.python" + "hosted.org/x"}, "a.md:1 names a registry's host"),
    (unbound_processes, {"tests/a.py": "import subprocess\nsubprocess.Popen([])"}, "tests/a.py:2 starts a process"),
    (loose_pins, {"constraints.txt": "numpy>=2"}, "constraints.txt: numpy>=2"),
    (loose_pins, {"constraints.txt": "numpy==2.4.6 --hash=sha256:00"}, "constraints.txt: numpy==2.4.6 --hash"),
    (loose_pins, {"constraints.txt": "numpy @ https://example.org/numpy.whl"}, "constraints.txt: numpy @"),
]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_the_house_keeps_its_law(law: Callable[[Path], list[str]]) -> None:
    assert law(ROOT) == []


@pytest.mark.parametrize(("law", "tree", "complaint"), BREAKS)
def test_a_broken_house_is_noticed(
    law: Callable[[Path], list[str]], tree: dict[str, str], complaint: str, tmp_path: Path
) -> None:
    for name, text in tree.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    (found,) = law(tmp_path)
    assert complaint in found


def test_where_there_is_no_git_what_tools_made_is_not_of_the_house(tmp_path: Path) -> None:
    made = (".git/config", ".venv/a.py", "store/__pycache__/a.pyc", ".ruff_cache/0.1/a")
    for name in (*made, ".gitignore", ".github/a.yml", "store/a.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert set(tracked(tmp_path)) == {".gitignore", ".github/a.yml", "store/a.py"}


def test_every_law_is_shown_to_fail() -> None:
    assert {law for law, _, _ in BREAKS} == set(LAWS)


def test_the_house_is_not_empty() -> None:
    assert {room(name) for name in modules(ROOT)} >= set(MAY_IMPORT) | {"liftwatch", "tests"}
