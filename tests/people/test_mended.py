"""What somebody sees for a while they cannot make their own for good: not what is shared with them, nor what ends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain import authority, grants, guests, identity, lightboxes, people, teams
from domain.grants import Holder, Where
from domain.hub import Hub
from domain.permissions import P
from domain.refusals import NotAllowed, NotFound, Refusal
from domain.work import HUB, Viewer
from storage.tables import RoleRow
from tests.acting import give, member
from tests.sharing.scene import Scene, refused

HOUR, MOMENT = timedelta(hours=1), timedelta(microseconds=1)


@pytest.fixture
def scene(hub: Hub, admin: Viewer) -> Scene:
    return Scene(hub, admin)


def test_what_is_shared_is_not_given_for_good(scene: Scene) -> None:
    shared, boxed, box = scene.asset(), scene.asset(), scene.box(scene.asset())
    scene.share(asset=shared)
    scene.share(box=scene.box(boxed))
    scene.share(box=box)
    chief = member(scene.hub, "admin", org_id=scene.south, name="Chief")
    assert {shared, boxed} <= scene.seen(chief)
    for where in (Where(asset_id=shared), Where(asset_id=boxed), Where(lightbox_id=box)):
        with refused(scene.hub, chief, NotAllowed) as work:
            grants.create(work, to(chief), role(scene, "partner"), where)


def test_what_a_lightbox_opens_is_not_given_one_by_one(scene: Scene) -> None:
    inside, own, box = scene.asset(), scene.asset(), scene.box()
    with scene.hub.writing(scene.librarian) as work:
        lightboxes.add(work, box, [inside], 1)
    manager = managing(scene, scene.south)
    for scope in ({"scope": "LIGHTBOX", "lightbox_id": box}, {"scope": "ASSET", "asset_id": own}):
        given(scene, manager, "partner", scene.north, **scope)
    manager = scene.renewed(manager)
    assert {inside, own} <= scene.seen(manager)
    with refused(scene.hub, manager, NotAllowed) as work:
        grants.create(work, to(manager), role(scene, "partner"), Where(asset_id=inside))
    colleague = member(scene.hub, org_id=scene.south)
    with scene.hub.writing(manager) as work:  # by the very same asset, and the very same lightbox
        for where in (Where(asset_id=own), Where(lightbox_id=box)):
            grants.create(work, to(colleague), role(scene, "partner"), where)


def test_whoever_is_denied_an_asset_does_not_give_it(scene: Scene) -> None:
    free, denied = scene.asset(), scene.asset()
    chief = member(scene.hub, "admin", org_id=scene.north, name="Chief")
    made_role(scene, "taking", P.ASSET_DOWNLOAD)
    given(scene, chief, "taking", scene.north, scope="ASSET", asset_id=denied, is_denial=True)
    chief, colleague = scene.renewed(chief), member(scene.hub, org_id=scene.north)
    with refused(scene.hub, chief, NotAllowed) as work:
        grants.create(work, to(colleague), role(scene, "partner"), Where(asset_id=denied))
    with scene.hub.writing(chief) as work:
        grants.create(work, to(colleague), role(scene, "partner"), Where(asset_id=free))


@pytest.mark.parametrize("holder", ["person", "team"])
def test_an_organisation_takes_back_what_of_it_was_opened_to_strangers(scene: Scene, holder: str) -> None:
    asset = scene.asset()
    local, whom = managing(scene, scene.north), to(scene.partner)
    with scene.hub.writing(scene.admin) as work:
        if holder == "team":
            number, team = scene.partner.principal_id or 0, teams.create(work, scene.south, "Strangers")
            teams.add_members(work, team.id, [number], team.revision)
            whom = Holder(team_id=team.id)
        partner, here = role(scene, "partner"), Where(asset_id=asset)
        opened = grants.create(work, whom, partner, here).id
        denied = grants.create(work, whom, partner, here, is_denial=True).id
        elsewhere = grants.create(work, whom, role(scene, "viewer"), Where(org_id=scene.south)).id
    for grant in (denied, elsewhere):
        with refused(scene.hub, local, NotFound, ("grant",)) as work:
            grants.revoke(work, grant)
    with refused(scene.hub, scene.partner, Refusal) as work:
        grants.revoke(work, opened)
    with scene.hub.writing(local) as work:
        assert grants.revoke(work, opened).revoked_at is not None


def test_somebody_whose_rights_end_has_no_power_over_who_keeps_theirs(scene: Scene) -> None:
    end = scene.hub.clock() + HOUR
    brief = member(scene.hub, "admin", org_id=scene.north, name="Brief", expires_at=end)
    lasting = person(scene)
    longer, same = person(scene, expires_at=end + MOMENT), person(scene, expires_at=end)
    for other in (lasting, longer):
        assert can(scene, brief, other) == []
        with refused(scene.hub, brief, NotAllowed) as work:
            people.invite_again(work, other)
        with refused(scene.hub, brief, NotAllowed) as work:
            people.disable(work, other, 1)
    assert can(scene, brief, same) == ["UPDATE", "DISABLE"]
    with scene.hub.writing(brief) as work:
        people.invite_again(work, same)
        people.disable(work, same, 1)


def test_an_administrator_of_everything_for_an_hour_has_no_power_over_one_for_good(scene: Scene) -> None:
    end = scene.hub.clock() + HOUR
    brief = member(scene.hub, "admin", name="Brief", expires_at=end)
    assert brief.is_administrator
    assert scene.admin.principal_id is not None
    with refused(scene.hub, brief, NotAllowed) as work:
        people.disable(work, scene.admin.principal_id, 1)


def test_a_denial_that_ends_sooner_than_ones_own_counts_for_nothing(scene: Scene) -> None:
    made_role(scene, "taking", P.ASSET_DOWNLOAD)
    chief = member(scene.hub, "admin", org_id=scene.north, name="Chief")
    given(scene, chief, "taking", scene.north, is_denial=True)
    chief = scene.renewed(chief)
    freed, kept = person(scene), person(scene)
    with scene.hub.writing(HUB) as work:
        told: dict[str, Any] = {"org_id": scene.north, "session": work.session, "is_denial": True}
        give(scene.hub, freed, "taking", expires_at=work.now + HOUR, **told)
        give(scene.hub, kept, "taking", **told)
    with scene.hub.reading(chief) as work:
        assert authority.beyond(work, [freed, kept]) == {freed: P.ASSET_DOWNLOAD, kept: None}


def test_a_token_that_invites_nobody_neither_knows_nor_ends_its_owners_links(scene: Scene) -> None:
    link = scene.link(asset=scene.asset())
    for scopes, knows in (([P.ASSET_VIEW], False), ([P.ASSET_VIEW, P.GUEST_INVITE], True)):
        with scene.hub.writing(scene.librarian) as work:
            token = identity.create_token(work, "limited", scopes=scopes)
        using = identity.viewer_of_token(scene.hub, token.secret)
        with scene.hub.reading(using) as work:
            assert (guests.count(work), set(guests.by_id(work, [link.id]))) == ((1, {link.id}) if knows else (0, set()))
        if not knows:
            with refused(scene.hub, using, NotFound, ("guestLink",)) as work:
                guests.revoke(work, link.id)
            continue
        with scene.hub.writing(using) as work:
            assert guests.revoke(work, link.id).revoked_at is not None


def test_who_may_invite_to_one_asset_only_knows_their_own_links(scene: Scene) -> None:
    asset = scene.asset()
    made_role(scene, "host", P.ASSET_VIEW, P.GUEST_INVITE)
    host = member(scene.hub, org_id=scene.north, name="Host")
    given(scene, host, "host", scene.north, scope="ASSET", asset_id=asset)
    host = scene.renewed(host)
    mine, theirs = scene.link(asset=asset, viewer=host), scene.link(asset=asset)
    with scene.hub.reading(host) as work:
        assert set(guests.by_id(work, [mine.id, theirs.id])) == {mine.id}


def to(viewer: Viewer) -> Holder:
    return Holder(principal_id=viewer.principal_id)


def role(scene: Scene, name: str) -> int:
    with scene.hub.reading(HUB) as work:
        return work.session.scalars(sa.select(RoleRow.id).where(RoleRow.name == name)).one()


def made_role(scene: Scene, name: str, *permissions: P) -> None:
    with scene.hub.writing(HUB) as work:
        work.session.add(RoleRow(name=name, permissions=[each.value for each in permissions], created_at=work.now))


def managing(scene: Scene, org_id: int) -> Viewer:
    """Somebody who looks after people there, and holds nothing else."""
    made_role(scene, "looking after people", P.PEOPLE_VIEW, P.PEOPLE_MANAGE)
    return member(scene.hub, "looking after people", org_id=org_id, name="Manager")


def given(scene: Scene, viewer: Viewer, name: str, org_id: int, **grant: Any) -> None:
    assert viewer.principal_id is not None
    with scene.hub.writing(HUB) as work:
        give(scene.hub, viewer.principal_id, name, org_id=org_id, session=work.session, **grant)


def person(scene: Scene, **grant: Any) -> int:
    """An administrator of north."""
    found = member(scene.hub, "admin", org_id=scene.north, name="Administrator", **grant).principal_id
    assert found is not None
    return found


def can(scene: Scene, viewer: Viewer, principal_id: int) -> list[str]:
    with scene.hub.reading(viewer) as work:
        return people.viewer_can(work, people.by_id(work, [principal_id]).values())[principal_id]
