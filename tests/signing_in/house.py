"""A hub as people and programs meet it in these tests: its application, a clock to move, browsers, and who is known."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import sqlalchemy as sa
from starlette.applications import Starlette

from domain import identity
from domain.hub import Hub
from domain.identity import passwords, sessions
from domain.work import HUB, Viewer
from server.app import make_app
from storage.tables import GrantRow, PrincipalRow, RoleRow, TokenRow

HERE, ELSEWHERE = "192.0.2.7", "198.51.100.9"
PASSWORD = "correct horse battery"
ME = {"query": "{ me { __typename } }"}


@dataclass
class Clock:
    """Now, as long as nobody moves it."""

    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def move(self, **by: float) -> None:
        self.ahead += timedelta(**by)


class InProcess(httpx.BaseTransport):
    """Asks the application as a client at `address` would."""

    def __init__(self, app: Starlette, address: str) -> None:
        self._asked = httpx.ASGITransport(app, client=(address, 50_000))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._asked.handle_async_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers.raw, content=await answer.aread())


@dataclass
class House:
    hub: Hub
    clock: Clock
    app: Starlette = field(init=False)

    def __post_init__(self) -> None:
        self.app = make_app(self.hub)

    def browser(self, address: str = HERE) -> httpx.Client:
        """With cookies of its own; follows no redirects by itself."""
        url = self.hub.settings.public_url
        host = httpx.URL(url).host
        return httpx.Client(base_url=url, mounts={f"all://{host}": InProcess(self.app, address)}, timeout=60)

    def ask(self, client: httpx.Client, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """A GraphQL request from a page of the hub's own."""
        return client.post("/graphql", json=ME, headers={"Sec-Fetch-Site": "same-origin", **(headers or {})})

    def bearer(self, token: str, address: str = HERE) -> httpx.Response:
        with self.browser(address) as client:
            return client.post("/graphql", json=ME, headers={"Authorization": f"Bearer {token}"})

    def person(self, name: str = "Ada", role: str | None = "viewer", password: str | None = None, **more: Any) -> int:
        """Somebody of the brand, with an e-mail address of their own."""
        with self.hub.writing(HUB) as work:
            told = {"org_id": 1, "kind": "PERSON", "email": f"{name.lower()}@example.org", **more}
            row = PrincipalRow(name=name, created_at=work.now, **told)
            work.session.add(row)
            work.session.flush()
            if password is not None:
                passwords.keep(sessions.as_person(work, row, None), row, passwords.HASHING.of(password))
            if role is not None:
                work.session.add(_granted(work, row.id, role))
            return row.id

    def grant(self, principal_id: int, role: str) -> None:
        with self.hub.writing(HUB) as work:
            work.session.add(_granted(work, principal_id, role))

    def change(self, principal_id: int, **to: Any) -> None:
        with self.hub.writing(HUB) as work:
            row = work.session.get_one(PrincipalRow, principal_id)
            for name, value in to.items():
                setattr(row, name, value)

    def viewer(self, principal_id: int) -> Viewer:
        with self.hub.reading(HUB) as work:
            return identity.viewer_of_principal(work, principal_id)

    def administrator(self) -> Viewer:
        with self.hub.writing(HUB) as work:
            return identity.administrator(work)

    def sessions(self) -> list[TokenRow]:
        """All that were ever begun, oldest first."""
        with self.hub.reading(HUB) as work:
            mine = sa.select(TokenRow).where(TokenRow.purpose == sessions.PURPOSE).order_by(TokenRow.id)
            return list(work.session.scalars(mine))


def _granted(work: Any, principal_id: int, role: str) -> GrantRow:
    role_id = work.session.scalar(sa.select(RoleRow.id).where(RoleRow.name == role))
    return GrantRow(org_id=1, principal_id=principal_id, role_id=role_id, scope="ORGANISATION", created_at=work.now)
