"""The table of who is answered what over HTTP beside GraphQL holds against the real application."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from domain import delivery, guests, identity, intake, sharing
from domain.guests import Opens
from domain.holdings import everything
from domain.hub import Hub
from domain.sharing import Access, Subject
from domain.work import HUB, Viewer
from server.app import make_app
from storage.staging import Staging
from storage.tables import AssetRightsRow, AssetVersionRow, GrantRow, PrincipalRow
from tests import acting
from tests.access import pictured
from tests.access.http_table import ACTORS, ADDRESSES, UPLOADS
from tests.access.situations import ELSEWHERE, HERE
from tests.assets.acts import unchanged
from tests.delivery import given
from tests.delivery.brand import Brand
from tests.server.caller import BYTES
from tests.signing_in.house import InProcess

CONTENT = b"a small file"
TUS = {"Tus-Resumable": "1.0.0"}


class Door:
    """The application, and everybody who comes to it with a token of theirs."""

    def __init__(self, hub: Hub, admin: Viewer) -> None:
        now = hub.clock()
        hub = replace(hub, settings=hub.settings.model_copy(update={"stranger_rate": 0}), clock=lambda: now)
        self.hub = hub
        self.admin, self.brand = admin, Brand(hub, admin)
        self.app = make_app(self.hub)
        self.viewers = {
            "partner": acting.member(hub, "partner", org_id=acting.organisation(hub, "Other")),
            "agency": acting.member(hub, "agency", org_id=acting.organisation(hub, "Studio", kind="AGENCY")),
            "designer": acting.member(hub, "designer"),
            "admin": admin,
        }
        self.tokens = {"anonymous": ""} | {name: self.token(viewer)[1] for name, viewer in self.viewers.items()}
        opened = self.brand.asset(b"for a customer", "customer.txt")
        with hub.writing(admin) as work:
            link = guests.create(work, Opens(opened.asset_id), "A customer", work.now + timedelta(days=7))
        self.tokens["guest"] = link.secret
        self.viewers["guest"] = identity.viewer_of_token(hub, link.secret)
        for actor in ACTORS:  # that a token was used is written down once a minute, and time stands still here
            self.ask(actor, "HEAD", "/uploads/x", TUS)

    def token(self, viewer: Viewer, **limits: Any) -> tuple[int, str]:
        with self.hub.writing(viewer) as work:
            made = identity.create_token(work, "a token", **limits)
        return made.id, made.secret

    def ask(self, actor: str, method: str, path: str, headers: dict[str, str] | None = None, **more: Any) -> int:
        secret = self.tokens[actor]
        signed = {"Authorization": f"Bearer {secret}"} if secret else {}
        with httpx.Client(base_url="http://hub.test", transport=InProcess(self.app, HERE)) as client:
            return client.request(method, path, headers={**signed, **(headers or {})}, **more).status_code

    def upload(self, whose: Viewer) -> str:
        """Where an upload of theirs stands of which no byte is here yet."""
        with self.hub.writing(replace(whose, holdings=everything())) as work:
            kept = Staging(self.hub.settings.staging_dir)
            return f"/uploads/{intake.begin(work, kept, length=len(CONTENT), file_name='a.txt').id}"

    def send(self, actor: str, method: str, path: str) -> int:
        match method:
            case "POST":
                return self.ask(actor, method, "/uploads", {**TUS, "Upload-Length": str(len(CONTENT))})
            case "PATCH":
                told = {**TUS, "Upload-Offset": "0", "Content-Type": BYTES}
                return self.ask(actor, method, path, told, content=CONTENT)
        return self.ask(actor, method, path, TUS)


@pytest.fixture
def door(hub: Hub, admin: Viewer) -> Door:
    return Door(hub, admin)


def row(words: str) -> dict[str, int]:
    return dict(zip(ACTORS, map(int, words.split()), strict=True))


def test_uploads_are_answered_as_the_table_says_and_a_refused_request_changes_nothing(door: Door) -> None:
    others = door.upload(acting.member(door.hub, "designer", name="Another"))
    for name, words in UPLOADS.items():
        method, _, whose = name.partition(" ")
        expected, told = row(words), {}
        for actor in ACTORS:
            mine = door.upload(door.viewers.get(actor, door.admin)) if whose == "own" else others
            path = "/uploads/" + "x" * 32 if whose == "made up" else mine
            if expected[actor] < 300:
                told[actor] = door.send(actor, method, path)
            else:
                with unchanged(door.hub):
                    told[actor] = door.send(actor, method, path)
        assert told == expected, name


def test_addresses_open_as_the_table_says(door: Door) -> None:
    given = addresses(door)
    assert set(given) == set(ADDRESSES)
    for name, words in ADDRESSES.items():
        told = {actor: door.ask(actor, "GET", given[name]) for actor in ACTORS}
        assert told == row(words), name


def addresses(door: Door) -> dict[str, str]:
    """By the names of the table; whoever is to lose something loses it before this returns."""
    hub, brand = door.hub, door.brand
    draft, approved = brand.asset(b"a draft", "draft.txt"), brand.asset(b"approved", "approved.txt")
    for version in (draft, approved):
        brand.render(version, "thumb", b"thumb of " + version.file_name.encode())
    brand.approve(approved)
    designer, gone, denied = (acting.member(hub, "designer", name=name) for name in ("D", "Gone", "Denied"))
    revoked, secret = door.token(designer)
    by_revoked = identity.viewer_of_token(hub, secret)
    far = identity.viewer_of_token(hub, door.token(designer, networks=[ELSEWHERE])[1], "198.51.100.1")
    original, stable = _original(hub, designer, approved), _stable(hub, designer, approved)
    found = {
        "/files: an original": original,
        "/files: a rendition of a draft": _thumb(door, designer, draft),
        "/files: a rendition of what is approved": _thumb(door, designer, approved),
        "/files: of somebody who was shut out": _thumb(door, gone, approved),
        "/files: of somebody to whom it was denied since": _thumb(door, denied, approved),
        "/files: by a token that was revoked": _thumb(door, by_revoked, approved),
        "/files: by a token for other networks": _thumb(door, far, approved),
        **_bound(door, designer),
        "/files: made up": "/files/" + "A" * 120,
        "/files: signed as a stable one": stable.replace("/latest/", "/files/"),
        "/latest: of what is approved": stable,
        "/latest: of a draft": _stable(hub, designer, draft),
        "/latest: of somebody who was shut out": _stable(hub, gone, approved),
        "/latest: by a token that was revoked": _stable(hub, by_revoked, approved),
        "/latest: by a token for other networks": _stable(hub, far, approved),
        "/latest: made up": "/latest/" + "A" * 120,
        "/latest: signed as a file's": original.replace("/files/", "/latest/"),
    }
    looking = acting.member(hub, "designer", name="Looking")
    viewers = {
        "of what is approved": designer,
        "of somebody who may only look by now": looking,
        "of somebody who was shut out": gone,
        "of somebody to whom it was denied since": denied,
        "by a token that was revoked": by_revoked,
        "by a token for other networks": far,
    }
    shown = pictured.picture(hub, brand, 2)
    brand.approve(shown)
    found |= pictured.addresses(hub, shown, viewers, original)
    found |= pictured.addresses(hub, pictured.picture(hub, brand, 1), {"of a draft": designer}, original)
    with hub.writing(HUB) as work:
        grants = sa.update(GrantRow).where(GrantRow.principal_id == looking.principal_id).values(revoked_at=work.now)
        work.session.execute(grants)
        acting.give(hub, looking.principal_id or 0, "viewer", session=work.session)
        work.session.get_one(PrincipalRow, gone.principal_id).disabled_at = work.now
        where: dict[str, Any] = {"scope": "ASSET", "asset_id": approved.asset_id}
        acting.give(hub, denied.principal_id or 0, "designer", is_denial=True, session=work.session, **where)
        where["asset_id"] = shown.asset_id
        acting.give(hub, denied.principal_id or 0, "designer", is_denial=True, session=work.session, **where)
    with hub.writing(door.admin) as work:
        identity.revoke_token(work, revoked)
    return found


def _bound(door: Door, designer: Viewer) -> dict[str, str]:
    """Of what a partner was given, and of what was licensed then."""
    hub, south = door.hub, acting.organisation(door.hub, "South", kind="PARTNER")
    partner = acting.member(hub, "partner", org_id=south)
    paths = []
    for text in (b"licensed", b"not any more"):
        version = door.brand.asset(text, "theirs.txt")
        door.brand.render(version, "thumb", b"thumb of " + text)
        door.brand.approve(version)
        with hub.writing(door.admin) as work:
            sharing.create(work, Subject(version.asset_id, None), south, Access.READ, None)
        signed = given.original(hub, partner, version)
        assert signed is not None
        paths.append(httpx.URL(signed.url).path)
    with hub.writing(HUB) as work:
        said = sa.update(AssetRightsRow).where(AssetRightsRow.asset_id == version.asset_id)
        work.session.execute(said.values(ended_at=work.now, ending="WITHDRAWN"))
    return {
        "/files: given to a partner": paths[0],
        "/files: given to a partner, and not licensed any more": paths[1],
        "/latest: of what is not licensed any more": _stable(hub, designer, version),
    }


def _original(hub: Hub, viewer: Viewer, version: AssetVersionRow) -> str:
    with hub.reading(viewer) as work:
        return httpx.URL(delivery.original_url(work, version).url).path


def _stable(hub: Hub, viewer: Viewer, version: AssetVersionRow) -> str:
    with hub.reading(viewer) as work:
        return httpx.URL(delivery.latest_url(work, version.asset_id, "thumb")).path


def _thumb(door: Door, viewer: Viewer, version: AssetVersionRow) -> str:
    row = door.brand.rendition(version, "thumb")
    with door.hub.reading(viewer) as work:
        signed = delivery.rendition_url(work, row)
    assert signed is not None
    return httpx.URL(signed.url).path
