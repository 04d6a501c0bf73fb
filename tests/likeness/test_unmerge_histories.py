"""Whatever was said and done of two assets before they were merged, taking that back returns both to it."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain.global_ids import encode
from domain.work import HUB
from storage.tables import NearDuplicateRow
from tests.acting import member, organisation
from tests.asking import Client
from tests.assets import acts
from tests.fields.brand import new_field, say
from tests.likeness.merged import looked_at, merge, number
from tests.likeness.parted import everything, unmerge
from tests.working import mutate

TAGS = ("red", "blue", "green")
Act = Callable[[Client, random.Random, list[dict[str, Any]], int], object]


def _other(chance: random.Random, assets: list[dict[str, Any]], at: int) -> dict[str, Any]:
    return assets[(at + chance.randrange(1, len(assets))) % len(assets)]


def _tag(client: Client, chance: random.Random, assets: list[dict[str, Any]], at: int) -> object:
    return acts.change(client, "assetUpdate", looked_at(client, assets[at]), addTags=[chance.choice(TAGS)])


def _call(client: Client, chance: random.Random, assets: list[dict[str, Any]], at: int) -> object:
    texts = [{"locale": chance.choice(("de", "fr")), "text": f"Called {chance.randrange(9)}"}]
    return acts.change(client, "assetUpdate", looked_at(client, assets[at]), titles=texts)


def _say(client: Client, chance: random.Random, assets: list[dict[str, Any]], at: int) -> object:
    values: dict[str, Any] = {"note": {"text": f"Said {chance.randrange(9)}"}}
    if chance.random() < 0.5:
        values = {"original": {"asset": _other(chance, assets, at)["id"]}}
    return say(client, looked_at(client, assets[at]), **values)


def _state(client: Client, chance: random.Random, assets: list[dict[str, Any]], at: int) -> object:
    told = {"asset": assets[at]["id"], "expectedRevision": 0, "credit": f"Credit {chance.randrange(9)}"}
    return client.mutate("assetStatementSet", "clientMutationId", **told)


def _add_version(client: Client, chance: random.Random, assets: list[dict[str, Any]], at: int) -> object:
    return acts.add_version(client, looked_at(client, assets[at]), acts.picture(chance.randrange(100, 10_000)))


def _approve(client: Client, chance: random.Random, assets: list[dict[str, Any]], at: int) -> object:
    asked = "query ($id: ID!) { asset(id: $id) { versions { nodes { id sha256 } } } }"
    version = chance.choice(client.ask(asked, id=assets[at]["id"])["asset"]["versions"]["nodes"])
    given = {"version": version["id"], "sha256": version["sha256"], "ownWork": True}
    return client.mutate("assetVersionApprove", "clientMutationId", **given)


def _assess(client: Client, chance: random.Random, assets: list[dict[str, Any]], at: int) -> object:
    said = {"recognisablePeople": chance.random() < 0.5}
    return client.mutate("assetRightsAssess", "clientMutationId", asset=assets[at]["id"], **said)


def _bar(client: Client, chance: random.Random, assets: list[dict[str, Any]], at: int) -> object:
    name = chance.choice(("embargoPlace", "takedownOpen"))
    return client.mutate(name, "clientMutationId", asset=assets[at]["id"], reason="They asked.")


def _relate(client: Client, chance: random.Random, assets: list[dict[str, Any]], at: int) -> object:
    kind = chance.choice(("DERIVED_FROM", "LANGUAGE_VARIANT"))
    told = {"from": assets[at]["id"], "to": _other(chance, assets, at)["id"], "kind": kind}
    return client.mutate("assetRelationCreate", "clientMutationId", **told)


def _place(client: Client, chance: random.Random, assets: list[dict[str, Any]], at: int) -> object:
    boxes = client.ask("{ lightboxes { nodes { id revision } } }")["lightboxes"]["nodes"]
    box = chance.choice(boxes)
    told = {"lightbox": box["id"], "expectedRevision": box["revision"], "assets": [assets[at]["id"]]}
    return client.mutate("lightboxAssetsAdd", "clientMutationId", **told)


def _pair(client: Client, chance: random.Random, assets: list[dict[str, Any]], at: int) -> object:
    """Two that look alike, found as a worker finds them; some are kept for a reason."""
    low, high = sorted((number(assets[at]), number(_other(chance, assets, at))))
    with client.hub.writing(HUB) as work:
        here = sa.select(NearDuplicateRow).where(
            NearDuplicateRow.low_asset_id == low, NearDuplicateRow.high_asset_id == high
        )
        row = work.session.scalars(here).one_or_none()
        if row is None:
            row = NearDuplicateRow(low_asset_id=low, high_asset_id=high, found_at=work.now)
            work.session.add(row)
            work.session.flush()
        pair = encode("NearDuplicate", row.id)
    if chance.random() < 0.5:
        return None
    told = {"nearDuplicate": pair, "decision": "DISTINCT", "reason": "Another licence."}
    return client.mutate("nearDuplicateDecide", "clientMutationId", **told)


def _share(client: Client, chance: random.Random, assets: list[dict[str, Any]], at: int) -> object:
    org_id = organisation(client.hub, f"Partner {chance.randrange(10**9)}")
    told = {"asset": assets[at]["id"], "organisation": encode("Organisation", org_id)}
    return client.mutate("shareCreate", "clientMutationId", access=chance.choice(("READ", "CONTRIBUTE")), **told)


def _grant(client: Client, chance: random.Random, assets: list[dict[str, Any]], at: int) -> object:
    return member(client.hub, "designer", scope="ASSET", asset_id=number(assets[at]), is_denial=chance.random() < 0.3)


def _invite(client: Client, _chance: random.Random, assets: list[dict[str, Any]], at: int) -> object:
    ends = (client.hub.clock() + timedelta(days=3)).isoformat()
    return mutate(client, "guestLinkCreate", "clientMutationId", asset=assets[at]["id"], name="A guest", expiresAt=ends)


def _archive(client: Client, chance: random.Random, assets: list[dict[str, Any]], at: int) -> object:
    name = chance.choice(("assetArchive", "assetRestore"))
    return acts.change(client, name, looked_at(client, assets[at]))


ACTS: tuple[Act, ...] = (
    *(_tag, _call, _say, _say, _state, _add_version, _approve, _approve, _assess, _bar),
    *(_relate, _relate, _place, _place, _pair, _pair, _share, _grant, _invite, _archive),
)


@pytest.mark.parametrize("seed", range(6))
def test_what_was_merged_and_parted_is_what_it_was(client: Client, seed: int) -> None:
    chance = random.Random(seed)
    new_field(client, "note", "TEXT")
    new_field(client, "original", "ASSET")
    assets = [acts.created(client, acts.picture(at), title=f"Asset {at}") for at in range(4)]
    for title in ("One", "Other"):
        acts.accepted(client.mutate("lightboxCreate", "lightbox { id }", title=title))
    for _ in range(40):
        chance.choice(ACTS)(client, chance, assets, chance.randrange(len(assets)))
    done = 0
    for _ in range(4):
        into, gone = chance.sample(assets, 2)
        before = everything(client.hub)
        merged = merge(client, into, gone, newest=chance.random() < 0.5)
        if merged["errors"]:  # one is archived, or is made of the other
            continue
        acts.accepted(unmerge(client, into, gone))
        assert everything(client.hub) == before
        done += 1
    assert done > 0
