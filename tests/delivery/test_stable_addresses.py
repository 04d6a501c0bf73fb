"""A stable address outlives no right: neither of whoever made it, nor of their organisation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain import delivery, guests, identity, sharing
from domain.global_ids import encode
from domain.hub import Hub
from domain.identity import issuing
from domain.permissions import Permission
from domain.refusals import NotFound
from domain.work import HUB, Viewer
from storage.tables import GrantRow, PrincipalRow
from tests.acting import give, member
from tests.asking import Client
from tests.sharing.scene import Scene, last_part, picture_of

MOMENT = timedelta(microseconds=1)
DENIED = [{"path": ["asset", "latestUrl"], "permission": "asset.download"}]


@pytest.fixture
def scene(hub: Hub, admin: Viewer) -> Scene:
    return Scene(hub, admin)


@pytest.fixture
def pictured(scene: Scene) -> int:
    """An approved asset of north with a thumb; its id."""
    asset = scene.asset()
    picture_of(scene, scene.admin, asset)
    return asset


def asked(scene: Scene, viewer: Viewer, asset: int) -> dict[str, Any]:
    """The whole answer, but for what it cost."""
    query = 'query ($id: ID!) { asset(id: $id) { latestUrl(preset: "thumb") } }'
    answer = Client(scene.hub, viewer).answer(query, id=encode("Asset", asset))
    del answer["extensions"]["cost"]
    return answer


def stable(scene: Scene, viewer: Viewer, asset: int) -> str:
    """The last part of a stable address that leads to a picture now."""
    answer = asked(scene, viewer, asset)
    assert answer["extensions"] == {}
    token = last_part(answer["data"]["asset"]["latestUrl"])
    assert opened(scene.hub, token).media_type == "image/webp"
    return token


def behind(hub: Hub, token: str) -> str:
    """The last part of the address that it leads to."""
    with hub.writing(HUB) as work:
        return last_part(delivery.latest(work, token).url)


def opened(hub: Hub, token: str) -> delivery.Delivery:
    with hub.reading(HUB) as work:
        return delivery.open_door(work, behind(hub, token))


def assert_dead(hub: Hub, token: str, file: str) -> None:
    """Neither the stable address nor the file it led to before opens anything."""
    with hub.reading(HUB) as work:
        with pytest.raises(NotFound):
            delivery.latest(work, token)
        with pytest.raises(NotFound):
            delivery.open_door(work, file)


def _disable(scene: Scene, _asset: int) -> None:
    with scene.hub.writing(HUB) as work:
        work.session.get_one(PrincipalRow, scene.designer.principal_id).disabled_at = work.now


def _deny(scene: Scene, asset: int) -> None:
    assert scene.designer.principal_id is not None
    with scene.hub.writing(HUB) as work:
        told = {"scope": "ASSET", "asset_id": asset, "is_denial": True, "session": work.session}
        give(scene.hub, scene.designer.principal_id, "viewer", org_id=scene.north, **told)


def _revoke(scene: Scene, _asset: int) -> None:
    with scene.hub.writing(HUB) as work:
        mine = sa.update(GrantRow).where(GrantRow.principal_id == scene.designer.principal_id)
        work.session.execute(mine.values(revoked_at=work.now))


@pytest.mark.parametrize("take", [_disable, _deny, _revoke])
def test_a_stable_address_dies_with_what_its_maker_may_see(
    scene: Scene, pictured: int, take: Callable[[Scene, int], None]
) -> None:
    token, other = (stable(scene, viewer, pictured) for viewer in (scene.designer, scene.librarian))
    file = behind(scene.hub, token)
    take(scene, pictured)
    assert_dead(scene.hub, token, file)
    assert opened(scene.hub, other).asset_id == pictured


def test_a_stable_address_dies_at_the_moment_the_grant_of_its_maker_ends(scene: Scene, pictured: int) -> None:
    end = scene.hub.clock() + timedelta(hours=1)
    freelancer = member(scene.hub, "designer", org_id=scene.north, expires_at=end)
    token = stable(scene, freelancer, pictured)
    last = scene.at(end - MOMENT)
    file = behind(last, token)
    assert opened(last, token).asset_id == pictured
    assert_dead(scene.at(end), token, file)


def test_a_stable_address_made_abroad_dies_with_the_share(scene: Scene, pictured: int) -> None:
    share = scene.share(asset=pictured)
    token = stable(scene, scene.partner, pictured)
    file = behind(scene.hub, token)
    with scene.hub.writing(scene.librarian) as work:
        sharing.end(work, share)
    assert_dead(scene.hub, token, file)


def test_a_stable_address_needs_also_that_the_organisation_of_its_maker_sees_it(scene: Scene, pictured: int) -> None:
    share = scene.share(asset=pictured)
    token = stable(scene, scene.partner, pictured)
    file = behind(scene.hub, token)
    assert scene.partner.principal_id is not None
    with scene.hub.writing(HUB) as work:
        told = {"scope": "ASSET", "asset_id": pictured, "session": work.session}
        give(scene.hub, scene.partner.principal_id, "partner", org_id=scene.north, **told)
    with scene.hub.writing(scene.librarian) as work:
        sharing.end(work, share)
    alone = scene.renewed(scene.partner)
    assert scene.seen(alone) == {pictured}
    assert_dead(scene.hub, token, file)
    assert asked(scene, alone, pictured) == {"data": {"asset": {"latestUrl": None}}, "extensions": {"denied": DENIED}}


def test_a_guest_makes_no_stable_address_and_a_signed_one_would_die_with_the_link(scene: Scene, pictured: int) -> None:
    link = scene.link(asset=pictured)
    guest = scene.guest(link)
    assert asked(scene, guest, pictured) == {"data": {"asset": {"latestUrl": None}}, "extensions": {"denied": DENIED}}
    with scene.hub.reading(guest) as work:
        assert delivery.may_last(work, [pictured]) == {pictured: False}
        token = last_part(delivery.latest_url(work, pictured, "thumb"))
    file = behind(scene.hub, token)
    with scene.hub.writing(scene.librarian) as work:
        guests.revoke(work, link.id)
    assert_dead(scene.hub, token, file)


def test_of_what_waits_in_quarantine_nobody_makes_a_stable_address(scene: Scene) -> None:
    guest = scene.guest(scene.upload_link())
    asset = scene.brought(guest)
    for viewer in (guest, scene.librarian, scene.admin):
        answer = asked(scene, viewer, asset)
        assert answer == {"data": {"asset": {"latestUrl": None}}, "extensions": {"denied": DENIED}}


def test_without_the_permission_to_download_nobody_makes_a_stable_address(scene: Scene, pictured: int) -> None:
    with scene.hub.writing(scene.librarian) as work:
        secret = issuing.create_token(work, "to look", scopes=[Permission.ASSET_VIEW]).secret
    viewer = member(scene.hub, "viewer", org_id=scene.north)
    for each in (identity.viewer_of_token(scene.hub, secret), viewer):
        answer = asked(scene, each, pictured)
        assert answer == {"data": {"asset": {"latestUrl": None}}, "extensions": {"denied": DENIED}}


def test_a_stable_address_made_before_approval_waits_for_it(scene: Scene) -> None:
    asset = scene.asset(approved=False)
    picture_of(scene, scene.admin, asset)
    token = last_part(asked(scene, scene.designer, asset)["data"]["asset"]["latestUrl"])
    with scene.hub.reading(HUB) as work, pytest.raises(NotFound):
        delivery.latest(work, token)


def test_an_address_that_names_nobody_opens_nothing(scene: Scene, pictured: int) -> None:
    with scene.hub.reading(HUB) as work:
        token = last_part(delivery.latest_url(work, pictured, "thumb"))
        with pytest.raises(NotFound):
            delivery.latest(work, token)
