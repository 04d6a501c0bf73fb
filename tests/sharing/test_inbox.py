"""The inbox: what guests brought is nobody's business but its judges', until it is accepted."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
import sqlalchemy as sa

from domain import assets, delivery, inbox, pages
from domain.refusals import Conflict, Invalid, NotAllowed, NotFound, Refusal, StaleRevision
from domain.work import HUB, Viewer
from storage.tables import AssetRow, AssetVersionRow, EventRow
from tests.acting import member
from tests.assets.together import together
from tests.delivery.brand import Brand
from tests.sharing.scene import Scene, refused


@pytest.fixture
def guest(scene: Scene) -> Viewer:
    return scene.guest(scene.upload_link())


def test_what_was_brought_waits_oldest_first_and_only_its_judges_see_it(scene: Scene, guest: Viewer) -> None:
    brought = [scene.brought(guest) for _ in range(3)]
    assert waiting(scene, scene.librarian) == waiting(scene, scene.admin) == brought
    assert waiting(scene, guest) == brought
    for viewer in (scene.designer, scene.marketing, scene.partner, scene.agency):
        assert waiting(scene, viewer) == []
        assert not scene.seen(viewer) & set(brought)
    elsewhere = member(scene.hub, "brand manager", org_id=scene.south)
    assert waiting(scene, elsewhere) == []


def test_accepting_makes_it_a_draft_that_the_others_see(scene: Scene, guest: Viewer) -> None:
    asset = scene.brought(guest)
    with scene.hub.writing(scene.librarian) as work:
        row = inbox.accept(work, asset, 1)
    assert (row.lifecycle, row.revision) == ("DRAFT", 2)
    assert waiting(scene, scene.librarian) == []
    assert asset in scene.seen(scene.designer)
    with scene.hub.reading(HUB) as work:
        told = work.session.scalars(sa.select(EventRow).where(EventRow.type == "inbox.accepted")).one()
        assert (told.subject_type, told.subject_id, told.org_id) == ("Asset", asset, scene.north)


def test_leak_the_guest_sees_nothing_more_of_what_was_accepted_or_rejected(scene: Scene, guest: Viewer) -> None:
    """What is done with it afterwards is the house's business."""
    accepted, rejected = scene.brought(guest), scene.brought(guest)
    with scene.hub.writing(scene.librarian) as work:
        inbox.accept(work, accepted, 1)
        inbox.reject(work, rejected, "Out of focus.")
    assert scene.seen(guest) == set()


def test_rejecting_puts_it_away_with_the_reason_and_restoring_it_brings_it_back_to_quarantine(
    scene: Scene, guest: Viewer
) -> None:
    asset = scene.brought(guest)
    with scene.hub.writing(scene.librarian) as work:
        row = inbox.reject(work, asset, "  Out of focus. ")
    assert row.lifecycle == "ARCHIVED"
    with scene.hub.reading(HUB) as work:
        told = work.session.scalars(sa.select(EventRow).where(EventRow.type == "inbox.rejected")).one()
        assert (told.reason, told.org_id) == ("Out of focus.", scene.north)
    assert asset not in scene.seen(scene.designer) - scene.seen(scene.librarian)
    with scene.hub.writing(scene.librarian) as work:
        assert assets.restore(work, asset, row.revision).lifecycle == "QUARANTINED"
    assert waiting(scene, scene.librarian) == [asset]


def test_what_cannot_be_judged_is_refused_and_changes_nothing(scene: Scene, guest: Viewer) -> None:
    asset, draft = scene.brought(guest), scene.asset(approved=False)
    with refused(scene.hub, scene.librarian, StaleRevision) as work:
        inbox.accept(work, asset, 2)
    with refused(scene.hub, scene.librarian, Invalid, ("reason",)) as work:
        inbox.reject(work, asset, " \n")
    for viewer, which, kind in (
        (scene.librarian, draft, Conflict),
        (scene.librarian, 99_999, NotFound),
        (scene.designer, asset, NotFound),
        (scene.designer, draft, NotAllowed),
        (scene.partner, asset, NotFound),
        (guest, asset, NotAllowed),
        (guest, draft, NotFound),
    ):
        with refused(scene.hub, viewer, kind) as work:
            inbox.accept(work, which, 1)
        with refused(scene.hub, viewer, kind) as work:
            inbox.reject(work, which, "Because.")


@pytest.mark.parametrize("askers", [2, 5])
def test_of_several_judges_at_once_one_decides(scene: Scene, guest: Viewer, askers: int) -> None:
    for _ in range(4):
        asset = scene.brought(guest)
        outcomes = together([partial(judge, scene, asset, accepts=number % 2 == 0) for number in range(askers)])
        assert outcomes.count("done") == 1
        assert set(outcomes) <= {"done", "CONFLICT", "STALE_REVISION"}


def test_neither_bytes_nor_pictures_of_what_waits_are_delivered_to_anybody_else(scene: Scene, guest: Viewer) -> None:
    asset = scene.brought(guest)
    with scene.hub.reading(HUB) as work:
        version = work.session.scalars(sa.select(AssetVersionRow).where(AssetVersionRow.asset_id == asset)).one()
    thumb = Brand(scene.hub, scene.admin).render(version, "thumb", b"thumb")
    for viewer, gets in ((scene.librarian, True), (scene.designer, False), (scene.partner, False)):
        with scene.hub.reading(viewer) as work:
            addresses = [delivery.original_url(work, version), delivery.rendition_url(work, thumb)]
            for signed in addresses:
                assert signed is not None
                assert opens(scene, signed.url) == gets, viewer.name
    with scene.hub.reading(guest) as work:
        assert not opens(scene, delivery.original_url(work, version).url)
        shown = delivery.rendition_url(work, thumb)
        assert shown is not None
        assert opens(scene, shown.url)
        stable = delivery.latest_url(work, asset, "thumb").split("/")[-1]
        with pytest.raises(NotFound):
            delivery.latest(work, stable)


def test_what_waits_keeps_waiting_when_the_link_is_over(scene: Scene) -> None:
    link = scene.upload_link()
    asset = scene.brought(scene.guest(link))
    late = scene.at(scene.hub.clock() + timedelta(days=30))
    with late.reading(scene.librarian) as work:
        assert [row.id for row in inbox.page(work, pages.paging(work, "tests")).rows] == [asset]


def waiting(scene: Scene, viewer: Viewer) -> list[int]:
    with scene.hub.reading(viewer) as work:
        rows: list[AssetRow] = inbox.page(work, pages.paging(work, "tests")).rows
        assert inbox.count(work) == len(rows)
        return [row.id for row in rows]


def judge(scene: Scene, asset: int, *, accepts: bool) -> str:
    try:
        with scene.hub.writing(scene.librarian) as work:
            if accepts:
                inbox.accept(work, asset, 1)
            else:
                inbox.reject(work, asset, "Out of focus.")
    except Refusal as refusal:
        return refusal.code
    return "done"


def opens(scene: Scene, url: str) -> bool:
    with scene.hub.reading(HUB) as work:
        try:
            delivery.open_door(work, url.rsplit("/", maxsplit=1)[-1])
        except NotFound:
            return False
    return True
