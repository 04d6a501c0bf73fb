"""An address of a file outlives and outreaches no token that it was made with."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from domain import delivery, guests, identity, workflow
from domain.delivery import Delivery
from domain.hub import Hub
from domain.identity import sessions
from domain.permissions import P
from domain.refusals import NotFound
from domain.work import HUB, Viewer
from server.app import make_app
from storage.tables import AssetVersionRow, PrincipalRow
from tests.asking import statements
from tests.assets.acts import queries
from tests.delivery import given
from tests.delivery.brand import Brand
from tests.sharing.scene import WEEK, Scene, last_part, picture_of
from tests.signing_in.house import InProcess

MOMENT = timedelta(microseconds=1)
HERE, ELSEWHERE = "192.0.2.7", "198.51.100.9"
NEAR = {"networks": ["192.0.2.0/24"]}


@pytest.fixture
def pictured(scene: Scene) -> int:
    """An approved asset of north with a thumb; its id."""
    asset = scene.asset()
    picture_of(scene, scene.admin, asset)
    return asset


def used(scene: Scene, viewer: Viewer, **limits: Any) -> Viewer:
    """The same person by a new token of theirs."""
    with scene.hub.writing(viewer) as work:
        secret = identity.create_token(work, "a token", **limits).secret
    return identity.viewer_of_token(scene.hub, secret, HERE)


def addresses(scene: Scene, viewer: Viewer, asset: int) -> dict[str, str]:
    """The last parts of what the viewer is given: the original, the thumb, the stable address of the thumb."""
    brand = Brand(scene.hub, scene.admin)
    with scene.hub.reading(viewer) as work:
        version = work.session.query(AssetVersionRow).filter_by(asset_id=asset).one()
    thumb = given.rendition(scene.hub, viewer, brand.rendition(version, "thumb"))
    original = given.original(scene.hub, viewer, version)
    assert thumb is not None
    assert original is not None
    urls = {"original": original.url, "thumb": thumb.url}
    with scene.hub.reading(viewer) as work:
        urls["stable"] = delivery.latest_url(work, asset, "thumb")
    return {name: last_part(url) for name, url in urls.items()}


def opened(hub: Hub, name: str, part: str, address: str | None = HERE) -> Delivery:
    with hub.writing(HUB) as work:
        if name == "stable":
            part = last_part(delivery.latest(work, part, address).url)
        return delivery.open_door(work, part, address)


def open_ones(hub: Hub, given: dict[str, str], address: str | None = HERE) -> set[str]:
    found = set()
    for name, part in given.items():
        try:
            opened(hub, name, part, address)
        except NotFound:
            continue
        found.add(name)
    return found


def revoke(scene: Scene, viewer: Viewer) -> None:
    assert viewer.token_id is not None
    with scene.hub.writing(scene.admin) as work:
        identity.revoke_token(work, viewer.token_id)


def rotate(scene: Scene, viewer: Viewer, hours: int = 0) -> Viewer:
    assert viewer.token_id is not None
    with scene.hub.writing(viewer) as work:
        secret = identity.rotate_token(work, viewer.token_id, hours).secret
    return identity.viewer_of_token(scene.hub, secret, HERE)


ALL = {"original", "thumb", "stable"}


def test_addresses_die_with_their_token_and_no_other(scene: Scene, pictured: int) -> None:
    one, other = used(scene, scene.designer), used(scene, scene.designer)
    of_one, of_other, own = (addresses(scene, viewer, pictured) for viewer in (one, other, scene.designer))
    followed = last_part(_behind(scene, of_one["stable"]))
    assert [open_ones(scene.hub, each) for each in (of_one, of_other, own)] == [ALL] * 3
    revoke(scene, one)
    assert [open_ones(scene.hub, each) for each in (of_one, of_other, own)] == [set(), ALL, ALL]
    assert open_ones(scene.hub, {"thumb": followed}) == set()


def test_addresses_die_at_the_moment_their_token_expires_and_say_so(scene: Scene, pictured: int) -> None:
    end = scene.hub.clock() + timedelta(minutes=30)
    given = addresses(scene, used(scene, scene.designer, expires_at=end), pictured)
    last = scene.at(end - MOMENT)
    assert open_ones(last, given) == ALL
    assert {opened(last, name, part).valid_until for name, part in given.items()} == {end}
    assert open_ones(scene.at(end), given) == set()


def test_addresses_of_a_token_for_some_networks_open_there_only(scene: Scene, pictured: int) -> None:
    given = addresses(scene, used(scene, scene.designer, **NEAR), pictured)
    for address, found in ((HERE, ALL), ("::ffff:192.0.2.9", ALL), (ELSEWHERE, set()), (None, set())):
        assert open_ones(scene.hub, given, address) == found


def test_addresses_open_no_more_than_their_token_may(scene: Scene, pictured: int) -> None:
    looking = used(scene, scene.designer, scopes=[P.ASSET_VIEW])
    given = addresses(scene, looking, pictured)
    assert open_ones(scene.hub, given) == {"thumb", "stable"}  # not the original: that is to download
    whole = addresses(scene, used(scene, scene.designer), pictured)
    with scene.hub.writing(scene.admin) as work:
        workflow.revoke(work, work.session.query(AssetVersionRow).filter_by(asset_id=pictured).one().id)
    assert open_ones(scene.hub, given) == set()
    assert open_ones(scene.hub, whole) == {"original", "thumb"}


def test_a_stable_address_goes_on_with_the_successors_of_its_token_until_one_is_revoked(
    scene: Scene, pictured: int
) -> None:
    first = used(scene, scene.designer)
    given = addresses(scene, first, pictured)
    second = rotate(scene, first)
    assert open_ones(scene.hub, given) == {"stable"}
    third = rotate(scene, second)
    assert open_ones(scene.hub, given) == {"stable"}
    revoke(scene, second)  # which was over already
    assert open_ones(scene.hub, given) == {"stable"}
    revoke(scene, third)
    assert open_ones(scene.hub, given) == set()


def test_a_stable_address_of_a_revoked_token_is_dead_whatever_took_its_place(scene: Scene, pictured: int) -> None:
    first = used(scene, scene.designer)
    given = addresses(scene, first, pictured)
    rotate(scene, first, 24)
    assert open_ones(scene.hub, given) == ALL
    revoke(scene, first)
    assert open_ones(scene.hub, given) == set()


def test_addresses_of_a_session_die_with_it_but_a_stable_one_is_the_persons(scene: Scene, pictured: int) -> None:
    with scene.hub.writing(HUB) as work:
        session = sessions.begin(work, work.session.get_one(PrincipalRow, scene.designer.principal_id), None)
    given = addresses(scene, sessions.viewer_of_session(scene.hub, session.secret, None), pictured)
    assert open_ones(scene.hub, given) == ALL
    sessions.end(scene.hub, session.secret, None)
    assert open_ones(scene.hub, given) == {"stable"}


def test_addresses_of_a_guest_open_where_the_token_of_whoever_invited_them_does(scene: Scene, pictured: int) -> None:
    with scene.hub.writing(used(scene, scene.librarian, **NEAR)) as work:
        link = guests.create(work, guests.Opens(pictured), "A customer", work.now + WEEK)
    guest = identity.viewer_of_token(scene.hub, link.secret, HERE)
    given = {"thumb": addresses(scene, guest, pictured)["thumb"]}
    assert open_ones(scene.hub, given, HERE) == {"thumb"}
    assert open_ones(scene.hub, given, ELSEWHERE) == set()


def test_whose_token_it_was_costs_no_statement_more(scene: Scene, pictured: int) -> None:
    counts = set()
    for viewer in (scene.designer, used(scene, scene.designer)):
        given = addresses(scene, viewer, pictured)
        for name in ("thumb", "original"):
            with statements(scene.hub) as sent:
                opened(scene.hub, name, given[name])
            counts.add((name, len(queries(sent))))
    assert len(counts) == 2


def test_no_shared_cache_keeps_what_only_some_networks_may_fetch(scene: Scene, pictured: int) -> None:
    near, far = used(scene, scene.designer, **NEAR), used(scene, scene.designer)
    for viewer, who in ((near, "private"), (far, "public")):
        given = addresses(scene, viewer, pictured)
        for path in (f"/latest/{given['stable']}", f"/files/{given['thumb']}"):
            answer = fetched(scene, path, HERE)
            assert answer.status_code in {200, 302}
            assert answer.headers["cache-control"].split(",")[0] == who
            assert fetched(scene, path, ELSEWHERE).status_code == (404 if viewer is near else answer.status_code)


def fetched(scene: Scene, path: str, address: str) -> httpx.Response:
    with httpx.Client(base_url="http://hub.test", transport=InProcess(make_app(scene.hub), address)) as client:
        return client.get(path)


def _behind(scene: Scene, part: str) -> str:
    with scene.hub.writing(HUB) as work:
        return delivery.latest(work, part, HERE).url
