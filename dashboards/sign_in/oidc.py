"""Sign-in with OpenID Connect: the authorization code flow with PKCE, state and nonce.

    /sign-in/oidc ─► provider (state, nonce, challenge) ─► /sign-in/oidc/return ─► code, verifier ─► ID token ─► subject

An attempt is kept for ten minutes, used once, and bound to the browser that began it by a cookie. Only signatures with
a public key of the provider are accepted.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from dashboards.sign_in.attempts import network
from dashboards.sign_in.settings import OidcSettings
from store.records.identity.sessions import hashed

ATTEMPT_S = 600.0
ATTEMPTS_LIMIT, ATTEMPTS_OF_ADDRESS = 1000, 50
"""The attempts that are kept, and those of one address: beyond, its oldest is forgotten."""
METADATA_S = 3600.0
TIMEOUT_S = 5.0
ANSWER_LIMIT_BYTES = 256 * 1024
LEEWAY_S = 60
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA", "Ed25519")
SCOPES = "openid email profile"


class OidcRefused(Exception):
    """A sign-in that the provider, or the check of its answer, refused; the text is for the log."""


class OidcUnknownAttempt(OidcRefused):
    """A return without an attempt of this browser, which anybody can send."""


@dataclass(frozen=True, slots=True)
class OidcAttempt:
    """One attempt: its secrets, and the page and the one-time link that it began at."""

    binding: str
    nonce: str
    verifier: str
    redirect_uri: str
    target: str
    link: str
    begun_s: float
    address: str


@dataclass(frozen=True, slots=True)
class OidcSubject:
    """Whom the provider names: issuer and subject are for ever, the e-mail address is None unless it is verified."""

    issuer: str
    subject: str
    email: str | None


class OidcClient:
    """This server as a client of one provider; safe from any thread."""

    def __init__(self, settings: OidcSettings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._attempts: OrderedDict[str, OidcAttempt] = OrderedDict()
        self._metadata: dict[str, Any] = {}
        self._read_s = -METADATA_S

    def begin(self, redirect_uri: str, target: str, link: str, address: str) -> tuple[str, str]:
        """Return the address at the provider, and the secret of the cookie that binds the attempt to the browser."""
        state, binding, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(4))
        begun_s, origin = time.monotonic(), network(address)
        attempt = OidcAttempt(hashed(binding), nonce, verifier, redirect_uri, target, link, begun_s, origin)
        endpoint = self._endpoint("authorization_endpoint")
        with self._lock:
            own = [each for each, kept in self._attempts.items() if kept.address == origin]
            if len(own) >= ATTEMPTS_OF_ADDRESS:
                del self._attempts[own[0]]
            self._attempts[state] = attempt
            while len(self._attempts) > ATTEMPTS_LIMIT:
                self._attempts.popitem(last=False)
        location = prepare_grant_uri(
            endpoint, self.settings.client_id, "code", redirect_uri=redirect_uri, scope=SCOPES, state=state,
            nonce=nonce, code_challenge=create_s256_code_challenge(verifier), code_challenge_method="S256",
        )  # fmt: skip
        return str(location), binding

    def finish(self, state: str, binding: str, code: str, now_s: float) -> tuple[OidcAttempt, OidcSubject]:
        """Use up an attempt and return whom the provider names; raise OidcRefused."""
        with self._lock:
            attempt = self._attempts.pop(state, None)
        if attempt is None or time.monotonic() - attempt.begun_s > ATTEMPT_S:
            raise OidcUnknownAttempt("the attempt is unknown, was used or has expired")
        if not secrets.compare_digest(attempt.binding, hashed(binding)):
            raise OidcUnknownAttempt("the attempt was begun by another browser")
        token = self._exchange(attempt, code)
        claims = self._verified_claims(token, attempt.nonce, now_s)
        email = claims.get("email") if claims.get("email_verified") is True else None
        return attempt, OidcSubject(self.settings.issuer, str(claims["sub"]), None if email is None else str(email))

    def _exchange(self, attempt: OidcAttempt, code: str) -> str:
        """Return the ID token for a code."""
        fields = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": attempt.redirect_uri,
            "code_verifier": attempt.verifier,
        }  # fmt: skip
        answer = self._ask("POST", self._endpoint("token_endpoint"), data=fields, auth=self._auth())
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise OidcRefused(f"the provider gave no ID token: {str(answer.get('error', ''))[:100]}")
        return token

    def _verified_claims(self, token: str, nonce: str, now_s: float) -> CodeIDToken:
        """Return the claims of an ID token whose signature, issuer, audience, nonce and times are right."""
        try:
            keys = KeySet.import_key_set(self._ask("GET", self._endpoint("jwks_uri")))  # type: ignore[arg-type]
            decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
            options = {
                "iss": {"essential": True, "value": self.settings.issuer},
                "aud": {"essential": True, "value": self.settings.client_id},
            }
            params = {"nonce": nonce, "client_id": self.settings.client_id}
            claims = CodeIDToken(decoded.claims, decoded.header, options, params)
            claims.validate(now=int(now_s), leeway=LEEWAY_S)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise OidcRefused(f"the ID token is not valid: {error}") from None
        return claims

    def _endpoint(self, name: str) -> str:
        """Return an address of the provider's metadata, which is read again after an hour."""
        if time.monotonic() - self._read_s >= METADATA_S:
            found = self._ask("GET", self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration")
            if found.get("issuer") != self.settings.issuer:
                raise OidcRefused("the metadata of the provider name another issuer")
            self._metadata, self._read_s = found, time.monotonic()
        endpoint = self._metadata.get(name)
        if not isinstance(endpoint, str):
            raise OidcRefused(f"the metadata of the provider have no {name}")
        return endpoint

    def _auth(self) -> httpx.BasicAuth:
        return httpx.BasicAuth(self.settings.client_id, self.settings.client_secret)

    def _ask(self, method: str, url: str, **content: Any) -> dict[str, Any]:
        """Return the JSON object that the provider answers with; raise OidcRefused."""
        try:
            answer = httpx.request(method, url, timeout=TIMEOUT_S, headers={"Accept": "application/json"}, **content)
            found = answer.json() if len(answer.content) <= ANSWER_LIMIT_BYTES else None
        except (httpx.HTTPError, ValueError) as error:
            raise OidcRefused(f"the provider does not answer: {error}") from None
        if not isinstance(found, dict):
            raise OidcRefused(f"the provider answered {answer.status_code} without a JSON object")
        return found
