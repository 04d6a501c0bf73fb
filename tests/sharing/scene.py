"""Two affiliates of a brand and some of their people, with things to share."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import pytest

from domain import assets, guests, identity, lightboxes, sharing
from domain.assets import Changes
from domain.global_ids import number_of
from domain.guests import NewLink, Opens
from domain.hub import Hub
from domain.permissions import Permission
from domain.refusals import Refusal
from domain.sharing import Access, Subject
from domain.work import HUB, Viewer, Work
from storage.tables import AssetRow, RoleRow
from tests.acting import again, give, member, organisation
from tests.asking import Client
from tests.assets.acts import unchanged
from tests.delivery import given
from tests.delivery.brand import Brand

WEEK = timedelta(days=7)


@dataclasses.dataclass
class Scene:
    """`north` has a librarian, a designer, and somebody from marketing; `south` a partner and an agency's designer."""

    hub: Hub
    admin: Viewer
    numbers: Iterator[int] = dataclasses.field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.north, self.south = (organisation(self.hub, name) for name in ("North", "South"))
        with self.hub.writing(HUB) as work:
            told = {"name": "directory", "permissions": [Permission.PEOPLE_VIEW.value], "created_at": work.now}
            work.session.add(RoleRow(**told))
        self.librarian = self.knowing("brand manager", "Librarian")
        self.designer = member(self.hub, "designer", org_id=self.north, name="Designer")
        self.marketing = self.knowing("marketing manager", "Marketing")
        self.partner = member(self.hub, "partner", org_id=self.south, name="Partner")
        self.agency = member(self.hub, "agency", org_id=self.south, name="Agency")

    def knowing(self, role: str, name: str) -> Viewer:
        """Somebody of north who knows every organisation: one shares with those that one knows."""
        made = member(self.hub, role, org_id=self.north, name=name)
        assert made.principal_id is not None
        with self.hub.writing(HUB) as work:
            give(self.hub, made.principal_id, "directory", session=work.session)
        return self.renewed(made)

    def asset(self, viewer: Viewer | None = None, *, approved: bool = True) -> int:
        """A new asset of the viewer's organisation (if not said, north's); its id."""
        brand = Brand(self.hub, viewer or self.librarian)
        version = brand.asset(f"Slogan {next(self.numbers)}. ".encode() * 50)
        if approved:
            Brand(self.hub, self.admin).approve(version)
        return version.asset_id

    def box(self, *asset_ids: int, viewer: Viewer | None = None) -> int:
        with self.hub.writing(viewer or self.librarian) as work:
            made = lightboxes.create(work, "A selection")
            if asset_ids:
                lightboxes.add(work, made.id, asset_ids, made.revision)
            return made.id

    def share(
        self, *, asset: int | None = None, box: int | None = None, ends_at: datetime | None = None, **more: Any
    ) -> int:
        """A share of north's to south; its id."""
        viewer, access = more.get("viewer", self.librarian), more.get("access", Access.READ)
        with self.hub.writing(viewer) as work:
            return sharing.create(work, Subject(asset, box), more.get("to", self.south), access, ends_at).id

    def link(self, *, asset: int | None = None, box: int | None = None, viewer: Viewer | None = None) -> NewLink:
        with self.hub.writing(viewer or self.librarian) as work:
            return guests.create(work, Opens(asset, box), "A customer", work.now + WEEK)

    def upload_link(self, most: int | None = None, viewer: Viewer | None = None) -> NewLink:
        """To bring files to north."""
        with self.hub.writing(viewer or self.librarian) as work:
            return guests.create_for_uploads(work, self.north, "A photographer", work.now + WEEK, most)

    def guest(self, link: NewLink, hub: Hub | None = None) -> Viewer:
        return identity.viewer_of_token(hub or self.hub, link.secret)

    def brought(self, guest: Viewer) -> int:
        """A file that the guest brings, as an asset."""
        client = Client(self.hub, guest)
        made = client.create(f"Photo {next(self.numbers)}. ".encode() * 50, "photo.txt")
        return number_of("Asset", made["id"])

    def seen(self, viewer: Viewer, hub: Hub | None = None) -> set[int]:
        """Which assets exist for them now, of all there are."""
        with (hub or self.hub).reading(viewer) as work:
            return set(assets.by_id(work, range(1, 200)))

    def renewed(self, viewer: Viewer, hub: Hub | None = None) -> Viewer:
        return again(hub or self.hub, viewer)

    def at(self, moment: datetime) -> Hub:
        """The same hub at another time."""
        return dataclasses.replace(self.hub, clock=lambda: moment)

    def may_update(self, viewer: Viewer, asset_id: int) -> bool:
        try:
            with self.hub.writing(viewer) as work:
                row = work.session.get_one(AssetRow, asset_id)
                assets.update(work, asset_id, Changes(title=f"Title {next(self.numbers)}"), row.revision)
        except Refusal:
            return False
        return True


@contextmanager
def refused(hub: Hub, viewer: Viewer, kind: type[Refusal], path: tuple[str, ...] | None = None) -> Iterator[Work]:
    """A unit of work that is refused and leaves nothing behind."""
    with unchanged(hub), pytest.raises(kind) as refusal, hub.writing(viewer) as work:
        yield work
    assert refusal.value.message.endswith(".")
    if path is not None:
        assert refusal.value.path == path


def picture_of(scene: Scene, viewer: Viewer, asset: int) -> str:
    """The last part of the address of the asset's thumb, as the viewer is given it."""
    with scene.hub.reading(HUB) as work:
        version = assets.shown_versions(work, [asset])[asset]
    made = Brand(scene.hub, scene.admin).render(version, "thumb", f"thumb of {asset}".encode())
    signed = given.rendition(scene.hub, viewer, made)
    assert signed is not None
    return last_part(signed.url)


def last_part(url: str) -> str:
    return urlsplit(url).path.split("/")[-1]
