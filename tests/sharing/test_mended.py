"""Sharing and lightboxes where one opened more than it should: each of these did once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain import guests, lightboxes, sharing
from domain.permissions import Permission
from domain.refusals import Conflict, NotAllowed, NotFound
from domain.sharing import Access, Subject
from domain.work import HUB, Viewer
from storage.tables import LightboxAssetRow, LightboxRow, RoleRow
from tests.acting import give, member
from tests.sharing.scene import WEEK, Scene, refused

P = Permission


@pytest.fixture(autouse=True)
def sharing_role(scene: Scene) -> None:
    """A role of nothing but ASSET_SHARE, to be denied."""
    with scene.hub.writing(HUB) as work:
        told = {"name": "sharing", "permissions": [P.ASSET_SHARE.value], "created_at": work.now}
        work.session.add(RoleRow(**told))


def test_leak_nobody_who_may_not_share_opens_an_asset_by_placing_it_in_a_shared_lightbox(scene: Scene) -> None:
    box, draft = scene.box(scene.asset()), scene.asset(scene.designer)
    place(scene, scene.designer, box, scene.asset())
    share = scene.share(box=box)
    denied = scene.asset()
    deny(scene, scene.librarian, "sharing", scope="ASSET", asset_id=denied)
    for viewer, asset in ((scene.designer, draft), (scene.renewed(scene.librarian), denied)):
        with refused(scene.hub, viewer, NotAllowed) as work:
            lightboxes.add(work, box, [asset], revision(scene, box))
    place(scene, scene.librarian, box, draft)
    assert draft in scene.seen(scene.partner)
    with scene.hub.writing(scene.librarian) as work:
        sharing.end(work, share)
    place(scene, scene.designer, box, scene.asset())


@pytest.mark.parametrize("open_to", ["a guest", "a person"])
def test_leak_placing_opens_nothing_to_guests_and_single_people_without_asset_share(scene: Scene, open_to: str) -> None:
    box, asset, later = scene.box(scene.asset()), scene.asset(), scene.asset()
    link = None
    if open_to == "a guest":
        link = scene.link(box=box)
    else:
        with scene.hub.writing(HUB) as work:
            here: dict[str, Any] = {"org_id": scene.north, "scope": "LIGHTBOX", "lightbox_id": box}
            give(scene.hub, scene.partner.principal_id or 0, "viewer", session=work.session, **here)
    with refused(scene.hub, scene.designer, NotAllowed) as work:
        lightboxes.add(work, box, [asset], revision(scene, box))
    if link is not None:
        late = scene.at(scene.hub.clock() + WEEK)
        with late.writing(scene.designer) as work:
            lightboxes.add(work, box, [later], revision(scene, box))
        with scene.hub.writing(scene.librarian) as work:
            guests.revoke(work, link.id)
        place(scene, scene.designer, box, asset)


def test_leak_who_is_denied_to_share_what_lies_in_a_lightbox_places_nothing_there(scene: Scene) -> None:
    box, other, asset = scene.box(), scene.box(), scene.asset()
    scene.share(box=box)
    scene.share(box=other)
    deny(scene, scene.librarian, "sharing", scope="LIGHTBOX", lightbox_id=box)
    with refused(scene.hub, scene.renewed(scene.librarian), NotAllowed) as work:
        lightboxes.add(work, box, [asset], revision(scene, box))
    place(scene, scene.renewed(scene.librarian), other, asset)


def test_what_lies_in_a_shared_lightbox_may_be_moved_by_everybody_who_works_on_it(scene: Scene) -> None:
    first, second = scene.asset(), scene.asset()
    box = scene.box(first, second)
    scene.share(box=box, access=Access.CONTRIBUTE)
    place(scene, scene.agency, box, first)
    place(scene, scene.designer, box, second)
    assert inside(scene, box) == [first, second]


def test_an_agency_places_its_own_in_the_brands_lightbox_while_nobody_else_sees_it_there(scene: Scene) -> None:
    box = scene.box(viewer=scene.admin)
    scene.share(box=box, viewer=scene.admin, access=Access.CONTRIBUTE)
    first, second = (scene.asset(scene.agency, approved=False) for _ in range(2))
    place(scene, scene.agency, box, first)
    scene.share(box=box, viewer=scene.admin, to=scene.north)
    with refused(scene.hub, scene.agency, NotAllowed) as work:
        lightboxes.add(work, box, [second], revision(scene, box))


def test_leak_what_somebody_does_not_see_they_cannot_take_out_of_a_lightbox_nor_find_in_it(scene: Scene) -> None:
    shown, hidden, elsewhere = scene.asset(), scene.asset(scene.admin), scene.asset(scene.admin)
    box, own = scene.box(shown, viewer=scene.librarian), scene.asset(scene.agency)
    place(scene, scene.admin, box, hidden)
    scene.share(box=box, access=Access.CONTRIBUTE)
    answers = set()
    for before in (hidden, elsewhere, 99_999):
        with refused(scene.hub, scene.agency, NotFound, ("before",)) as work:
            try:
                lightboxes.add(work, box, [own], revision(scene, box), before=before)
            except NotFound as refusal:
                answers.add(refusal.message)
                raise
    assert len(answers) == 1
    with scene.hub.writing(scene.agency) as work:
        lightboxes.remove(work, box, [hidden, shown, 99_999], revision(scene, box))
    assert inside(scene, box) == [hidden]


def test_who_is_denied_to_look_at_a_lightbox_or_its_organisation_does_not_see_it(scene: Scene) -> None:
    box, other = scene.box(), scene.box()
    scene.share(box=box, access=Access.CONTRIBUTE)
    deny(scene, scene.designer, "viewer", scope="LIGHTBOX", lightbox_id=box)
    deny(scene, scene.marketing, "viewer")
    deny(scene, scene.agency, "viewer", org_id=scene.south)
    assert boxes(scene, scene.designer) == {other}
    assert boxes(scene, scene.marketing) == boxes(scene, scene.agency) == set()
    assert boxes(scene, scene.librarian) == {box, other}
    for viewer in (scene.designer, scene.marketing, scene.agency):
        with refused(scene.hub, scene.renewed(viewer), NotFound, ("lightbox",)) as work:
            lightboxes.update(work, box, revision(scene, box), title="Mine")


def test_a_denial_of_one_kind_hides_no_lightbox(scene: Scene) -> None:
    box = scene.box()
    deny(scene, scene.designer, "viewer", scope="ASSET_KIND", asset_kind="VIDEO")
    assert boxes(scene, scene.designer) == {box}


@pytest.mark.parametrize("lacking", [P.ASSET_VIEW, P.ASSET_DOWNLOAD])
def test_leak_a_share_gives_nothing_that_the_sharer_may_not_do(scene: Scene, lacking: Permission) -> None:
    asset, box = scene.asset(), scene.box()
    less = replace(scene.librarian, holdings=scene.librarian.holdings.limited_to(frozenset(P) - {lacking}))
    seeing = NotFound if lacking is P.ASSET_VIEW else NotAllowed
    with refused(scene.hub, less, seeing) as work:
        sharing.create(work, Subject(asset_id=asset), scene.south)
    with refused(scene.hub, less, NotAllowed) as work:
        sharing.create(work, Subject(lightbox_id=box), scene.south)


def test_leak_a_share_does_not_outlast_the_right_of_who_made_it(scene: Scene) -> None:
    end = scene.hub.clock() + timedelta(hours=1)
    passing = member(scene.hub, "brand manager", org_id=scene.north, expires_at=end)
    with scene.hub.writing(HUB) as work:
        give(scene.hub, passing.principal_id or 0, "directory", session=work.session)
    passing = scene.renewed(passing)
    for subject in (Subject(asset_id=scene.asset()), Subject(lightbox_id=scene.box())):
        for until in (None, end + timedelta(microseconds=1)):
            with refused(scene.hub, passing, NotAllowed) as work:
                sharing.create(work, subject, scene.south, ends_at=until)
        with scene.hub.writing(passing) as work:
            assert sharing.create(work, subject, scene.south, Access.CONTRIBUTE, end).ends_at == end


def test_a_lightbox_is_put_away_by_its_own_organisation_alone(scene: Scene) -> None:
    box = scene.box()
    scene.share(box=box, access=Access.CONTRIBUTE)
    with scene.hub.reading(scene.agency) as work:
        row = work.session.get_one(LightboxRow, box)
        assert lightboxes.viewer_can(work, [row])[box] == ["UPDATE", "ADD_ASSETS", "REMOVE_ASSETS"]
    with refused(scene.hub, scene.agency, NotAllowed) as work:
        lightboxes.archive(work, box, revision(scene, box))
    with scene.hub.writing(scene.designer) as work:
        lightboxes.archive(work, box, revision(scene, box))


def test_what_waits_in_quarantine_is_placed_in_no_lightbox(scene: Scene) -> None:
    box, brought = scene.box(), scene.brought(scene.guest(scene.upload_link()))
    with refused(scene.hub, scene.librarian, Conflict, ("assets",)) as work:
        lightboxes.add(work, box, [brought], revision(scene, box))


def deny(scene: Scene, viewer: Viewer, role: str, **where: Any) -> None:
    with scene.hub.writing(HUB) as work:
        told = {"org_id": scene.north, "is_denial": True, **where}
        give(scene.hub, viewer.principal_id or 0, role, session=work.session, **told)


def place(scene: Scene, viewer: Viewer, box: int, *asset_ids: int) -> None:
    with scene.hub.writing(viewer) as work:
        lightboxes.add(work, box, asset_ids, revision(scene, box))


def inside(scene: Scene, box: int) -> list[int]:
    """The lightbox's assets in its order, seen or not."""
    rows = sa.select(LightboxAssetRow.asset_id).where(LightboxAssetRow.lightbox_id == box)
    with scene.hub.reading(HUB) as work:
        return list(work.session.scalars(rows.order_by(LightboxAssetRow.position)))


def boxes(scene: Scene, viewer: Viewer) -> set[int]:
    """Which lightboxes exist for them as they are now."""
    with scene.hub.reading(scene.renewed(viewer)) as work:
        return set(lightboxes.by_id(work, range(1, 50)))


def revision(scene: Scene, box: int) -> int:
    with scene.hub.reading(HUB) as work:
        return work.session.get_one(LightboxRow, box).revision
