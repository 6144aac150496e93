"""The rules of the operator's own: those of rule files, and those that installed packages offer by entry points."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from commands.errors import Unusable
from configuration import Configuration
from detectors.rule import Rule
from detectors.rule_files.parsing import BadRuleFile, parse
from registry.catalogue import SEVERITIES, BadCatalogue, CatalogueEntry, add_own

GROUP = "liftwatch.rules"
"""The group of entry points; each names a `Rule` or several."""
FILE_LIMIT_BYTES = 1 << 20


def own_rules(settings: Configuration, files: Iterable[Path] = ()) -> tuple[Rule, ...]:
    """Return the rules of the configured files, of `files` and of installed packages; add them to the catalogue."""
    found = [rule for path in (*settings.detection.rule_files, *files) for rule in rules_of_file(path)]
    found += [rule for name in entry_points(group=GROUP) for rule in rules_of_package(name)]
    try:
        add_own(map(entry_of, found))
    except BadCatalogue as error:
        raise Unusable(f"own rules: {error}; choose another") from None
    return tuple(found)


def rules_of_file(path: Path) -> tuple[Rule, ...]:
    """Return the rules of a file; raise Unusable with all its faults."""
    try:
        with path.open("rb") as file:
            content = file.read(FILE_LIMIT_BYTES + 1)
    except OSError as error:
        raise Unusable(f"{path}: cannot be read ({error.strerror})") from None
    if len(content) > FILE_LIMIT_BYTES:
        raise Unusable(f"{path}: larger than {FILE_LIMIT_BYTES >> 20} MiB; split the file")
    try:
        return parse(content.decode("utf-8-sig"), str(path))
    except UnicodeDecodeError as error:
        raise Unusable(f"{path} is not UTF-8 at byte {error.start}; save it as UTF-8") from None
    except BadRuleFile as error:
        raise Unusable(str(error)) from None


def rules_of_package(name: EntryPoint) -> Iterator[Rule]:
    """Yield the rules that an entry point names; raise Unusable where it names anything else."""
    try:
        named = name.load()
    except Exception as error:
        raise Unusable(f"{_origin(name)}: cannot be loaded ({type(error).__name__}: {error})") from None
    for rule in named if isinstance(named, Sequence) else (named,):
        if not isinstance(rule, Rule):
            raise Unusable(f"{_origin(name)}: {name.value} must be a detectors.rule.Rule, or a tuple of them")
        yield rule


def entry_of(rule: Rule) -> CatalogueEntry:
    """Return the row of the catalogue that a rule of one's own has."""
    severities = tuple(SEVERITIES[number] for number in sorted({level.severity for level in rule.levels}))
    return CatalogueEntry(
        slug=rule.slug,
        code=rule.code,
        severities=severities,
        group="other",
        name=rule.name,
        sentence=rule.sentence,
        codes=rule.codes,
        always_judged=rule.always_judged,
        incident=rule.incident,
    )


def _origin(name: EntryPoint) -> str:
    package = name.dist.name if name.dist else "an installed package"
    return f"entry point {name.name} of {package}"
