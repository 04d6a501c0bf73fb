"""Merging refused, twice, and by several at once: nothing is changed, or once."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from domain import likeness
from domain.global_ids import encode
from domain.hub import Hub
from domain.likeness import Merge
from domain.refusals import Refusal
from domain.work import HUB, Work
from storage.tables import (
    AssetRow,
    AssetTrashRow,
    LegalHoldRow,
    LightboxAssetRow,
)
from tests.acting import member, organisation
from tests.asking import Client, rows_everywhere
from tests.assets import acts
from tests.likeness.merged import LOOK, events, merge, number, two
from tests.working import at_once


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("itself", "CONFLICT"),
        ("stale", "STALE_REVISION"),
        ("archived", "CONFLICT"),
        ("another kind", "CONFLICT"),
        ("another organisation", "CONFLICT"),
        ("under hold", "CONFLICT"),
        ("in the trash", "CONFLICT"),
        ("too many tags", "CONFLICT"),
        ("unknown", "NOT_FOUND"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_changed(client: Client, what: str, code: str) -> None:
    hub = client.hub
    into, gone = two(client)
    told = {"into": into["id"], "from": gone["id"], "expectedRevision": 1, "fromRevision": 1}
    if what == "itself":
        told["from"] = into["id"]
    elif what == "stale":
        told["fromRevision"] = 2
    elif what == "archived":
        told["expectedRevision"] = acts.accepted(acts.change(client, "assetArchive", into))["asset"]["revision"]
    elif what == "another kind":
        told["from"] = acts.created(client, b"name,count\none,1\n", "table.csv")["id"]
    elif what == "unknown":
        told["from"] = encode("Asset", 999_999)
    elif what == "too many tags":
        for at, asset in enumerate((into, gone)):
            tags = [f"word {at} {each}" for each in range(120)]
            changed = acts.accepted(acts.change(client, "assetUpdate", asset, addTags=tags))["asset"]
            told["fromRevision" if at else "expectedRevision"] = changed["revision"]
    elif what == "another organisation":
        other = organisation(hub, "other")
        with hub.writing(HUB) as work:
            work.session.execute(sa.update(AssetRow).where(AssetRow.id == number(gone)).values(org_id=other))
    else:
        told["fromRevision"] = acts.accepted(acts.change(client, "assetArchive", gone))["asset"]["revision"]
        with hub.writing(HUB) as work:
            _put_aside(work, work.session.get_one(AssetRow, number(gone)), trashed=what == "in the trash")
    with acts.unchanged(hub):
        payload = client.mutate("assetMerge", "asset { id }", **told)
    assert acts.refusal(payload)["code"] == code


def test_what_would_be_made_of_itself_is_not_merged(client: Client) -> None:
    into, gone = two(client)
    between = acts.created(client, acts.picture(3))
    for first, second in ((into, between), (between, gone)):
        told = {"from": first["id"], "to": second["id"], "kind": "DERIVED_FROM"}
        acts.accepted(client.mutate("assetRelationCreate", "relation { id }", **told))
    told = {"into": into["id"], "from": gone["id"], "expectedRevision": 1, "fromRevision": 1}
    with acts.unchanged(client.hub):
        error = acts.refusal(client.mutate("assetMerge", "asset { id }", **told))
    assert (error["code"], error["path"]) == ("CONFLICT", ["from"])


@pytest.mark.parametrize("role", ["designer", "agency", "viewer", "marketing manager"])
def test_who_may_not_do_all_of_it_does_none_of_it(client: Client, role: str) -> None:
    into, gone = two(client)
    somebody = Client(client.hub, member(client.hub, role))
    told = {"into": into["id"], "from": gone["id"], "expectedRevision": 1, "fromRevision": 1}
    with acts.unchanged(client.hub):
        error = acts.refusal(somebody.mutate("assetMerge", "asset { id }", **told))
    assert error["code"] == ("NOT_FOUND" if role == "viewer" else "NOT_ALLOWED")


def test_of_several_who_merge_at_once_one_does(client: Client) -> None:
    hub = client.hub
    into, gone = two(client)

    def attempt(way: tuple[int, int]) -> str:
        try:
            with hub.writing(client.viewer) as work:
                likeness.merge(work, Merge(*way, into_revision=1, from_revision=1))
        except Refusal as refusal:
            return refusal.code
        return "done"

    ways = [(number(into), number(gone)), (number(gone), number(into))] * 3
    answers = at_once([lambda way=way: attempt(way) for way in ways])  # type: ignore[misc]  # bound at once
    assert sorted(answers).count("done") == 1
    assert set(answers) <= {"done", "NOT_FOUND", "STALE_REVISION"}
    assert len(events(hub, "asset.merged")) == 1
    with hub.database.reading() as session:
        rows = {row.id: row for row in session.scalars(sa.select(AssetRow))}
    stays = next(row for row in rows.values() if row.merged_into_id is None)
    assert {row.merged_into_id for row in rows.values() if row is not stays} == {stays.id}


def test_a_double_click_hears_the_first_answer_and_does_nothing_twice(client: Client) -> None:
    into, gone = two(client)
    told = {"into": into["id"], "from": gone["id"], "expectedRevision": 1, "fromRevision": 1, "idempotencyKey": "once"}
    first = acts.accepted(client.mutate("assetMerge", f"asset {{ {LOOK} }}", **told))
    before = rows_everywhere(client.hub)
    assert acts.accepted(client.mutate("assetMerge", f"asset {{ {LOOK} }}", **told)) == first
    assert rows_everywhere(client.hub) == before
    without = {name: value for name, value in told.items() if name != "idempotencyKey"}
    with acts.unchanged(client.hub):
        refused = acts.refusal(client.mutate("assetMerge", "asset { id }", **without))
    assert refused["code"] in {"STALE_REVISION", "NOT_FOUND"}


def test_no_version_moves_or_is_numbered_anew_but_by_merging(hub: Hub, client: Client) -> None:
    into, gone = two(client)
    acts.accepted(merge(client, into, gone))
    other = acts.created(client, acts.picture(5))
    for change in ("number = number + 7", f"asset_id = {number(other)}"):
        with pytest.raises(sa.exc.DBAPIError, match="a version never changes"), hub.database.writing() as session:
            session.execute(sa.text(f"UPDATE asset_version SET {change} WHERE asset_id = {number(into)}"))
    with hub.database.reading() as session:
        placed = sa.select(LightboxAssetRow.asset_id).where(LightboxAssetRow.asset_id == number(gone))
        assert list(session.scalars(placed)) == []


def _put_aside(work: Work, row: AssetRow, *, trashed: bool) -> None:
    """In the trash, or under a legal hold."""
    common = {"asset_id": row.id, "org_id": row.org_id}
    if trashed:
        when = {"trashed_at": work.now, "purge_after": work.now + timedelta(days=30)}
        work.session.add(AssetTrashRow(**common, **when, trashed_by=row.created_by, was_archived=True))
    else:
        work.session.add(LegalHoldRow(**common, matter="A case", placed_at=work.now, placed_by=row.created_by))
