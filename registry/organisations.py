"""Organisations: who owns, keeps, insures, makes, supervises or watches lifts, and the checks of their fields.

A lift names its organisations by text, so an organisation has a present name and former names; all of them are unique
over all organisations, compared by `name_key`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from registry.fact_checks import CHECKS, FieldError, InvalidFact, boolean, choice, text
from registry.lift_facts import name_in_language
from registry.roles import OrganisationKind
from registry.scope import NO_LIFTS, LiftScope, lifts_of

KIND, DISTRICTS, SETTINGS = "kind", "districts", "settings"
DISTRICTS_LIMIT = 100
TELEPHONES_LIMIT = 10

KIND_OF_FACT: Mapping[str, OrganisationKind] = {
    "maintenance_firm": OrganisationKind.MAINTENANCE_FIRM,
    "owner": OrganisationKind.OWNER,
    "manufacturer": OrganisationKind.MANUFACTURER,
    "insurer": OrganisationKind.INSURER,
}
"""The facts of a lift that name an organisation, and the kind of an organisation that is first named there."""


def name_key(name: str) -> str:
    """Return the form of an organisation's name that is unique: `ＡＢＣ  Lifts` and `ABC Lifts` are one name."""
    return " ".join(unicodedata.normalize("NFKC", name).split())


def spoken_key(name: str) -> str:
    """Return the form in which a person may write an organisation's name: without regard to case and spaces."""
    return name_key(name).casefold()


@dataclass(frozen=True, slots=True)
class OrganisationSettings:
    """The settings of an organisation. `second_person`: dangerous changes of its lifts need a second person.

    `second_factor`: its people act for it only with a second factor.
    """

    second_person: bool = False
    second_factor: bool = False


@dataclass(frozen=True, slots=True)
class Organisation:
    """One organisation; `names` are the present and the former names, as lifts may have them."""

    organisation_id: str
    kind: OrganisationKind
    name: str
    names: frozenset[str] = frozenset()
    name_en: str | None = None
    name_zh: str | None = None
    districts: tuple[str, ...] = ()
    telephones: tuple[str, ...] = ()
    duty_telephone: str | None = None
    address: str | None = None
    settings: OrganisationSettings = field(default_factory=OrganisationSettings)
    closed_ns: int | None = None
    revision: int = 0

    @property
    def lifts(self) -> LiftScope:
        """The lifts of the organisation; none where it is closed."""
        if self.closed_ns is not None:
            return NO_LIFTS
        lifts = lifts_of(self.kind, self.names, frozenset(self.districts))
        return lifts if lifts.everything else replace(lifts, organisation_id=self.organisation_id)

    @property
    def partial_names(self) -> set[str]:
        """The names in one language, and the halves of the present and former names: several may have the same."""
        halves = {name_in_language(name, language) for name in {self.name, *self.names} for language in ("en", "zh")}
        return (halves | {each for each in (self.name_en, self.name_zh) if each}) - self.names

    def name_in(self, language: str) -> str:
        """Return the name in a language, the half of the present name in it where there is none."""
        return {"en": self.name_en, "zh": self.name_zh}.get(language) or name_in_language(self.name, language)


def guarded_fields(before: Organisation, changes: Mapping[str, Any]) -> list[str]:
    """Return the fields among changes of an organisation that can hide a danger, so that they require a reason.

    These are its kind and districts, which decide who sees which lifts, and settings that end its demand for a second
    person.
    """
    found = [name for name in (KIND, DISTRICTS) if name in changes and changes[name] != getattr(before, name)]
    settings = changes.get(SETTINGS, before.settings)
    return [*found, *([SETTINGS] if before.settings.second_person and not settings.second_person else [])]


def needs_second_person(organisation_id: str, organisations: Iterable[Organisation]) -> bool:
    """Return whether a change of an organisation waits for a second person: it or an operator asks for one."""
    return any(
        each.organisation_id == organisation_id or (each.kind is OrganisationKind.OPERATOR and each.closed_ns is None)
        for each in organisations
        if each.settings.second_person
    )


def united(remaining: Organisation, other: Organisation) -> dict[str, Any]:
    """Return the changes of an organisation by a merge: the districts of both, and what either of them demands.

    Districts of an organisation of another kind are not taken over: they would widen what an authority supervises.
    """
    added = other.districts if other.kind is remaining.kind else ()
    districts = tuple(dict.fromkeys([*remaining.districts, *added]))
    names = [each.name for each in fields(OrganisationSettings)]
    demands = {name: getattr(remaining.settings, name) or getattr(other.settings, name) for name in names}
    return {"districts": districts, "settings": OrganisationSettings(**demands)}


def _texts(check: Callable[[Any], str], limit: int) -> Callable[[Any], tuple[str, ...]]:
    """Return a check of a list of texts, given as a list or as text with commas or line breaks."""

    def checked(value: Any) -> tuple[str, ...]:
        parts = value.replace("\n", ",").split(",") if isinstance(value, str) else value
        if not isinstance(parts, list | tuple):
            raise InvalidFact("is not a list", "write texts, separated by commas")
        found = tuple(dict.fromkeys(check(part) for part in parts if part != "" and not str(part).isspace()))
        if len(found) > limit:
            raise InvalidFact(f"has {len(found)} entries", f"give at most {limit}")
        return found

    return checked


def _kind(value: Any) -> OrganisationKind:
    return OrganisationKind(choice(*OrganisationKind)(value))


def _settings(value: Any) -> OrganisationSettings:
    known = [each.name for each in fields(OrganisationSettings)]
    if not isinstance(value, Mapping) or not set(value) <= set(known):
        raise InvalidFact("are not settings", f"write an object of {', '.join(known)}, each true or false")
    return OrganisationSettings(**{name: boolean(setting) for name, setting in value.items()})


_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "kind": _kind,
    "name": text,
    "name_en": text,
    "name_zh": text,
    "districts": _texts(CHECKS["district"], DISTRICTS_LIMIT),
    "telephones": _texts(CHECKS["emergency_phone"], TELEPHONES_LIMIT),
    "duty_telephone": CHECKS["emergency_phone"],
    "address": text,
    "settings": _settings,
}
_EMPTY: Mapping[str, Any] = {"districts": (), "telephones": (), "settings": OrganisationSettings()}


def read_organisation_changes(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldError]]:
    """Return the fields in `given`, as `Organisation` holds them, and all errors; an empty value is unknown."""
    changes: dict[str, Any] = {}
    errors: list[FieldError] = []
    for name, value in given.items():
        if name not in _CHECKS:
            errors.append(FieldError(name, "is not a field of an organisation", f"write one of {', '.join(_CHECKS)}"))
        elif value is None or (isinstance(value, str) and not value.strip()):
            if name in ("kind", "name"):
                errors.append(FieldError(name, "is empty", "every organisation needs one"))
            else:
                changes[name] = _EMPTY.get(name)
        else:
            try:
                changes[name] = _CHECKS[name](value)
            except InvalidFact as error:
                errors.append(FieldError(name, error.wrong, error.remedy))
    return changes, errors
