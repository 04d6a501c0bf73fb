"""Who opens a request in good standing and holds its body back is who they are when it has come."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from typing import Any

import orjson
import sqlalchemy as sa

from domain.hub import Hub
from domain.identity import tokens
from domain.work import HUB, Viewer
from server.app import make_app
from storage.tables import PrincipalRow, TokenRow
from tests.asking import rows_everywhere


async def post(app: Any, token: str, body: bytes, meanwhile: Callable[[], None]) -> dict[str, Any]:
    """The answer to a request whose body comes only after something else was done."""
    sent: list[dict[str, Any]] = []
    done = asyncio.Event()
    parts = iter([body])

    async def receive() -> dict[str, Any]:
        part = next(parts, None)
        if part is None:
            await done.wait()
            return {"type": "http.disconnect"}
        await asyncio.to_thread(meanwhile)
        return {"type": "http.request", "body": part, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            done.set()

    headers = {
        "host": "hub.test",
        "authorization": f"Bearer {token}",
        "content-type": "application/json",
        "content-length": str(len(body)),
    }
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("hub.test", 80),
    }
    await app(scope, receive, send)
    answer: dict[str, Any] = json.loads(b"".join(each.get("body", b"") for each in sent))
    return answer


def test_a_token_that_is_revoked_while_the_body_is_held_back_does_nothing(hub: Hub, admin: Viewer) -> None:
    secret = f"imp_{secrets.token_urlsafe(16)}"
    with hub.writing(HUB) as work:
        assert admin.principal_id is not None
        tokens.add_token(work, work.session.get_one(PrincipalRow, admin.principal_id), "held", secret)

    def revoke() -> None:
        with hub.writing(HUB) as work:
            ended = sa.update(TokenRow).where(TokenRow.digest == tokens.digest_of(secret))
            work.session.execute(ended.values(revoked_at=hub.clock()))

    body = orjson.dumps({"query": 'mutation { tagCreate(input: {name: "after"}) { tag { id } } }'})
    answer = asyncio.run(post(make_app(hub), secret, body, revoke))
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert rows_everywhere(hub)["tag"] == []
