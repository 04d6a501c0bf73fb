"""An issuer of signed tokens, on a real socket: its keys can be changed, and it can misbehave."""

from __future__ import annotations

import json
import threading
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import time
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

AUDIENCE = "https://api.hub.test"
RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed"})
STRANGE = RSAKey.generate_key(2048, {"kid": "rsa"})


@dataclass
class Issuer:
    url: str = ""
    keys: list[Key] = field(default_factory=lambda: [RSA, EC, ED])
    #: More entries of its key set, as they are.
    others: list[Any] = field(default_factory=list)
    #: Per path: status, headers and body instead of the true ones.
    instead: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)

    def token(self, key: Key = RSA, alg: str = "RS256", header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A good token, but for what is told; a claim or header parameter of None is left out."""
        whole = {"typ": "JWT", "alg": alg, "kid": key.kid, **(header or {})}
        told = {
            "iss": self.url,
            "sub": "robot",
            "aud": AUDIENCE,
            "iat": int(time()),
            "exp": int(time()) + 300,
            **claims,
        }
        unsigned = raw(_present(whole), _present(told)).rpartition(".")[0]
        signature = jws.JWSRegistry(algorithms=[alg]).get_alg(alg).sign(unsigned.encode(), key)
        return f"{unsigned}.{_encoded(signature)}"

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        self.asked[path] += 1
        if path in self.instead:
            return self.instead[path]
        published: dict[str, Any] = {
            "/.well-known/openid-configuration": {"issuer": self.url, "jwks_uri": f"{self.url}/jwks"},
            "/jwks": {"keys": [*self.others, *(key.as_dict(private=False) for key in self.keys)]},
        }
        return (200, {}, json.dumps(published[path]).encode()) if path in published else (404, {}, b"")


@contextmanager
def running() -> Iterator[Issuer]:
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = issuer.answer(self.path)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join()


def raw(header: Any, claims: Any, signature: bytes = b"x") -> str:
    """Three parts, whatever they say."""
    return ".".join(_encoded(part) for part in (header, claims, signature))


def _encoded(part: Any) -> str:
    data = part if isinstance(part, bytes) else json.dumps(part).encode()
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _present(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value is not None}
