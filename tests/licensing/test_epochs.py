"""`asset.rights_epoch` moves with every row that a decision may read, and with nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from domain.global_ids import encode
from domain.hub import Hub
from domain.work import HUB
from storage.tables import AssetRow, GrantCapRow
from tests import acting
from tests.asking import Client
from tests.assets.acts import accepted, created, look, picture
from tests.licensing.writing import PERMIT, active, assessed, draft, epoch, moved, number, put_in, release


@contextmanager
def moving(hub: Hub, *assets: dict[str, Any], but: tuple[dict[str, Any], ...] = ()) -> Iterator[None]:
    """Proves that the block moves the epochs of the first assets, and not those of the others."""
    before, still = [epoch(hub, each) for each in assets], [epoch(hub, each) for each in but]
    yield
    assert all(epoch(hub, each) > old for each, old in zip(assets, before, strict=True))
    assert [epoch(hub, each) for each in but] == still


@pytest.fixture
def asset(client: Client) -> dict[str, Any]:
    return created(client, picture(1))


@pytest.fixture
def other(client: Client) -> dict[str, Any]:
    return created(client, picture(2))


def test_a_new_asset_begins_with_none(hub: Hub, asset: dict[str, Any]) -> None:
    assert epoch(hub, asset) == 0


def test_what_becomes_of_a_licence_moves_what_is_under_it(
    hub: Hub, client: Client, asset: dict[str, Any], other: dict[str, Any]
) -> None:
    row, apart = draft(client), active(client, "Another")
    with moving(hub, asset, but=(other,)):
        assessed(client, asset, licenses=[row["id"]])
    assessed(client, other, licenses=[apart["id"]])
    told = {"license": row["id"], "expectedRevision": row["revision"], "endsOn": "2030-12-31"}
    with moving(hub, asset, but=(other,)):
        row = accepted(client.mutate("licenseUpdate", "license { id revision }", **told))["license"]
    told = {"license": row["id"], "expectedRevision": row["revision"], "grants": [PERMIT, PERMIT]}
    with moving(hub, asset, but=(other,)):
        row = accepted(client.mutate("licenseUpdate", "license { id revision }", **told))["license"]
    for verb, more in (("Activate", {}), ("Suspend", {"reason": "So."}), ("Resume", {})):
        with moving(hub, asset, but=(other,)):
            row = accepted(moved(client, verb, row, **more))["license"]
    new = draft(client, "Its successor")
    with moving(hub, asset, but=(other,)):
        row = accepted(moved(client, "Supersede", row, by=new["id"], reason="So."))["license"]
    with moving(hub, asset, but=(other,)):
        accepted(moved(client, "Terminate", row, reason="So."))


def test_what_becomes_of_a_release_moves_what_it_is_for(
    hub: Hub, client: Client, asset: dict[str, Any], other: dict[str, Any]
) -> None:
    row = release(client, grants=[PERMIT])
    with moving(hub, asset, but=(other,)):
        assessed(client, asset, releases=[row["id"]])
    told = {"release": row["id"], "expectedRevision": row["revision"], "status": "LIMITED"}
    with moving(hub, asset, but=(other,)):
        row = accepted(client.mutate("releaseSign", "release { id revision }", **told))["release"]
    told = {"release": row["id"], "expectedRevision": row["revision"], "reason": "So."}
    with moving(hub, asset, but=(other,)):
        accepted(client.mutate("releaseRevoke", "release { id }", **told))


def test_what_was_seen_in_it_and_what_was_withdrawn_move_it(hub: Hub, client: Client, asset: dict[str, Any]) -> None:
    with moving(hub, asset):
        (rights,) = assessed(client, asset, recognisablePeople=True)
    told = {"rights": rights["id"], "reason": "It was another picture."}
    with moving(hub, asset):
        accepted(client.mutate("assetRightsWithdraw", "asset { id }", **told))


def test_what_a_part_moves_moves_everything_made_of_it(hub: Hub, client: Client, other: dict[str, Any]) -> None:
    """However deep, by whichever version, and only upwards."""
    whole, middle, part = (created(client, picture(10 + at)) for at in range(3))
    with moving(hub, middle, but=(part, other)):
        accepted(put_in(client, middle, part))
    with moving(hub, whole, but=(middle, part, other)):
        accepted(put_in(client, whole, middle))
    row = active(client)
    with moving(hub, part, middle, whole, but=(other,)):
        assessed(client, part, licenses=[row["id"]])
    with moving(hub, part, middle, whole, but=(other,)):
        accepted(moved(client, "Suspend", row, reason="So."))
    with moving(hub, middle, whole, but=(part, other)):
        assessed(client, middle, recognisablePeople=True)
    told = {"composite": middle["current"]["id"], "part": part["current"]["id"]}
    with moving(hub, middle, whole, but=(part, other)):
        accepted(client.mutate("componentRemove", "composite { id }", **told))
    with moving(hub, part, but=(middle, whole, other)):
        assessed(client, part, recognisableProperty=True)


def test_embargoes_takedowns_exclusivity_and_holds_move_it(
    hub: Hub, client: Client, asset: dict[str, Any], other: dict[str, Any]
) -> None:
    told = {"asset": asset["id"], "reason": "They asked."}
    with moving(hub, asset, but=(other,)):
        embargo = accepted(client.mutate("embargoPlace", "embargo { id }", **told))["embargo"]
    with moving(hub, asset, but=(other,)):
        accepted(client.mutate("embargoLift", "embargo { id }", embargo=embargo["id"], reason="Now."))
    with moving(hub, asset, but=(other,)):
        taken = accepted(client.mutate("takedownOpen", "takedown { id revision }", **told))["takedown"]
    at = {"takedown": taken["id"], "expectedRevision": taken["revision"], "reason": "Over."}
    with moving(hub, asset, but=(other,)):
        accepted(client.mutate("takedownLift", "takedown { id }", **at))
    holder = encode("Organisation", acting.organisation(hub, "North"))
    with moving(hub, asset, but=(other,)):
        given = client.mutate("exclusivityGive", "exclusivity { id }", asset=asset["id"], holder=holder)
    exclusive = accepted(given)["exclusivity"]["id"]
    with moving(hub, asset, but=(other,)):
        accepted(client.mutate("exclusivityEnd", "exclusivity { id }", exclusivity=exclusive, reason="Over."))
    with moving(hub, asset, but=(other,)):
        held = accepted(client.mutate("legalHoldPlace", "hold { id }", **told, matter="A case"))["hold"]
    with moving(hub, asset, but=(other,)):
        accepted(client.mutate("legalHoldLift", "hold { id }", hold=held["id"], reason="Over."))


def test_a_group_of_territories_moves_all_that_anything_was_said_of(
    hub: Hub, client: Client, asset: dict[str, Any], other: dict[str, Any]
) -> None:
    assessed(client, asset, licenses=[active(client)["id"]])
    wish = {"code": "OURS", "members": [{"territory": "DE"}]}
    query = """mutation ($input: TerritoryGroupCreateInput!) {
      territoryGroupCreate(input: $input) { group { id revision } errors { message } } }"""
    with moving(hub, asset, but=(other,)):
        answer = client.ask(query, input={**wish, "name": "Ours"})
    group = accepted(answer["territoryGroupCreate"])["group"]
    told = {"group": group["id"], "expectedRevision": group["revision"], "members": [{"territory": "AT"}]}
    with moving(hub, asset, but=(other,)):
        accepted(client.mutate("territoryGroupUpdate", "group { revision }", **told))


def test_seats_move_what_is_under_the_licence(hub: Hub, client: Client, asset: dict[str, Any]) -> None:
    row = active(client, seats=2)
    assessed(client, asset, licenses=[row["id"]])
    told = {"license": row["id"], "organisation": encode("Organisation", acting.organisation(hub, "North"))}
    for name in ("licenseSeatAssign", "licenseSeatRelease"):
        with moving(hub, asset):
            accepted(client.mutate(name, "license { id }", **told))


def test_what_no_decision_reads_moves_nothing(hub: Hub, client: Client, asset: dict[str, Any]) -> None:
    capped = [{**PERMIT, "caps": [{"unit": "COPIES", "limit": "100"}]}]
    row = active(client, grants=capped)
    assessed(client, asset, licenses=[row["id"]])
    with moving(hub, but=(asset,)):
        now = look(client, asset)
        told = {"asset": asset["id"], "expectedRevision": now["revision"], "title": "New"}
        accepted(client.mutate("assetUpdate", "asset { id }", **told))
        active(client, "Another")
        with hub.writing(HUB) as work:  # what a cap has given away is counted, and asked for each time
            work.session.execute(sa.update(GrantCapRow).values(used=10, reserved=5))


def test_an_epoch_is_no_change_that_anybody_sees(hub: Hub, client: Client, asset: dict[str, Any]) -> None:
    def seen() -> list[Any]:
        with hub.database.reading() as session:
            row = session.get_one(AssetRow, number(asset))
            return [row.revision, row.public_revision, row.updated_at, row.public_updated_at]

    before = seen()
    with moving(hub, asset):
        assessed(client, asset, recognisablePeople=False)
    assert seen() == before


def test_a_merge_moves_what_is_made_of_what_moved(
    hub: Hub, client: Client, asset: dict[str, Any], other: dict[str, Any]
) -> None:
    """An embargo of the one holds for the other's versions from then on; and what was decided about these at any epoch
    is decided anew.
    """
    whole, top, into_whole, apart = (created(client, picture(20 + at)) for at in range(4))
    for composite, part in ((whole, asset), (top, whole), (into_whole, other)):
        accepted(put_in(client, composite, part))
    accepted(client.mutate("embargoPlace", "embargo { id }", asset=other["id"], reason="They asked."))
    told = {"into": other["id"], "from": asset["id"], "expectedRevision": 1, "fromRevision": 1}
    for at in range(9):
        assessed(client, asset, recognisablePeople=bool(at % 2))
    before = epoch(hub, asset)
    assert before > epoch(hub, other)
    with moving(hub, other, whole, top, into_whole, but=(apart,)):
        accepted(client.mutate("assetMerge", "asset { id }", **told))
    assert epoch(hub, other) > before
