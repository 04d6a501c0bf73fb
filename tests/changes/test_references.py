"""An asset that refers to another by a field is told of when that one is merged: its line in an export says so."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from domain.exports import lines
from storage.tables import AssetRow
from tests.asking import Client
from tests.assets import acts
from tests.changes.test_feed import end, read, told
from tests.fields.brand import new_field, said, say
from tests.likeness.merged import looked_at, merge, number
from tests.likeness.parted import everything, unmerge


def named(client: Client, count: int) -> list[dict[str, Any]]:
    """So many assets, which may refer to each other as their original or their sequel."""
    for key in ("original", "sequel"):
        new_field(client, key, "ASSET")
    return [acts.created(client, acts.picture(at), title=f"Asset {at}") for at in range(count)]


def refer(client: Client, asset: dict[str, Any], **others: dict[str, Any]) -> None:
    acts.accepted(say(client, looked_at(client, asset), **{key: {"asset": each["id"]} for key, each in others.items()}))


def exported(client: Client) -> dict[str, Any]:
    """By id the lines that an export of all would hold."""
    with client.hub.reading(client.viewer) as work:
        rows = list(work.session.scalars(sa.select(AssetRow).where(AssetRow.merged_into_id.is_(None))))
        return {line["id"]: line for line in lines.of_assets(work, rows)}


def test_what_refers_to_a_merged_asset_is_told_then_and_when_that_is_undone(client: Client) -> None:
    into, gone, naming, other, both = named(client, 5)
    refer(client, naming, original=gone)
    refer(client, other, original=into)
    refer(client, both, original=gone, sequel=into)
    refer(client, gone, original=other, sequel=into)  # one of the two, told of anyway
    begun, before, first = end(client), everything(client.hub), exported(client)

    acts.accepted(merge(client, into, gone))

    page = read(client, begun)
    turned = [("UPDATED", each["id"], None) for each in (into, naming, both)]
    assert told(page) == [turned[0], ("REMOVED", gone["id"], "MERGED"), *turned[1:]]
    assert said(client, naming) == {"original": into["id"]}
    merged = exported(client)
    assert {id_ for id_ in merged if merged[id_] != first[id_]} == {id_ for _, id_, _ in turned}
    assert merged[naming["id"]]["revision"] == first[naming["id"]]["revision"] + 1

    acts.accepted(unmerge(client, into, gone))

    page = read(client, page["pageInfo"]["endCursor"])
    assert told(page) == [turned[0], ("CREATED", gone["id"], None), *turned[1:]]
    assert everything(client.hub) == before
    parted = exported(client)
    assert {id_: line["fields"] for id_, line in parted.items()} == {id_: line["fields"] for id_, line in first.items()}
    assert parted[naming["id"]]["revision"] == first[naming["id"]]["revision"] + 2


def test_what_is_told_so_keeps_no_merge_of_its_own_from_being_undone(client: Client) -> None:
    into, gone, naming, part = named(client, 4)
    refer(client, naming, original=gone)
    before = everything(client.hub)
    acts.accepted(merge(client, naming, part))
    acts.accepted(merge(client, into, gone))
    acts.accepted(unmerge(client, naming, part))
    acts.accepted(merge(client, naming, part))
    acts.accepted(unmerge(client, into, gone))
    acts.accepted(unmerge(client, naming, part))
    assert everything(client.hub) == before


def test_a_merge_that_turns_no_reference_tells_of_the_two_alone(client: Client) -> None:
    into, gone, other = named(client, 3)
    refer(client, other, original=into)
    refer(client, into, original=gone)  # nothing refers to itself
    with client.hub.database.reading() as session:
        revision = session.scalar(sa.select(AssetRow.revision).where(AssetRow.id == number(other)))
    begun = end(client)
    acts.accepted(merge(client, into, gone))
    page = read(client, begun)
    assert told(page) == [("UPDATED", into["id"], None), ("REMOVED", gone["id"], "MERGED")]
    acts.accepted(unmerge(client, into, gone))
    assert told(read(client, begun)) == [("UPDATED", into["id"], None), ("UPDATED", gone["id"], None)]
    assert looked_at(client, other)["revision"] == revision
