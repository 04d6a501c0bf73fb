"""`viewerCan` says exactly what each mutation answers, for random people and assets; nothing tried here stays."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest

from domain import assets, delivery, identity, sharing, trash, workflow
from domain.assets import Changes, Content
from domain.assets.deciding import PERMISSIONS
from domain.assets.reading import shown_versions
from domain.delivery import deciding
from domain.hub import Hub
from domain.refusals import Refusal
from domain.work import Viewer, Work
from storage.tables import AssetRow
from tests.asking import rows_everywhere
from tests.identity.policy_world import NOW, World, made
from tests.identity.test_policy import SEEDS


@pytest.fixture(params=SEEDS)
def world(hub: Hub, request: pytest.FixtureRequest) -> World:
    return made(replace(hub, clock=lambda: NOW), request.param)


def shown(work: Work, asset: AssetRow) -> int:
    """The revision that the viewer is shown."""
    return identity.shown_changes(work, [asset])[asset.id].revision


def update(work: Work, asset: AssetRow) -> None:
    assets.update(work, asset.id, Changes(title="Another"), shown(work, asset))


def add_version(work: Work, asset: AssetRow) -> None:
    fresh = Content(hashlib.sha256(b"fresh").hexdigest(), 5, "fresh.bin", "application/octet-stream", asset.kind)
    assets.add_version(work, asset.id, fresh, shown(work, asset))


def approve(work: Work, asset: AssetRow) -> None:
    version = shown_versions(work, [asset.id])[asset.id]
    workflow.approve(work, version.id, version.sha256, is_own_work=True)


def archive(work: Work, asset: AssetRow) -> None:
    assets.archive(work, asset.id, shown(work, asset))


def restore(work: Work, asset: AssetRow) -> None:
    assets.restore(work, asset.id, shown(work, asset))


def download(work: Work, asset: AssetRow) -> None:
    version = shown_versions(work, [asset.id])[asset.id]
    address = delivery.original_url(work, version, deciding.only(work, version.id, None))
    delivery.open_door(work, address.url.rpartition("/")[2])


def share(work: Work, asset: AssetRow) -> None:
    """With an organisation that does not exist: what is asked of the asset is asked first."""
    sharing.create(work, sharing.Subject(asset_id=asset.id), 999_999)


def throw_away(work: Work, asset: AssetRow) -> None:
    """Whatever uses it."""
    try:
        trash.throw_away(work, asset.id, shown(work, asset))
    except trash.InUse as used:
        trash.throw_away(work, asset.id, shown(work, asset), confirmation=used.confirmation)


def bring_back(work: Work, asset: AssetRow) -> None:
    """Nothing lies in the trash of this world: see tests/lifecycle for what does."""
    trash.restore(work, asset.id, shown(work, asset))


ACTS: dict[str, Callable[[Work, AssetRow], None]] = {
    "UPDATE": update,
    "ADD_VERSION": add_version,
    "APPROVE": approve,
    "ARCHIVE": archive,
    "RESTORE": restore,
    "DOWNLOAD": download,
    "SHARE": share,
    "TRASH": throw_away,
    "RESTORE_FROM_TRASH": bring_back,
}


class _UndoneError(Exception):
    """Ends a transaction that must not stay."""


@contextmanager
def undone(hub: Hub, viewer: Viewer) -> Iterator[Work]:
    with suppress(_UndoneError), hub.writing(viewer) as work:
        yield work
        raise _UndoneError


def refusal(world: World, viewer: Viewer, asset_id: int, action: str) -> Refusal | None:
    """What the action is answered, other than that the organisation to share with is unknown."""
    found: Refusal | None = None
    with undone(world.hub, viewer) as work:
        asset = work.session.get_one(AssetRow, asset_id)
        try:
            ACTS[action](work, asset)
        except Refusal as refused:
            found = None if tuple(refused.path or ()) == ("organisation",) else refused
    return found


def test_every_action_on_an_asset_is_tried_here() -> None:
    assert set(ACTS) == set(PERMISSIONS)


def test_what_a_viewer_is_told_they_can_do_is_what_the_mutation_lets_them_do(world: World) -> None:
    before = rows_everywhere(world.hub)
    answered: Counter[tuple[str, bool]] = Counter()
    for viewer in (each for each in world.viewers() if each.name != "odd" and each.principal_id is not None):
        with world.hub.reading(viewer) as work:
            rows = sorted(assets.by_id(work, world.assets).values(), key=lambda row: row.id)
            told = assets.viewer_can(work, rows)
        for turn, row in enumerate(rows):
            for action in list(ACTS)[turn % 2 :: 2]:
                answer = refusal(world, viewer, row.id, action)
                assert (answer is None) is (action in told[row.id]), (viewer, row.id, row.lifecycle, action, answer)
                answered[action, answer is None] += 1
    assert {action for action, _ in answered} == set(ACTS)
    assert len(answered) >= 2 * len(ACTS) - 5, "nearly every action is refused here and done there"
    assert rows_everywhere(world.hub) == before


def test_what_is_not_seen_answers_every_action_as_if_it_did_not_exist(world: World) -> None:
    tried = 0
    for viewer in (each for each in world.viewers() if each.name != "odd" and each.principal_id is not None):
        with world.hub.reading(viewer) as work:
            hidden = sorted(set(world.assets) - set(assets.by_id(work, world.assets)))
        for asset_id in hidden[::6]:
            for action in ("UPDATE", "ADD_VERSION", "ARCHIVE", "RESTORE", "SHARE", "TRASH"):
                answer = refusal(world, viewer, asset_id, action)
                assert answer is not None
                assert answer.code == "NOT_FOUND", (viewer, asset_id, action, answer)
                tried += 1
    assert tried > 30
