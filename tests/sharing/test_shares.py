"""Shares: what they open, to whom, for how long, and who may make and end them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from domain import assets, delivery, lightboxes, pages, sharing
from domain.holdings import Reach, Tree
from domain.permissions import Permission
from domain.refusals import Conflict, Invalid, NotAllowed, NotFound, Refusal
from domain.sharing import Access, Subject, Wanted
from domain.work import HUB, Viewer
from storage.tables import AssetVersionRow, EventRow, LightboxRow, ShareRow
from tests.acting import member, organisation
from tests.assets.acts import unchanged
from tests.assets.together import together
from tests.delivery import given
from tests.sharing.scene import Scene, refused

LATER = timedelta(days=3)


def test_a_share_opens_an_approved_asset_to_those_of_the_other_organisation_and_to_nobody_else(scene: Scene) -> None:
    asset, draft = scene.asset(), scene.asset(approved=False)
    stranger = member(scene.hub, "agency", org_id=organisation(scene.hub, "West"), name="Stranger")
    assert scene.seen(scene.partner) == scene.seen(scene.agency) == set()
    scene.share(asset=asset)
    scene.share(asset=draft)
    assert scene.seen(scene.partner) == scene.seen(scene.agency) == {asset}
    assert scene.seen(stranger) == set()
    assert not scene.may_update(scene.agency, asset)


def test_a_share_to_contribute_opens_drafts_and_lets_those_work_who_may_at_home(scene: Scene) -> None:
    draft = scene.asset(approved=False)
    scene.share(asset=draft, access=Access.CONTRIBUTE)
    assert scene.seen(scene.agency) == {draft}
    assert scene.may_update(scene.agency, draft)
    assert scene.seen(scene.partner) == set()
    assert not scene.may_update(scene.partner, draft)


def test_a_share_is_over_at_exactly_the_moment_it_ends(scene: Scene) -> None:
    asset, end = scene.asset(), scene.hub.clock() + LATER
    scene.share(asset=asset, ends_at=end)
    assert scene.seen(scene.partner, scene.at(end - timedelta(microseconds=1))) == {asset}
    assert scene.seen(scene.partner, scene.at(end)) == set()
    late = scene.at(end)
    with unchanged(scene.hub), late.writing(scene.librarian) as work:
        assert sharing.end(work, 1).ended_at is None


def test_a_share_can_be_ended_early_and_ending_it_again_changes_nothing(scene: Scene) -> None:
    asset = scene.asset()
    share = scene.share(asset=asset, ends_at=scene.hub.clock() + LATER)
    with scene.hub.writing(scene.librarian) as work:
        ended = sharing.end(work, share)
    assert (ended.ended_at is not None, ended.ended_by) == (True, scene.librarian.principal_id)
    assert scene.seen(scene.partner) == set()
    with unchanged(scene.hub), scene.hub.writing(scene.librarian) as work:
        sharing.end(work, share)


def test_an_address_of_a_shared_file_dies_with_the_share(scene: Scene) -> None:
    asset = scene.asset()
    share = scene.share(asset=asset)
    with scene.hub.reading(scene.partner) as work:
        version = work.session.scalars(sa.select(AssetVersionRow).where(AssetVersionRow.asset_id == asset)).one()
    signed = given.original(scene.hub, scene.partner, version)
    assert signed is not None
    token = urlsplit(signed.url).path.split("/")[-1]
    with scene.hub.reading(scene.partner) as work:
        assert delivery.open_door(work, token).sha256 == version.sha256
    with scene.hub.writing(scene.librarian) as work:
        sharing.end(work, share)
    with scene.hub.reading(HUB) as work, pytest.raises(NotFound):
        delivery.open_door(work, token)


def test_a_second_share_just_like_one_that_stands_conflicts(scene: Scene) -> None:
    asset, box = scene.asset(), scene.box()
    share = scene.share(asset=asset)
    scene.share(box=box)
    for again in (Subject(asset_id=asset), Subject(lightbox_id=box)):
        with refused(scene.hub, scene.librarian, Conflict, ("organisation",)) as work:
            sharing.create(work, again, scene.south)
    scene.share(asset=asset, access=Access.CONTRIBUTE)
    with scene.hub.writing(scene.librarian) as work:
        sharing.end(work, share)
    assert scene.share(asset=asset) > share


@pytest.mark.parametrize("of", ["asset", "box"])
def test_of_several_alike_at_once_one_share_is_made(scene: Scene, of: str) -> None:
    for _ in range(4):
        asset, box = (scene.asset(), None) if of == "asset" else (None, scene.box())

        def shared(asset: int | None = asset, box: int | None = box) -> int | str:
            try:
                return scene.share(asset=asset, box=box)
            except Refusal as refusal:
                return refusal.code

        outcomes = together([shared] * 4)
        assert sorted(map(str, outcomes))[1:] == ["CONFLICT"] * 3
        assert min(map(str, outcomes)).isdigit()


def test_only_so_many_shares_of_one_thing_stand_at_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "MAX_STANDING", 1)
    asset = scene.asset()
    scene.share(asset=asset)
    with refused(scene.hub, scene.librarian, Conflict, ("organisation",)) as work:
        sharing.create(work, Subject(asset_id=asset), scene.south, Access.CONTRIBUTE)


def test_what_cannot_be_shared_is_refused_and_changes_nothing(scene: Scene) -> None:
    asset, box, elsewhere = scene.asset(), scene.box(), scene.asset(scene.agency)
    now = scene.hub.clock()
    for viewer, subject, to, ends, kind, path in (
        (scene.designer, Subject(asset), scene.south, None, NotAllowed, ()),
        (scene.designer, Subject(None, box), scene.south, None, NotAllowed, ()),
        (scene.partner, Subject(asset), scene.north, None, NotFound, ("asset",)),
        (scene.partner, Subject(None, box), scene.north, None, NotFound, ("lightbox",)),
        (scene.librarian, Subject(elsewhere), scene.south, None, NotFound, ("asset",)),
        (scene.librarian, Subject(99_999), scene.south, None, NotFound, ("asset",)),
        (scene.librarian, Subject(None, 99_999), scene.south, None, NotFound, ("lightbox",)),
        (scene.librarian, Subject(asset), 99_999, None, NotFound, ("organisation",)),
        (scene.admin, Subject(asset), scene.north, None, Conflict, ("organisation",)),
        (scene.admin, Subject(asset), 1, None, Conflict, ("organisation",)),
        (scene.admin, Subject(asset), scene.south, now, Invalid, ("endsAt",)),
        (scene.admin, Subject(), scene.south, None, Invalid, ("asset",)),
        (scene.admin, Subject(asset, box), scene.south, None, Invalid, ("asset",)),
    ):
        with refused(scene.hub, viewer, kind, path) as work:
            sharing.create(work, subject, to, ends_at=ends)


def test_what_is_put_away_is_not_shared(scene: Scene) -> None:
    asset, box = scene.asset(), scene.box()
    with scene.hub.writing(scene.admin) as work:
        revision = assets.by_id(work, [asset])[asset].revision
        assets.archive(work, asset, revision)
        lightboxes.archive(work, box, work.session.get_one(LightboxRow, box).revision)
    for subject in (Subject(asset), Subject(None, box)):
        with refused(scene.hub, scene.admin, Conflict) as work:
            sharing.create(work, subject, scene.south)


def test_nobody_lets_others_do_what_they_may_not_do_themselves(scene: Scene) -> None:
    asset, box = scene.asset(), scene.box()
    for subject in (Subject(asset), Subject(None, box)):
        with refused(scene.hub, scene.marketing, NotAllowed) as work:
            sharing.create(work, subject, scene.south, Access.CONTRIBUTE)
        with scene.hub.writing(scene.marketing) as work:
            sharing.create(work, subject, scene.south, Access.READ)


def test_a_lightbox_opens_what_lies_in_it_and_what_is_placed_there_later(scene: Scene) -> None:
    first, second = scene.asset(), scene.asset()
    box = scene.box(first)
    scene.share(box=box)
    assert scene.seen(scene.partner) == {first}
    with scene.hub.writing(scene.librarian) as work:
        row = work.session.get_one(LightboxRow, box)
        lightboxes.add(work, box, [second], row.revision)
    assert scene.seen(scene.partner) == {first, second}
    with scene.hub.writing(scene.designer) as work:
        lightboxes.remove(work, box, [first], work.session.get_one(LightboxRow, box).revision)
    assert scene.seen(scene.partner) == {second}


def test_leak_a_shared_lightbox_opens_no_asset_of_another_organisation(scene: Scene) -> None:
    """Neither of one beside the sharer, nor of one above, nor by a second share in a row."""
    west = organisation(scene.hub, "West")
    theirs = scene.asset(member(scene.hub, "designer", org_id=west))
    brands = scene.asset(scene.admin)
    both = scene.knowing("brand manager", "Both")
    scene.share(asset=theirs, viewer=scene.admin, to=scene.north)
    scene.share(asset=brands, viewer=scene.admin, to=scene.north)
    mine = scene.asset()
    assert scene.seen(both) == {theirs, brands, mine}
    scene.share(box=scene.box(theirs, brands, mine, viewer=both), viewer=both)
    assert scene.seen(scene.partner) == scene.seen(scene.agency) == {mine}


def test_a_lightbox_is_shared_only_by_somebody_who_may_share_everything_of_its_organisation(scene: Scene) -> None:
    """Later somebody may place in it what the sharer is denied."""
    box = scene.box()
    here = frozenset({scene.north})
    for denied in (Tree(scene.north, here, "VIDEO"), Tree(scene.north, here)):
        reach = Reach((Tree(scene.north, here),), (denied,))
        with refused(scene.hub, _holding(scene.librarian, reach), NotAllowed) as work:
            sharing.create(work, Subject(None, box), scene.south)
    only_videos = Reach((Tree(scene.north, here, "VIDEO"),))
    with refused(scene.hub, _holding(scene.librarian, only_videos), NotAllowed) as work:
        sharing.create(work, Subject(None, box), scene.south)


def test_leak_nobody_opens_an_asset_to_themselves_by_placing_it_in_a_lightbox_they_contribute_to(scene: Scene) -> None:
    asset, own = scene.asset(), scene.asset(scene.agency, approved=False)
    box = scene.box()
    scene.share(asset=asset)
    scene.share(box=box, access=Access.CONTRIBUTE)
    with refused(scene.hub, scene.agency, NotAllowed) as work:
        lightboxes.add(work, box, [asset], work.session.get_one(LightboxRow, box).revision)
    assert not scene.may_update(scene.agency, asset)
    with scene.hub.writing(scene.agency) as work:
        lightboxes.add(work, box, [own], work.session.get_one(LightboxRow, box).revision)
    assert own not in scene.seen(scene.designer)


def test_a_share_is_known_to_both_sides_and_to_nobody_else(scene: Scene) -> None:
    asset, box = scene.asset(), scene.box()
    mine = {scene.share(asset=asset), scene.share(box=box)}
    stranger = member(scene.hub, "brand manager", org_id=organisation(scene.hub, "West"))
    for viewer, known in ((scene.librarian, mine), (scene.partner, mine), (scene.designer, set()), (stranger, set())):
        assert listed(scene, viewer) == known, viewer.name
    assert listed(scene, scene.librarian, Wanted(to_org_id=scene.south)) == mine
    assert listed(scene, scene.librarian, Wanted(from_org_id=scene.south)) == set()
    with scene.hub.reading(scene.partner) as work:
        assert set(sharing.of_assets(work, [asset])) == {asset}
        assert {row.id for row in sharing.of_assets(work, [asset])[asset]} <= mine
        assert len(sharing.of_lightboxes(work, [box])[box]) == 1


def test_whoever_it_was_opened_to_cannot_end_it_and_loses_sight_of_it_when_it_ends(scene: Scene) -> None:
    share = scene.share(asset=scene.asset())
    stranger = member(scene.hub, "brand manager", org_id=organisation(scene.hub, "West"))
    for viewer, kind in ((scene.partner, NotAllowed), (scene.designer, NotFound), (stranger, NotFound)):
        with refused(scene.hub, viewer, kind) as work:
            sharing.end(work, share)
    with scene.hub.writing(scene.librarian) as work:
        sharing.end(work, share)
    assert listed(scene, scene.partner, Wanted(with_ended=True)) == set()
    assert listed(scene, scene.librarian, Wanted(with_ended=True)) == {share}
    assert listed(scene, scene.librarian) == set()
    with refused(scene.hub, scene.partner, NotFound) as work:
        sharing.end(work, share)


def test_what_was_shared_and_ended_is_told_of_the_thing_itself(scene: Scene) -> None:
    asset, box = scene.asset(), scene.box()
    for share in (scene.share(asset=asset), scene.share(box=box)):
        with scene.hub.writing(scene.librarian) as work:
            sharing.end(work, share)
    told = sa.select(EventRow.type, EventRow.subject_type, EventRow.subject_id, EventRow.org_id)
    with scene.hub.reading(HUB) as work:
        rows = work.session.execute(told.where(EventRow.type.startswith("share.")).order_by(EventRow.id)).all()
    assert [tuple(row) for row in rows] == [
        ("share.created", "Asset", asset, scene.north),
        ("share.created", "Lightbox", box, scene.north),
        ("share.ended", "Asset", asset, scene.north),
        ("share.ended", "Lightbox", box, scene.north),
    ]


def test_of_several_who_end_a_share_at_once_one_does(scene: Scene) -> None:
    share = scene.share(asset=scene.asset())

    def end() -> None:
        with scene.hub.writing(scene.librarian) as work:
            sharing.end(work, share)

    together([partial(end)] * 4)
    with scene.hub.reading(HUB) as work:
        assert work.session.get_one(ShareRow, share).ended_at is not None
        ended = sa.select(sa.func.count()).where(EventRow.type == "share.ended")
        assert work.session.scalar(ended) == 1


def listed(scene: Scene, viewer: Viewer, which: Wanted | None = None) -> set[int]:
    with scene.hub.reading(viewer) as work:
        rows = sharing.page(work, which or Wanted(), pages.paging(work, "tests", first=100)).rows
        assert sharing.count(work, which or Wanted()) == len(rows)
        return {row.id for row in rows}


def _holding(viewer: Viewer, reach: Reach) -> Viewer:
    held = replace(viewer.holdings, reaches={**viewer.holdings.reaches, Permission.ASSET_SHARE: reach})
    return replace(viewer, holdings=held)
