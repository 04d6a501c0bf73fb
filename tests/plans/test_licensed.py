"""What plans tell of licences to those who may not know everything of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from domain.global_ids import encode
from domain.holdings import Holdings, Reach, Tree
from domain.hub import Hub
from domain.permissions import EVERY, Permission
from domain.work import BRAND_ORG_ID, HUB, Viewer
from schema import execution, plans
from schema.execution import Asked
from storage.tables import AssetRightsRow, LicenseRow, PartyRow
from tests.plans import differential

EVERYWHERE = Reach((Tree(BRAND_ORG_ID, None),))
FEES = "{ licenses(first: 100) { nodes { id fee { amount currency minorUnits } } } }"
OF_ASSETS = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Asset { licenses { id fee { amount } } } } }"


@pytest.fixture
def hub(hub: Hub) -> Hub:
    return differential.world(hub, 1).hub


@pytest.fixture
def asking(hub: Hub) -> Callable[..., tuple[bool, dict[str, Any]]]:
    """Whether a plan answered, and what ordinary execution says as well."""
    plain = replace(hub, settings=hub.settings.model_copy(update={"plans": False}))

    def ask(viewer: Viewer, query: str, **variables: Any) -> tuple[bool, dict[str, Any]]:
        asked, planned = Asked(query, variables=variables), plans.counted.answered
        found = execution.answer(hub, viewer, asked, "test").body
        assert found == execution.answer(plain, viewer, asked, "test").body
        told: dict[str, Any] = json.loads(found)
        return plans.counted.answered > planned, told

    return ask


def holding(permission: Permission, reach: Reach) -> Viewer:
    """Somebody who holds everything everywhere but this permission, which they hold there."""
    held = Holdings({**dict.fromkeys(EVERY, EVERYWHERE), permission: reach})
    return Viewer(1, BRAND_ORG_ID, "somebody", is_administrator=False, holdings=held)


def only(org_id: int) -> Reach:
    return Reach((Tree(org_id, frozenset({org_id})),))


def test_money_is_a_plans_where_all_of_it_may_be_seen_and_denied_where_not(
    hub: Hub, asking: Callable[..., tuple[bool, dict[str, Any]]]
) -> None:
    planned, told = asking(HUB, FEES)
    assert planned
    assert any(each["fee"] for each in told["data"]["licenses"]["nodes"])
    with hub.reading(HUB) as work:
        rows = sa.select(LicenseRow.id, LicenseRow.org_id).where(LicenseRow.fee_minor > 0).order_by(LicenseRow.id)
        (mine, home), *others = work.session.execute(rows).all()
        strange = next(id_ for id_, org_id in others if org_id != home)
    some = holding(Permission.FIELD_MONEY, only(home))
    one = "query ($id: ID!) { license(id: $id) { fee { amount } } }"
    planned, told = asking(some, one, id=encode("License", mine))
    assert planned
    assert told["data"]["license"]["fee"]
    for query, more in ((one, {"id": encode("License", strange)}), (FEES, {})):
        planned, told = asking(some, query, **more)
        assert not planned
        assert told["extensions"]["denied"]


def test_money_is_asked_of_the_licence_not_of_the_asset_that_is_under_it(
    hub: Hub, asking: Callable[..., tuple[bool, dict[str, Any]]]
) -> None:
    with hub.reading(HUB) as work:
        pairs = (
            sa.select(AssetRightsRow.asset_id, LicenseRow.org_id, LicenseRow.id)
            .join(LicenseRow, LicenseRow.id == AssetRightsRow.license_id)
            .where(AssetRightsRow.ended_at.is_(None), LicenseRow.fee_minor > 0)
        )
        asset_id, home, license_id = work.session.execute(pairs.order_by(LicenseRow.id).limit(1)).one()
        of_asset = sa.select(LicenseRow.org_id).where(
            LicenseRow.id.in_(sa.select(AssetRightsRow.license_id).where(AssetRightsRow.asset_id == asset_id))
        )
        homes = set(work.session.scalars(of_asset))
    ids = [encode("Asset", asset_id)]
    everyone = Reach((Tree(home, frozenset(homes)),))
    planned, told = asking(holding(Permission.FIELD_MONEY, everyone), OF_ASSETS, ids=ids)
    assert planned
    fees = {each["id"]: each["fee"] for each in told["data"]["nodes"][0]["licenses"]}
    assert fees[encode("License", license_id)]
    # Kept now for those who may see it, and for them alone.
    planned, told = asking(holding(Permission.FIELD_MONEY, Reach()), OF_ASSETS, ids=ids)
    assert not planned
    assert {each["fee"] for each in told["data"]["nodes"][0]["licenses"]} == {None}


def test_licences_that_somebody_may_not_know_of_are_not_kept_for_them(
    hub: Hub, asking: Callable[..., tuple[bool, dict[str, Any]]]
) -> None:
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Asset { licenses { title } } } }"
    with hub.reading(HUB) as work:
        standing = sa.select(AssetRightsRow.asset_id).where(AssetRightsRow.ended_at.is_(None)).distinct()
        ids = [encode("Asset", each) for each in work.session.scalars(standing.order_by(AssetRightsRow.asset_id))]
        homes = sorted(set(work.session.scalars(sa.select(LicenseRow.org_id))))
    told = [asking(viewer, query, ids=ids) for viewer in (HUB, *(_knowing(each) for each in homes), HUB)]
    assert all(planned for planned, _ in told)
    assert len({json.dumps(answer["data"]) for _, answer in told}) > 2


def test_a_persons_name_is_left_to_the_resolver_where_it_may_not_be_seen(
    hub: Hub, asking: Callable[..., tuple[bool, dict[str, Any]]]
) -> None:
    query = "{ parties(first: 100) { nodes { kind name } } }"
    with hub.reading(HUB) as work:
        home = work.session.scalars(sa.select(PartyRow.org_id).where(PartyRow.kind == "PERSON").limit(1)).one()
    assert asking(HUB, query)[0]
    planned, told = asking(holding(Permission.FIELD_PERSONAL, Reach()), query)
    assert not planned
    names = {each["kind"]: each["name"] for each in told["data"]["parties"]["nodes"]}
    assert names["PERSON"] is None
    assert names["ORGANISATION"]
    assert asking(holding(Permission.LICENSE_VIEW, only(home)), query)[0]


def _knowing(org_id: int) -> Viewer:
    return holding(Permission.LICENSE_VIEW, only(org_id))
