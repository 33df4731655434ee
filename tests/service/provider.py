"""A small provider of OpenID Connect on loopback: it knows one person at a time, and can be told to answer wrongly."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "kpf", "a secret of this client"


class Provider:
    """Runs while the ``with`` block does.

    Parameters
    ----------
    person : dict
        Claims of whoever is at the browser.
    wrong : dict
        Claims that the ID token has instead of the right ones.
    sign_with : RSAKey
        Key that signs; the published one unless a test says otherwise.
    """

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.sign_with = self.key
        self.person: dict[str, Any] = {"sub": "u-1", "name": "A. Expert", "groups": ["kp-monitors"]}
        self.wrong: dict[str, Any] = {}
        self.asked: dict[str, dict[str, str]] = {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> Provider:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.server.shutdown()
        self.server.server_close()

    def authorize(self, given: dict[str, str]) -> str:
        """Return where the browser is sent after somebody has agreed."""
        assert given["response_type"] == "code"
        assert given["client_id"] == CLIENT
        assert given["code_challenge_method"] == "S256"
        code = f"code-{len(self.asked)}"
        self.asked[code] = given
        return f"{given['redirect_uri']}?{urlencode({'code': code, 'state': given['state']})}"

    def token(self, given: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """Return an ID token for a code, once, to the client that asked for it."""
        scheme, _, secret = authorization.partition(" ")
        asked = self.asked.pop(given.get("code", ""), None)
        known = scheme == "Basic" and base64.b64decode(secret).decode() == f"{CLIENT}:{SECRET}"
        challenge = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        if (
            asked is None
            or not known
            or base64.urlsafe_b64encode(challenge).decode().rstrip("=") != asked["code_challenge"]
        ):
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": asked["nonce"], **self.person}
        signed = jwt.encode({"alg": "RS256", "kid": "one"}, claims | self.wrong, self.sign_with)
        return 200, {"access_token": "x", "token_type": "Bearer", "expires_in": 60, "id_token": signed}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self, status: int, document: Any, **headers: str) -> None:
                body = json.dumps(document).encode()
                self.send_response(status)
                for name, value in {
                    "Content-Type": "application/json",
                    "Content-Length": str(len(body)),
                    **headers,
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self) -> None:
                address = urlsplit(self.path)
                given = {name: values[0] for name, values in parse_qs(address.query).items()}
                if address.path == "/.well-known/openid-configuration":
                    places = {f"{name}_endpoint": f"{provider.url}/{name}" for name in ("authorization", "token")}
                    told = {"issuer": provider.url, "jwks_uri": f"{provider.url}/jwks", **places}
                    self.answer(200, told | {"id_token_signing_alg_values_supported": ["RS256"]})
                elif address.path == "/jwks":
                    self.answer(200, {"keys": [provider.key.as_dict(private=False)]})
                else:
                    self.answer(302, {}, Location=provider.authorize(given))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                given = {name: values[0] for name, values in parse_qs(body).items()}
                self.answer(*provider.token(given, self.headers.get("Authorization", "")))

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler
