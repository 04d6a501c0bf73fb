"""The feed when what may leave of an asset moves: who hears, why nothing leaves, and that it may leave again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final

import pytest
import sqlalchemy as sa

from domain import workflow
from domain.global_ids import encode
from domain.hub import Hub
from domain.licensing import activating, assessing, components, embargoes, exclusivities, parties, releases, takedowns
from domain.licensing.codes import ExclusivityDirection, ReleaseKind
from domain.work import Viewer, Work
from storage.tables import AssetRightsRow, AssetRow, AssetVersionRow, EmbargoRow, LicenseRow, ReleaseRow, TakedownRow
from tests.asking import Client, statements
from tests.assets import acts
from tests.changes.leaving import WHY, draft
from tests.changes.test_feed import end, read, seen_by, told
from tests.sharing.scene import Scene

EVER: Final = date(2020, 1, 1)
DAY: Final = timedelta(days=1)


@pytest.fixture
def scene(hub: Hub, admin: Viewer) -> Scene:
    return Scene(hub, admin)


def shared(scene: Scene) -> int:
    """An asset that is seen by the partner."""
    asset = unsaid(scene)
    scene.share(asset=asset)
    return asset


def unsaid(scene: Scene) -> int:
    """One that is approved, and under no licence yet."""
    asset = scene.asset(approved=False)

    def approve(work: Work) -> None:
        row = work.session.scalars(sa.select(AssetVersionRow).where(AssetVersionRow.asset_id == asset)).one()
        assessing.assess(work, asset, None, assessing.Wish(recognisable_people=False, recognisable_property=False))
        workflow.approve(work, row.id, row.sha256)

    done(scene, approve)
    return asset


def done(scene: Scene, act: Callable[[Work], Any]) -> Any:
    with scene.hub.writing(scene.admin) as work:
        return act(work)


def licensed(work: Work, *assets: int, first: date = EVER, last: date | None = None, zone: str = "UTC") -> int:
    """An active licence that they are under."""
    number = work.session.scalar(sa.select(sa.func.count()).select_from(LicenseRow))
    row = draft(work, f"Terms {number}", first, last, zone)
    activating.activate(work, row.id, row.revision)
    for asset in assets:
        assessing.assess(work, asset, None, assessing.Wish([row.id]))
    return row.id


def released(work: Work, asset: int) -> int:
    jane = parties.create(work, parties.Kind.PERSON, {"name": "Jane"}).id
    made = releases.create(work, ReleaseKind.MODEL, jane, {"status": "UNLIMITED"}, [])
    assessing.assess(work, asset, None, assessing.Wish((), [made.id]))
    return made.id


def moved(work: Work, move: Callable[..., Any], id_: int, *more: Any) -> None:
    move(work, id_, work.session.get_one(LicenseRow, id_).revision, *more)


def newest(work: Work, table: Any) -> Any:
    return work.session.scalars(sa.select(table).order_by(table.id.desc()).limit(1)).one()


def take_down(work: Work, asset: int) -> None:
    takedowns.open_(work, asset, WHY)


def hold_back(work: Work, asset: int) -> None:
    embargoes.place(work, asset, None, None, WHY)


def withdraw(work: Work, _: int) -> None:
    rows = sa.select(AssetRightsRow.id).where(AssetRightsRow.license_id.is_not(None)).order_by(AssetRightsRow.id.desc())
    assessing.withdraw(work, work.session.scalars(rows.limit(1)).one(), WHY)


def assess_again(work: Work, asset: int) -> None:
    assessing.assess(work, asset, None, assessing.Wish([newest(work, LicenseRow).id]))


def suspend(work: Work, _: int) -> None:
    moved(work, activating.suspend, newest(work, LicenseRow).id, WHY)


def resume(work: Work, _: int) -> None:
    moved(work, activating.resume, newest(work, LicenseRow).id)


def terminate(work: Work, _: int) -> None:
    moved(work, activating.terminate, newest(work, LicenseRow).id, WHY)


def license_anew(work: Work, asset: int) -> None:
    licensed(work, asset)


def revoke(work: Work, _: int) -> None:
    row = newest(work, ReleaseRow)
    releases.revoke(work, row.id, row.revision, WHY)


def take_release_out(work: Work, _: int) -> None:
    rows = sa.select(AssetRightsRow.id).where(AssetRightsRow.release_id.is_not(None))
    assessing.withdraw(work, work.session.scalars(rows).one(), WHY)


def lift_takedown(work: Work, _: int) -> None:
    row = newest(work, TakedownRow)
    takedowns.lift(work, row.id, row.revision, WHY)


def lift_embargo(work: Work, _: int) -> None:
    embargoes.lift(work, newest(work, EmbargoRow).id, WHY)


@pytest.mark.parametrize(
    ("cause", "reason", "undo"),
    [
        (take_down, "WITHDRAWN", lift_takedown),
        (hold_back, "WITHDRAWN", lift_embargo),
        (withdraw, "WITHDRAWN", assess_again),
        (suspend, "RECALLED", resume),
        (terminate, "RECALLED", license_anew),
        (revoke, "RECALLED", take_release_out),
    ],
)
def test_what_takes_an_asset_from_delivery_is_told_with_its_word_until_it_may_leave_again(
    scene: Scene, cause: Callable[[Work, int], None], reason: str, undo: Callable[[Work, int], None]
) -> None:
    asset, other = shared(scene), shared(scene)
    done(scene, lambda work: (licensed(work, other), licensed(work, asset), released(work, asset)))
    inside, partner = Client(scene.hub, scene.admin), seen_by(scene, scene.partner)
    begun = [end(partner), end(inside)]
    done(scene, lambda work: cause(work, asset))
    taken = [read(partner, begun[0]), read(inside, begun[1])]
    assert [told(page) for page in taken] == [[("UPDATED", encode("Asset", asset), reason)]] * 2
    assert taken[0]["nodes"][0]["node"]["title"]  # its words are still shown
    done(scene, lambda work: undo(work, asset))
    for client, page in zip((partner, inside), taken, strict=True):
        assert told(read(client, page["pageInfo"]["endCursor"])) == [("UPDATED", encode("Asset", asset), None)]


def test_a_reason_stays_with_an_asset_that_changes_otherwise_and_is_told_to_who_begins(scene: Scene) -> None:
    asset = shared(scene)
    inside, partner = Client(scene.hub, scene.admin), seen_by(scene, scene.partner)
    done(scene, lambda work: take_down(work, asset))
    begun = end(partner)
    found = acts.look(inside, {"id": encode("Asset", asset)})
    acts.accepted(acts.change(inside, "assetUpdate", found, title="Another"))
    assert told(read(partner, begun)) == [("UPDATED", found["id"], "WITHDRAWN")]
    assert told(read(partner)) == [("CREATED", found["id"], "WITHDRAWN")]


def test_of_several_causes_the_last_one_is_told_and_a_licence_beside_covers(scene: Scene) -> None:
    asset = shared(scene)
    partner = seen_by(scene, scene.partner)
    first = done(scene, lambda work: licensed(work, asset))
    second = done(scene, lambda work: licensed(work, asset))
    begun = end(partner)
    done(scene, lambda work: moved(work, activating.terminate, first, WHY))
    assert told(read(partner, begun)) == [("UPDATED", encode("Asset", asset), None)]
    done(scene, lambda work: take_down(work, asset))
    done(scene, lambda work: moved(work, activating.suspend, second, WHY))
    assert told(read(partner, begun)) == [("UPDATED", encode("Asset", asset), "RECALLED")]
    done(scene, lambda work: moved(work, activating.resume, second))
    assert told(read(partner, begun)) == [("UPDATED", encode("Asset", asset), "WITHDRAWN")]


def test_a_licence_that_is_superseded_leaves_no_reason_where_the_new_one_carries(scene: Scene) -> None:
    now, later = shared(scene), shared(scene)
    partner = seen_by(scene, scene.partner)

    def begin(asset: int) -> int:
        return int(done(scene, lambda work: licensed(work, asset)))

    carried, uncovered = begin(now), begin(later)
    begun = end(partner)

    def supersede(work: Work, old: int, first: date) -> None:
        new = draft(work, f"Anew {old}", first, None, "UTC")
        moved(work, activating.supersede, old, new.id, WHY)

    done(scene, lambda work: supersede(work, carried, EVER))
    done(scene, lambda work: supersede(work, uncovered, work.now.date() + 9 * DAY))
    assert told(read(partner, begun)) == [
        ("UPDATED", encode("Asset", now), None),
        ("UPDATED", encode("Asset", later), "RECALLED"),
    ]


def test_exclusivity_that_is_given_away_is_told_and_what_was_promised_to_us_is_not(scene: Scene) -> None:
    asset = shared(scene)
    partner = seen_by(scene, scene.partner)
    begun = end(partner)

    def give(work: Work, direction: ExclusivityDirection) -> None:
        exclusivities.give(work, asset, exclusivities.Wish(direction, scene.north))

    done(scene, lambda work: give(work, ExclusivityDirection.INCOMING))
    assert read(partner, begun)["nodes"] == []
    done(scene, lambda work: give(work, ExclusivityDirection.OUTGOING))
    assert told(read(partner, begun)) == [("UPDATED", encode("Asset", asset), None)]


@pytest.mark.parametrize("seconds", [-1, 0])
def test_a_licence_is_over_when_its_last_day_is_over_in_its_zone(scene: Scene, seconds: int) -> None:
    asset = shared(scene)
    over = (scene.hub.clock() + 9 * DAY).replace(hour=11, minute=0, second=0, microsecond=0)
    last = over.date()  # in Honolulu, ten hours behind, it lasts until ten o'clock of the next day
    done(scene, lambda work: licensed(work, asset, last=last - DAY, zone="Pacific/Honolulu"))
    begun = end(seen_by(scene, scene.partner))
    moment = over.replace(hour=10) + timedelta(seconds=seconds)
    page = read(at(scene, moment), begun)
    expected = [] if seconds < 0 else [("UPDATED", encode("Asset", asset), "EXPIRED")]
    assert told(page) == expected
    assert [datetime.fromisoformat(each["occurredAt"]) for each in page["nodes"]] == [moment] * len(expected)
    if seconds == 0:
        assert read(at(scene, moment + DAY), page["pageInfo"]["endCursor"])["nodes"] == []


def test_an_embargo_is_told_when_it_begins_and_when_it_ends_without_an_event(scene: Scene) -> None:
    asset = shared(scene)
    now = scene.hub.clock()
    done(scene, lambda work: embargoes.place(work, asset, now + DAY, now + 2 * DAY, WHY))
    begun = end(seen_by(scene, scene.partner))
    assert read(seen_by(scene, scene.partner), begun)["nodes"] == []
    page = read(at(scene, now + DAY), begun)
    assert told(page) == [("UPDATED", encode("Asset", asset), "WITHDRAWN")]
    after = read(at(scene, now + 2 * DAY), page["pageInfo"]["endCursor"])
    assert told(after) == [("UPDATED", encode("Asset", asset), None)]
    assert told(read(at(scene, now + 3 * DAY), begun)) == [("UPDATED", encode("Asset", asset), None)]


def test_what_a_part_may_no_more_its_whole_may_not_for_one_who_does_not_see_the_part(scene: Scene) -> None:
    whole, part, inner = shared(scene), unsaid(scene), unsaid(scene)

    def build(work: Work) -> None:
        version = {row.asset_id: row.id for row in work.session.scalars(sa.select(AssetVersionRow))}
        components.add(work, version[whole], version[part])
        components.add(work, version[part], version[inner])

    done(scene, build)
    partner = seen_by(scene, scene.partner)
    begun = end(partner)
    done(scene, lambda work: take_down(work, inner))
    page = read(partner, begun)
    assert told(page) == [("UPDATED", encode("Asset", whole), "WITHDRAWN")]
    done(scene, lambda work: lift_takedown(work, inner))
    page = read(partner, page["pageInfo"]["endCursor"])
    assert told(page) == [("UPDATED", encode("Asset", whole), None)]
    done(scene, lambda work: licensed(work, inner))
    page = read(partner, page["pageInfo"]["endCursor"])
    assert told(page) == [("UPDATED", encode("Asset", whole), None)]
    done(scene, lambda work: suspend(work, inner))
    assert told(read(partner, page["pageInfo"]["endCursor"])) == [("UPDATED", encode("Asset", whole), "RECALLED")]


def test_what_is_said_of_a_version_that_nobody_approved_is_told_to_those_inside_only(scene: Scene) -> None:
    asset = shared(scene)
    inside, partner = Client(scene.hub, scene.admin), seen_by(scene, scene.partner)
    found = acts.look(inside, {"id": encode("Asset", asset)})
    acts.accepted(acts.add_version(inside, found, b"Another. " * 90, file_name="a.txt"))
    begun, within = end(partner), end(inside)

    def say(work: Work) -> None:
        license_id = licensed(work)
        version = work.session.get_one(AssetRow, asset).current_version_id
        assessing.assess(work, asset, version, assessing.Wish([license_id]))

    done(scene, say)
    page = read(inside, within)
    assert (told(page), read(partner, begun)["nodes"]) == ([("UPDATED", found["id"], None)], [])
    done(scene, lambda work: suspend(work, asset))
    page = read(inside, page["pageInfo"]["endCursor"])
    assert (told(page), read(partner, begun)["nodes"]) == ([("UPDATED", found["id"], None)], [])


def test_what_is_built_into_a_version_that_nobody_approved_is_told_to_those_inside_only(scene: Scene) -> None:
    asset, part = shared(scene), unsaid(scene)
    inside, partner = Client(scene.hub, scene.admin), seen_by(scene, scene.partner)
    found = acts.look(inside, {"id": encode("Asset", asset)})
    acts.accepted(acts.add_version(inside, found, b"Another. " * 90, file_name="a.txt"))

    def turn(act: Callable[[Work, int, int], object], *, newest: bool) -> None:
        def build(work: Work) -> None:
            whole, other = (work.session.get_one(AssetRow, each) for each in (asset, part))
            version = whole.current_version_id if newest else whole.approved_version_id
            act(work, version or 0, other.current_version_id or 0)

        done(scene, build)

    for newest, outside in ((True, []), (False, [("UPDATED", found["id"], None)])):
        for act in (components.add, components.remove):
            begun, within = end(partner), end(inside)
            turn(act, newest=newest)
            assert told(read(inside, within)) == [("UPDATED", found["id"], None)]
            assert told(read(partner, begun)) == outside


def test_what_is_built_into_a_version_that_an_approved_one_is_made_of_is_told_to_all(scene: Scene) -> None:
    asset, part = shared(scene), unsaid(scene)
    inside, partner = Client(scene.hub, scene.admin), seen_by(scene, scene.partner)
    found = acts.look(inside, {"id": encode("Asset", asset)})
    acts.accepted(acts.add_version(inside, found, b"Another. " * 90, file_name="a.txt"))

    def build(work: Work, at: int) -> None:
        whole, other = (work.session.get_one(AssetRow, each) for each in (asset, part))
        versions = [whole.approved_version_id, whole.current_version_id, other.current_version_id]
        above, below = (each for each in versions[at : at + 2] if each is not None)
        components.add(work, above, below)

    done(scene, lambda work: take_down(work, part))
    done(scene, lambda work: build(work, 0))
    begun = end(partner)
    done(scene, lambda work: build(work, 1))
    assert told(read(partner, begun)) == [("UPDATED", found["id"], "WITHDRAWN")]


def test_a_licence_over_many_assets_costs_as_many_statements_as_one_over_few(scene: Scene) -> None:
    inside = Client(scene.hub, scene.admin)

    def cost(count: int) -> int:
        assets = [unsaid(scene) for _ in range(count)]
        done(scene, lambda work: licensed(work, *assets))
        begun = end(inside)
        done(scene, lambda work: suspend(work, 0))
        read(inside, begun)  # numbers what happened
        with statements(scene.hub) as sent:
            page = read(inside, begun)
        assert told(page) == [("UPDATED", encode("Asset", each), "RECALLED") for each in assets]
        return len(acts.queries(sent))

    assert cost(7) == cost(2)


def at(scene: Scene, moment: datetime) -> Client:
    """The partner at another time."""
    return Client(replace(scene.hub, clock=lambda: moment), scene.renewed(scene.partner))
