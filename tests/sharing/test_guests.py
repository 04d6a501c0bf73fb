"""Guest links: what they open, how long, and that they are never worth more than what their maker may see now."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from domain import assets, delivery, guests, identity, inbox, intake, lightboxes, pages
from domain.guests import Opens
from domain.hub import Hub
from domain.permissions import Permission
from domain.refusals import Conflict, Gone, Invalid, NotAllowed, NotFound, NotSignedIn, Refusal
from domain.work import HUB, Viewer
from storage.staging import Staging
from storage.tables import (
    AssetRow,
    EventRow,
    GrantRow,
    LightboxAssetRow,
    LightboxRow,
    PrincipalRow,
    RoleRow,
    TokenRow,
    UploadRow,
)
from tests.acting import give, member, organisation
from tests.asking import Client, rows_everywhere
from tests.assets.acts import unchanged
from tests.assets.together import together
from tests.delivery import given
from tests.sharing.scene import WEEK, Scene, last_part, picture_of, refused

MOMENT = timedelta(microseconds=1)


def test_a_link_shows_one_asset_with_its_drafts_and_nothing_else(scene: Scene) -> None:
    asset, other = scene.asset(approved=False), scene.asset()
    guest = scene.guest(scene.link(asset=asset))
    assert scene.seen(guest) == {asset}
    assert other not in scene.seen(guest)
    held = guest.holdings.reaches
    assert set(held) == {Permission.ASSET_VIEW, Permission.ASSET_VIEW_UNAPPROVED}
    assert not scene.may_update(guest, asset)


def test_a_link_shows_what_lies_in_a_lightbox_as_it_is_now(scene: Scene) -> None:
    first, second = scene.asset(approved=False), scene.asset()
    box = scene.box(first)
    link = scene.link(box=box)
    assert scene.seen(scene.guest(link)) == {first}
    with scene.hub.writing(scene.librarian) as work:
        lightboxes.add(work, box, [second], work.session.get_one(LightboxRow, box).revision)
    guest = scene.guest(link)
    assert scene.seen(guest) == {first, second}
    with scene.hub.reading(guest) as work:
        assert set(lightboxes.by_id(work, range(1, 50))) == {box}


def test_a_link_is_over_at_exactly_the_moment_it_expires(scene: Scene) -> None:
    frozen = scene.at(scene.hub.clock())
    with frozen.writing(scene.librarian) as work:
        link = guests.create(work, Opens(asset_id=_asset(scene)), "A customer", work.now + WEEK)
    end = frozen.clock() + WEEK
    assert identity.viewer_of_token(scene.at(end - MOMENT), link.secret).name == "A customer"
    with pytest.raises(NotSignedIn):
        identity.viewer_of_token(scene.at(end), link.secret)


def test_a_link_that_was_revoked_opens_nothing_and_its_addresses_are_dead_at_once(scene: Scene) -> None:
    asset = scene.asset()
    link = scene.link(asset=asset)
    token = picture_of(scene, scene.guest(link), asset)
    with scene.hub.reading(HUB) as work:
        assert delivery.open_door(work, token).media_type == "image/webp"
    with scene.hub.writing(scene.librarian) as work:
        guests.revoke(work, link.id)
    with scene.hub.reading(HUB) as work, pytest.raises(NotFound):
        delivery.open_door(work, token)
    with unchanged(scene.hub), pytest.raises(NotSignedIn):
        scene.guest(link)
    with unchanged(scene.hub), scene.hub.writing(scene.librarian) as work:
        guests.revoke(work, link.id)


def test_an_address_given_to_a_guest_dies_when_the_link_expires(scene: Scene) -> None:
    asset = scene.asset()
    with scene.hub.writing(scene.librarian) as work:
        end = work.now + timedelta(minutes=30)
        link = guests.create(work, Opens(asset), "In a hurry", end)
    token = picture_of(scene, scene.guest(link), asset)
    with scene.at(end - MOMENT).reading(HUB) as work:
        assert delivery.open_door(work, token).sha256
    with scene.at(end).reading(HUB) as work, pytest.raises((NotFound, Gone)):
        delivery.open_door(work, token)


def test_a_guest_gets_no_original(scene: Scene) -> None:
    asset = scene.asset()
    guest = scene.guest(scene.link(asset=asset))
    with scene.hub.reading(guest) as work:
        version = assets.shown_versions(work, [asset])[asset]
    signed = given.original(scene.hub, guest, version)
    assert signed is not None
    token = last_part(signed.url)
    with scene.hub.reading(guest) as work, pytest.raises(NotFound):
        delivery.open_door(work, token)


def test_a_link_dies_when_its_maker_is_shut_out(scene: Scene) -> None:
    asset = scene.asset()
    link = scene.link(asset=asset)
    token = picture_of(scene, scene.guest(link), asset)
    with scene.hub.writing(HUB) as work:
        work.session.get_one(PrincipalRow, scene.librarian.principal_id).disabled_at = work.now
    with pytest.raises(NotSignedIn):
        scene.guest(link)
    with scene.hub.reading(HUB) as work, pytest.raises(NotFound):
        delivery.open_door(work, token)


@pytest.mark.parametrize("of", ["asset", "box", "upload"])
def test_a_link_dies_when_its_maker_may_not_invite_any_more(scene: Scene, of: str) -> None:
    asset = scene.asset()
    if of == "upload":
        link = scene.upload_link()
    else:
        link = scene.link(asset=asset) if of == "asset" else scene.link(box=scene.box(asset))
    assert scene.guest(link).holdings.reaches
    _revoke_grants(scene, scene.librarian)
    _give(scene, scene.librarian, "designer")  # who sees it all and invites nobody
    with pytest.raises(NotSignedIn):
        scene.guest(link)
    _give(scene, scene.librarian, "brand manager")
    assert scene.guest(link).holdings.reaches


def test_a_link_narrows_with_what_its_maker_may_see(scene: Scene) -> None:
    draft, approved = scene.asset(approved=False), scene.asset()
    box = scene.box(draft, approved)
    to_box, to_draft = scene.link(box=box), scene.link(asset=draft)
    assert scene.seen(scene.guest(to_box)) == {draft, approved}
    _give(scene, scene.librarian, "partner", is_denial=True, scope="ASSET", asset_id=approved)
    assert scene.seen(scene.guest(to_box)) == {draft}
    _revoke_grants(scene, scene.librarian)
    _role(scene, "host", Permission.ASSET_VIEW, Permission.GUEST_INVITE, Permission.LIGHTBOX_EDIT)
    _give(scene, scene.librarian, "host")  # to whom only what is approved is shown
    with pytest.raises(NotSignedIn):
        scene.guest(to_draft)
    _give(scene, scene.librarian, "viewer", scope="LIGHTBOX", lightbox_id=box)
    assert scene.seen(scene.guest(to_box)) == {approved}


def test_leak_a_link_to_a_lightbox_shows_no_asset_of_another_organisation(scene: Scene) -> None:
    theirs, mine = scene.asset(scene.admin), scene.asset()
    scene.share(asset=theirs, viewer=scene.admin, to=scene.north)
    link = scene.link(box=scene.box(theirs, mine))
    assert scene.seen(scene.guest(link)) == {mine}


def test_what_was_shared_with_an_organisation_it_cannot_show_to_guests(scene: Scene) -> None:
    asset = scene.asset(scene.admin)
    scene.share(asset=asset, viewer=scene.admin, to=scene.north)
    assert asset in scene.seen(scene.librarian)
    with refused(scene.hub, scene.librarian, NotAllowed) as work:
        guests.create(work, Opens(asset), "A customer", work.now + WEEK)


def test_what_lies_in_quarantine_is_shown_to_no_other_guest(scene: Scene) -> None:
    brought = scene.brought(scene.guest(scene.upload_link()))
    asset = scene.asset()
    box = scene.box(asset)
    with scene.hub.writing(HUB) as work:
        told = {"lightbox_id": box, "asset_id": brought, "position": 0, "added_at": work.now}
        work.session.add(LightboxAssetRow(**told))
    assert scene.seen(scene.guest(scene.link(box=box))) == {asset}
    with refused(scene.hub, scene.librarian, Conflict) as work:
        guests.create(work, Opens(brought), "A customer", work.now + WEEK)


def test_what_a_link_cannot_open_is_refused_and_changes_nothing(scene: Scene) -> None:
    asset, box = scene.asset(), scene.box()
    elsewhere = scene.asset(scene.agency)
    for viewer, opens, kind, path in (
        (scene.designer, Opens(asset), NotAllowed, ()),
        (scene.designer, Opens(None, box), NotAllowed, ()),
        (scene.librarian, Opens(elsewhere), NotFound, ("asset",)),
        (scene.librarian, Opens(99_999), NotFound, ("asset",)),
        (scene.librarian, Opens(None, 99_999), NotFound, ("lightbox",)),
        (scene.partner, Opens(None, box), NotFound, ("lightbox",)),
        (scene.librarian, Opens(), Invalid, ("asset",)),
        (scene.librarian, Opens(asset, box), Invalid, ("asset",)),
    ):
        with refused(scene.hub, viewer, kind, path) as work:
            guests.create(work, opens, "A customer", work.now + WEEK)
    for viewer, org_id, kind in (
        (scene.designer, scene.north, NotAllowed),
        (scene.librarian, scene.south, NotAllowed),
        (scene.partner, scene.north, NotFound),
        (scene.librarian, 99_999, NotFound),
    ):
        with refused(scene.hub, viewer, kind) as work:
            guests.create_for_uploads(work, org_id, "A photographer", work.now + WEEK)


@pytest.mark.parametrize(
    ("days", "name", "most", "path"),
    [
        (0, "x", 1, ("expiresAt",)),
        (90.001, "x", 1, ("expiresAt",)),
        (1, " ", 1, ("name",)),
        (1, "x" * 101, 1, ("name",)),
        (1, "x", 0, ("maxFiles",)),
        (1, "x", 1001, ("maxFiles",)),
    ],
)
def test_a_link_has_a_name_an_end_within_ninety_days_and_a_sensible_number_of_files(
    scene: Scene, days: float, name: str, most: int, path: tuple[str, ...]
) -> None:
    with refused(scene.hub, scene.librarian, Invalid, path) as work:
        guests.create_for_uploads(work, scene.north, name, work.now + timedelta(days=days), most)


def test_links_are_known_to_their_makers_and_to_those_who_may_invite_there(scene: Scene) -> None:
    link = scene.link(asset=scene.asset())
    stranger = member(scene.hub, "brand manager", org_id=organisation(scene.hub, "West"))
    for viewer, known in ((scene.librarian, 1), (scene.marketing, 1), (scene.admin, 1), (scene.designer, 0)):
        with scene.hub.reading(viewer) as work:
            assert len(guests.page(work, pages.paging(work, "tests")).rows) == guests.count(work) == known, viewer.name
    for viewer in (stranger, scene.designer, scene.guest(link)):
        with refused(scene.hub, viewer, NotFound) as work:
            guests.revoke(work, link.id)


def test_that_a_link_was_used_is_told_once_an_hour_however_many_come(scene: Scene) -> None:
    frozen = scene.at(scene.hub.clock())
    link = scene.link(asset=_asset(scene))
    together([partial(identity.viewer_of_token, frozen, link.secret)] * 4)
    assert _uses(scene.hub) == 1
    hour = timedelta(hours=1)
    with unchanged(scene.hub):
        identity.viewer_of_token(scene.at(frozen.clock() + hour - MOMENT), link.secret)
    identity.viewer_of_token(scene.at(frozen.clock() + hour), link.secret)
    assert _uses(scene.hub) == 2
    with scene.hub.reading(HUB) as work:
        event = work.session.scalars(sa.select(EventRow).where(EventRow.type == "guest_link.used")).first()
        assert event is not None
        guest = sa.select(TokenRow.principal_id).where(TokenRow.purpose == "GUEST")
        assert (event.subject_type, event.subject_id, event.org_id) == ("GuestLink", link.id, scene.north)
        assert event.actor_id == work.session.scalar(guest)


def test_the_secret_of_a_link_stands_in_its_address_after_the_hash_and_nowhere_else(scene: Scene) -> None:
    link = scene.link(asset=_asset(scene))
    parts = urlsplit(link.url)
    assert (parts.fragment, parts.query) == (f"token={link.secret}", "")
    assert link.secret not in str(rows_everywhere(scene.hub))


def test_a_guest_brings_files_into_quarantine_and_sees_only_those(scene: Scene) -> None:
    scene.asset()
    first, second = (scene.guest(scene.upload_link()) for _ in range(2))
    one, two = scene.brought(first), scene.brought(second)
    assert (scene.seen(first), scene.seen(second)) == ({one}, {two})
    with scene.hub.reading(HUB) as work:
        row = work.session.get_one(AssetRow, one)
        assert (row.lifecycle, row.org_id) == ("QUARANTINED", scene.north)
    assert not scene.may_update(first, one)
    for guest, kind in ((first, NotAllowed), (second, NotFound)):
        with refused(scene.hub, guest, kind) as work:
            inbox.accept(work, one, 1)


def test_a_link_takes_as_many_files_as_it_says_even_when_they_come_at_once(scene: Scene) -> None:
    link = scene.upload_link(3)
    guest = scene.guest(link)
    outcomes = together([partial(_bring, scene, guest, number) for number in range(8)])
    assert sorted(outcomes) == [*["CONFLICT"] * 5, *["brought"] * 3]
    with scene.hub.reading(HUB) as work:
        owned = sa.select(sa.func.count()).where(AssetRow.created_by == guest.principal_id)
        assert work.session.scalar(owned) == 3
        assert guests.files_brought(work, [guest.principal_id or 0]) == {guest.principal_id: 3}


def test_files_that_were_thrown_away_again_count_as_brought(scene: Scene) -> None:
    guest = scene.guest(scene.upload_link(2))
    kept, client = Staging(scene.hub.settings.staging_dir), Client(scene.hub, guest)
    with scene.hub.writing(guest) as work:
        begun = intake.begin(work, kept, length=10, file_name="never.txt").id
    with scene.hub.writing(guest) as work:
        intake.discard(work, kept, begun)  # nothing of it ever arrived
    for number in range(2):
        upload = client.upload(f"Photo number {number}. ".encode() * 50, "photo.txt")
        with scene.hub.writing(guest) as work:
            intake.discard(work, kept, upload)
    with refused(scene.hub, guest, Conflict) as work:
        intake.begin(work, kept, length=10, file_name="photo.txt")
    other = scene.guest(scene.upload_link(1))
    assert scene.brought(other) in scene.seen(other)


def test_files_that_arrived_and_whose_time_is_over_count_as_brought(scene: Scene) -> None:
    guest = scene.guest(scene.upload_link(1))
    kept = Staging(scene.hub.settings.staging_dir)
    upload = Client(scene.hub, guest).upload(b"A letter. " * 50, "letter.txt")
    with scene.hub.writing(HUB) as work:
        row = work.session.get_one(UploadRow, upload)
        row.expires_at = work.now
    with refused(scene.hub, guest, Conflict) as work:
        intake.begin(work, kept, length=10, file_name="photo.txt")


def test_one_upload_that_is_made_an_asset_again_and_again_counts_each_time(scene: Scene) -> None:
    guest = scene.guest(scene.upload_link(2))
    client = Client(scene.hub, guest)
    upload = client.upload(b"The same letter. " * 50, "letter.txt")
    distinct = {"onDuplicate": "DISTINCT", "reason": "Once more.", "upload": upload}
    made = [client.mutate("assetCreate", "asset { id }", **distinct)["errors"] for _ in range(2)]
    assert made == [[], []]
    with unchanged(scene.hub):
        (error,) = client.mutate("assetCreate", "asset { id }", **distinct)["errors"]
    assert error["code"] == "CONFLICT"


def test_a_guest_makes_no_tag_no_link_no_share_and_no_token(scene: Scene) -> None:
    guest = scene.guest(scene.upload_link())
    client = Client(scene.hub, guest)
    upload = client.upload(b"A letter. " * 50, "letter.txt")
    with unchanged(scene.hub):
        (error,) = client.mutate("assetCreate", "asset { id }", upload=upload, tags=["fresh"])["errors"]
    assert error["code"] == "NOT_ALLOWED"
    with refused(scene.hub, guest, NotAllowed) as work:
        identity.create_token(work, "more")
    mine = scene.brought(guest)
    with refused(scene.hub, guest, NotAllowed) as work:
        guests.create(work, Opens(mine), "A friend", work.now + WEEK)


def _asset(scene: Scene) -> int:
    return scene.asset()


def _bring(scene: Scene, guest: Viewer, number: int) -> str:
    try:
        Client(scene.hub, guest).create(f"Photo number {number}. ".encode() * 50, "photo.txt")
    except Refusal as refusal:
        return refusal.code
    return "brought"


def _uses(hub: Hub) -> int:
    with hub.reading(HUB) as work:
        return work.session.scalar(sa.select(sa.func.count()).where(EventRow.type == "guest_link.used")) or 0


def _revoke_grants(scene: Scene, viewer: Viewer) -> None:
    with scene.hub.writing(HUB) as work:
        mine = sa.update(GrantRow).where(GrantRow.principal_id == viewer.principal_id)
        work.session.execute(mine.values(revoked_at=work.now))


def _give(scene: Scene, viewer: Viewer, role: str, **grant: object) -> None:
    assert viewer.principal_id is not None
    with scene.hub.writing(HUB) as work:
        give(scene.hub, viewer.principal_id, role, org_id=scene.north, session=work.session, **grant)


def _role(scene: Scene, name: str, *permissions: Permission) -> None:

    with scene.hub.writing(HUB) as work:
        told = [each.value for each in permissions]
        work.session.add(RoleRow(name=name, permissions=told, created_at=work.now))
