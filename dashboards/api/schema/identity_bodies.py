"""Bodies of sessions, accounts and organisations, of requests and of responses."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from dashboards.api.schema.parameters import Instant, TimeText, plain_text
from dashboards.api.schema.request_bodies import RequestBody
from dashboards.api.schema.response_body import ResponseBody
from registry.organisations import DISTRICTS_LIMIT, TELEPHONES_LIMIT
from registry.roles import OrganisationKind, Role

ShortText = Annotated[str, StringConstraints(max_length=200), AfterValidator(plain_text)]
SecretText = Annotated[str, StringConstraints(max_length=1000)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{1,64}$")]
LanguageName = Literal["en", "zh"]
RoleName = Literal["viewer", "mechanic", "dispatcher", "manager", "inspector", "administrator"]
KindName = Literal["authority", "maintenance-firm", "owner", "operator", "manufacturer", "insurer"]


class SignInBody(RequestBody):
    """Login, password and, where the account has one, the one-time code."""

    login: ShortText
    password: SecretText
    code: Annotated[str, StringConstraints(max_length=40)] = ""


class SessionChoice(RequestBody):
    organisation_id: Identifier


class NewToken(RequestBody):
    """A token for a program; `expires` is at most 366 days ahead."""

    name: ShortText
    expires: Instant


class NewMachineToken(NewToken):
    organisation_id: Identifier


class NewPerson(RequestBody):
    """An account with its first role. A machine account has tokens instead of a password."""

    name: ShortText
    login: ShortText
    organisation_id: Identifier
    role: RoleName
    language: LanguageName | None = None
    is_machine: bool = False


class PersonChange(RequestBody):
    name: ShortText = ""
    language: LanguageName | None = None
    is_disabled: bool = False


class RoleChoice(RequestBody):
    role: RoleName


class SettingsOfOrganisation(RequestBody):
    second_person: bool = False
    second_factor: bool = False


class OrganisationChange(RequestBody):
    """Fields of an organisation; null makes a field unknown."""

    kind: KindName | None = None
    name: ShortText | None = None
    name_en: ShortText | None = None
    name_zh: ShortText | None = None
    districts: Annotated[list[ShortText], Field(max_length=DISTRICTS_LIMIT)] | None = None
    telephones: Annotated[list[ShortText], Field(max_length=TELEPHONES_LIMIT)] | None = None
    duty_telephone: ShortText | None = None
    address: ShortText | None = None
    settings: SettingsOfOrganisation | None = None


class Merge(RequestBody):
    """The organisation that is merged into the one in the path, and closed."""

    other_id: Identifier


class OrganisationBody(ResponseBody):
    """An organisation; `names` are the present and the former ones."""

    organisation_id: str
    kind: OrganisationKind
    name: str
    names: list[str]
    name_en: str | None
    name_zh: str | None
    districts: list[str]
    telephones: list[str]
    duty_telephone: str | None
    address: str | None
    settings: dict[str, bool]
    closed_at: TimeText | None


class MembershipBody(ResponseBody):
    organisation_id: str
    organisation: str
    kind: OrganisationKind
    role: Role


class PersonBody(ResponseBody):
    """An account; only the memberships that the reader sees."""

    person_id: str
    name: str
    login: str
    language: str | None
    is_machine: bool
    is_disabled: bool
    has_password: bool
    has_totp: bool
    has_subject: bool
    memberships: list[MembershipBody]


class Me(ResponseBody):
    """Who asks; `person` is null where the server runs without sign-in. `csrf` goes into the header X-CSRF-Token."""

    person: PersonBody | None
    organisation_id: str | None
    role: Role | None
    verbs: list[str]
    csrf: str


class SessionBody(ResponseBody):
    session_id: str
    created_at: TimeText
    used_at: TimeText
    address: str
    agent: str
    is_current: bool


class TokenBody(ResponseBody):
    token_id: str
    organisation_id: str
    name: str
    created_at: TimeText
    expires_at: TimeText
    used_at: TimeText | None


class SecretBody(ResponseBody):
    """A secret that is shown this once."""

    secret: str


class LinkBody(ResponseBody):
    """A one-time link, shown this once: the path on this server."""

    path: str


class SessionList(ResponseBody):
    items: list[SessionBody]
    next: str | None


class TokenList(ResponseBody):
    items: list[TokenBody]
    next: str | None


class PersonList(ResponseBody):
    items: list[PersonBody]
    next: str | None


class OrganisationList(ResponseBody):
    items: list[OrganisationBody]
    next: str | None
