"""Legal holds: the domain refuses with a sentence, and the database whoever goes around it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from domain import holds, trash
from domain.hub import Hub
from domain.refusals import Conflict
from domain.work import HUB, Viewer
from storage.tables import LegalHoldRow
from tests import acting
from tests.asking import Client
from tests.assets.acts import accepted, created, events, picture, reasons, refusal, unchanged
from tests.assets.together import together
from tests.lifecycle.turning import later, number, purge, swept, thrown


def placed(client: Client, asset: dict[str, str], matter: str = "A case") -> dict[str, str]:
    told = {"asset": asset["id"], "matter": matter, "reason": "The court asked."}
    found: dict[str, str] = accepted(client.mutate("legalHoldPlace", "hold { id matter liftedAt }", **told))["hold"]
    return found


def test_what_is_held_is_neither_thrown_away_nor_purged(hub: Hub, client: Client) -> None:
    asset, other = created(client, picture(1)), created(client, picture(2))
    held = placed(client, asset)
    with unchanged(hub):
        assert refusal(thrown(client, asset))["message"].startswith("This asset is under legal hold")
    accepted(thrown(client, other))
    placed(client, other)  # in the trash
    purge(hub)
    assert {asset["current"]["sha256"], other["current"]["sha256"]} <= set(hub.blobs.keys())
    accepted(client.mutate("legalHoldLift", "hold { liftedAt }", hold=held["id"], reason="It is over."))
    accepted(thrown(client, asset))
    assert reasons(hub, "legal_hold.placed") == ["The court asked."] * 2
    assert reasons(hub, "legal_hold.lifted") == ["It is over."]


def test_a_hold_is_lifted_once_and_placed_once_for_a_matter(hub: Hub, client: Client) -> None:
    asset = created(client, picture(1))
    held = placed(client, asset)
    with unchanged(hub):
        again = client.mutate("legalHoldPlace", "hold { id }", asset=asset["id"], matter="A case", reason="Again.")
        assert refusal(again)["code"] == "CONFLICT"
        silent = client.mutate("legalHoldPlace", "hold { id }", asset=asset["id"], matter="Another", reason=" ")
        assert refusal(silent)["code"] == "INVALID"
    placed(client, asset, "Another case")
    accepted(client.mutate("legalHoldLift", "hold { id }", hold=held["id"], reason="It is over."))
    with unchanged(hub):
        twice = client.mutate("legalHoldLift", "hold { id }", hold=held["id"], reason="It is over.")
        assert refusal(twice)["code"] == "CONFLICT"
        assert refusal(thrown(client, asset))["code"] == "CONFLICT"  # for the other matter


def test_holds_are_known_to_those_alone_who_manage_them(hub: Hub, client: Client) -> None:
    asset = created(client, picture(1))
    held = placed(client, asset)
    query = "query ($id: ID!, $hold: ID!) { asset(id: $id) { holds { id } } node(id: $hold) { id } }"
    lawyer = Client(hub, acting.member(hub, "legal"))
    keeper = Client(hub, acting.member(hub, "librarian"))
    told = {"id": asset["id"], "hold": held["id"]}
    assert lawyer.ask(query, **told) == {"asset": {"holds": [{"id": held["id"]}]}, "node": {"id": held["id"]}}
    assert keeper.ask(query, **told) == {"asset": {"holds": None}, "node": None}
    with unchanged(hub):
        assert refusal(keeper.mutate("legalHoldLift", "hold { id }", hold=held["id"], reason="So."))["code"] == (
            "NOT_FOUND"
        )


SCRIPTS = (
    (
        "INSERT INTO asset_trash (asset_id, org_id, trashed_at, trashed_by, was_archived, purge_after)"
        " SELECT asset_id, org_id, placed_at, placed_by, was, placed_at FROM legal_hold, (SELECT 1 = 1 AS was) AS told"
    ),
    "UPDATE blob SET state = 'GOING'",
    "UPDATE blob SET state = 'GONE'",
    "DELETE FROM legal_hold",
    "UPDATE legal_hold SET placed_at = lifted_at",
    "UPDATE legal_hold SET asset_id = asset_id + 1",
    "DELETE FROM asset",
)


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_database_itself_keeps_what_is_held(hub: Hub, client: Client, script: str) -> None:
    placed(client, created(client, picture(1)))
    with unchanged(hub), pytest.raises(sa.exc.IntegrityError), hub.database.writing() as session:
        session.execute(sa.text(script))


def test_the_database_purges_nothing_that_came_under_hold_in_the_trash(hub: Hub, client: Client) -> None:
    asset = created(client, picture(1))
    accepted(thrown(client, asset))
    placed(client, asset)
    purged = sa.text("UPDATE asset_trash SET purged_at = purge_after")
    with unchanged(hub), pytest.raises(sa.exc.IntegrityError), hub.database.writing() as session:
        session.execute(purged)


def test_the_database_holds_nothing_that_is_purged(hub: Hub, client: Client, admin: Viewer) -> None:
    asset = created(client, picture(1))
    accepted(thrown(client, asset))
    purge(hub)
    with unchanged(hub):
        late = client.mutate("legalHoldPlace", "hold { id }", asset=asset["id"], matter="A case", reason="Late.")
        assert refusal(late)["code"] == "CONFLICT"
    told = {"org_id": 1, "asset_id": number(asset), "matter": "A case", "placed_at": hub.clock()}
    with unchanged(hub), pytest.raises(sa.exc.IntegrityError), hub.database.writing() as session:
        session.execute(sa.insert(LegalHoldRow).values(**told, placed_by=admin.principal_id))


def test_of_a_hold_and_a_purge_at_the_same_moment_one_comes_first(hub: Hub, client: Client, admin: Viewer) -> None:
    then = later(hub, days=31)
    for place in range(5):
        asset = created(client, picture(place))
        accepted(thrown(client, asset))

        def hold(asset_id: int = number(asset)) -> bool:
            try:
                with then.writing(admin) as work:
                    holds.place(work, asset_id, "A case", "The court asked.")
            except Conflict:
                return False
            return True

        def gone(asset_id: int = number(asset)) -> bool:
            with then.writing(HUB) as work:
                return bool(trash.purge(work, asset_id))

        assert sum(together([hold, gone])) == 1
    assert len(events(hub, "legal_hold.placed")) + len(events(hub, "asset.purged")) == 5


def test_a_sweep_lets_go_of_nothing_that_is_held(hub: Hub, client: Client) -> None:
    asset = created(client, picture(1))
    placed(client, asset)
    assert swept(later(hub, days=400)) == set()
    assert asset["current"]["sha256"] in set(hub.blobs.keys())
