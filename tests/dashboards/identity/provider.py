"""A provider of OpenID Connect on loopback: authorization code with PKCE, one client, one user at a time.

It refuses what a provider must refuse: another client, another redirect address, a missing challenge, a code used twice
and a wrong verifier. `spoil` changes the claims, the header or the key of the next ID token.
"""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT_ID, CLIENT_SECRET = "liftwatch", "client secret"


class Provider:
    """The state of a provider, and what its next answers are."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig", "alg": "RS256"})
        self.issuer = ""
        self.reset()

    def reset(self) -> None:
        """Forget the codes, and answer soundly about the first user again."""
        self.user: dict[str, Any] = {"sub": "subject-1", "email": "invited@example.org", "email_verified": True}
        self.codes: dict[str, dict[str, str]] = {}
        self.spoil: dict[str, Any] = {}
        self.claimed_issuer = ""

    def metadata(self) -> dict[str, Any]:
        """Return the metadata of discovery."""
        return {
            "issuer": self.claimed_issuer or self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }

    def authorize(self, query: dict[str, str]) -> tuple[int, str]:
        """Return 302 and the address of the client with a code, or 400."""
        needed = {"response_type": "code", "client_id": CLIENT_ID, "code_challenge_method": "S256"}
        if not needed.items() <= query.items() or not query.get("code_challenge") or "openid" not in query["scope"]:
            return 400, ""
        code = secrets.token_urlsafe(8)
        self.codes[code] = query
        return 302, f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, fields: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """Return 200 and an ID token for a code, or 400 and the error."""
        credentials = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        asked = self.codes.pop(fields.get("code", ""), None)
        if authorization != f"Basic {credentials}":
            return 401, {"error": "invalid_client"}
        if asked is None or asked["redirect_uri"] != fields.get("redirect_uri"):
            return 400, {"error": "invalid_grant"}
        if create_s256_code_challenge(fields.get("code_verifier", "")) != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "a", "token_type": "Bearer", "id_token": self.id_token(asked["nonce"])}

    def id_token(self, nonce: str) -> str:
        """Return a signed ID token of the user."""
        now_s = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now_s, "exp": now_s + 300, "nonce": nonce, **self.user}
        claims = {name: value for name, value in (claims | self.spoil.get("claims", {})).items() if value is not None}
        if self.spoil.get("alg") == "none":
            parts = ({"alg": "none"}, claims)
            return (
                ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
                + "."
            )
        if self.spoil.get("alg") == "HS256":
            key = OctKey.import_key(self.key.as_pem(private=False))
            return jwt.encode({"alg": "HS256", "kid": "k1"}, claims, key)
        key = self.spoil.get("key", self.key)
        return jwt.encode({"alg": "RS256", "kid": "k1"}, claims, key)


@contextmanager
def running_provider() -> Iterator[Provider]:
    """Run a provider on a loopback port."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, query = urlsplit(self.path).path, urlsplit(self.path).query
            if path == "/authorize":
                status, location = provider.authorize({name: values[0] for name, values in parse_qs(query).items()})
                self.send_response(status)
                self.send_header("Location", location)
                self.end_headers()
            elif path == "/keys":
                self.answer(200, {"keys": [provider.key.as_dict(private=False)]})
            else:
                self.answer(200, provider.metadata())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            fields = {name: values[0] for name, values in parse_qs(body).items()}
            self.answer(*provider.token(fields, self.headers.get("Authorization", "")))

        def answer(self, status: int, body: dict[str, Any]) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
