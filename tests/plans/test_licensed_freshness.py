"""No answer about licensing outlives what it was made of: columns, new rows, ended and deleted ones."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import pytest
import sqlalchemy as sa

from domain.hub import Hub
from domain.work import HUB
from schema import execution, plans
from schema.execution import Asked
from storage.tables import (
    AssetRightsRow,
    EmbargoRow,
    ExclusivityRow,
    GrantCapRow,
    GrantDutyRow,
    LicenseGrantRow,
    LicenseRow,
    LicenseSeatRow,
    PurchaseSubscriberRow,
    ReleaseRow,
    Row,
    TakedownRow,
)
from tests.identity import policy_world
from tests.identity.policy_world import START
from tests.plans import differential, licensed
from tests.plans.licensed import Licensing
from tests.plans.test_freshness import change

FRAGMENTS: Final = """
fragment Terms on LicenseGrant {
  id number effect actions channels territories territoriesExcept startsOn endsOn purposes audiences industries
  languages placements alterations maxSize { pageShare longEdgeMm longEdgePx } duties { kind parameter actions }
}
fragment Licence on License {
  id number title kind code status startsOn endsOn zone seats sublicensable supplierItemId orderRef transactionDate
  termsUrl plusLicenseId freeText groupsAsOf createdAt activatedAt updatedAt revision
  fee { amount currency minorUnits } grants { ...Terms }
}
"""
#: They show of assets only what their stamps move with, so that their values are kept.
KEPT: Final = """
{
  assets(first: 30) { nodes {
    licenses { ...Licence }
    embargoes { id startsAt endsAt legalRef placedAt liftedAt }
    takedowns { id status legalRef openedAt enforcedAt liftedAt revision }
    exclusivities { id direction channels territories industries startsOn endsOn zone endedAt }
  } }
}
"""
KEPT_RIGHTS: Final = """
fragment Signed on Release {
  id number kind status minorAge guardian startsOn endsOn zone signedOn createdAt revokedAt revision grants { ...Terms }
}
fragment Rights on AssetRights {
  id coverage recognisablePeople recognisableProperty assessedAt endedAt
  license { ...Licence } release { ...Signed }
}
{
  assets(first: 30) { nodes {
    rights { ...Rights } current { rights { id license { title } release { status } } }
  } }
}
"""
OTHER: Final = """
fragment Signed on Release {
  id number kind status minorAge guardian startsOn endsOn zone signedOn createdAt revokedAt revision grants { ...Terms }
}
fragment Whose on Party { id kind name email plusId url country archived createdAt revision }
fragment Home on Organisation { id name kind archived revision createdAt }
{
  assets(first: 30) { nodes {
    organisation { ...Home }
    exclusivities { holder { ...Home } asset { title } }
    licenses {
      organisation { ...Home } licensor { ...Whose } licensee { ...Home } seated { id } document { id title }
      supersedes { id } supersededBy { id } grants { id caps { unit per limit used reserved } }
    }
  } }
  licenses(first: 30) { totalCount nodes { ...Licence grants { caps { used reserved } } seated { name } } }
  releases { totalCount nodes { ...Signed about { ...Whose } signedDocument { id } } }
  parties { totalCount nodes { ...Whose } }
  takedowns { totalCount nodes { id status } }
  products(archived: true) { totalCount nodes { id code name createdAt archivedAt revision organisation { ...Home } } }
  usages { totalCount nodes {
    id action channel territories startsOn endsOn zone phase reference reservedAt expiresAt resolvedAt withdrawnAt
    version { id } organisation { id }
    records { phase unit quantity periodStartsOn recordedAt license { id } version { id } }
  } }
  stockPurchases { totalCount nodes {
    id item licenseTier state title orderRef requestedAt decidedAt endedAt revision subscriberCount
    fee { amount currency minorUnits } supplier { id key name archivedAt revision } license { id } asset { id }
  } }
}
"""
DOCUMENTS: Final = tuple(FRAGMENTS + each for each in (KEPT, KEPT_RIGHTS, OTHER))
#: Those in which a table shows: of the others only the last does.
SHOWN_IN: Final = {"license": DOCUMENTS, "release": DOCUMENTS[1:], "embargo": DOCUMENTS[:1], "takedown": DOCUMENTS[::2]}
#: Where no check says which words there are.
WORDS: Final = {("organisation", "kind"): ["AGENCY"]}
#: What the database lets nobody change, and what a check allows only together with other columns.
FROZEN: Final = {
    "license": {"id", "org_id", "created_at", "created_by", "activated_at"},
    "grant_cap": {"id", "grant_id", "unit", "per", "at_most"},
    "release": {
        *("id", "org_id", "number", "kind", "subject_party_id", "created_at", "created_by", "revoked_at", "revoked_by"),
    },
    "party": {"id"},
    "organisation": {"id"},
    "takedown": {
        *("id", "org_id", "opened_at", "opened_by", "asset_id", "lifted_at", "lifted_by", "status", "enforced_at"),
        "enforced_by",
    },
    "embargo": {
        *("id", "org_id", "starts_at", "ends_at", "placed_at", "placed_by", "asset_id", "lifted_at", "lifted_by"),
    },
    "usage": {
        *("id", "org_id", "version_id", "decision_id", "action", "channel", "territories", "starts_on", "ends_on"),
        *("zone", "source", "reference", "reserved_at", "reserved_by", "phase", "resolved_at", "expires_at"),
    },
    "supplier": {"id", "url_patterns"},
    "product": {"id", "org_id", "code", "code_folded", "created_at", "created_by"},
    "stock_purchase": {
        *("id", "org_id", "supplier_id", "supplier_item_id", "license_tier", "state", "license_id", "fee_currency"),
        *("requested_at", "requested_by", "intended_use", "preview_sha256", "acknowledged", "title", "fee_minor"),
    },
}


@pytest.fixture
def brand(hub: Hub) -> policy_world.World:
    return differential.world(hub, 3)


@pytest.fixture
def showing(brand: policy_world.World) -> Callable[[Sequence[str]], bytes]:
    """Asks and tells the answer, which is a plan's, what ordinary execution says, and the same once more."""
    hub = brand.hub
    plain = replace(hub, settings=hub.settings.model_copy(update={"plans": False}))

    def told(document: str) -> bytes:
        planned = plans.counted.answered
        found, again = (execution.answer(hub, HUB, Asked(document), "test").body for _ in range(2))
        assert b'"errors"' not in found, found[:500]
        assert plans.counted.answered == planned + 2
        assert found == again
        assert json.loads(found) == json.loads(execution.answer(plain, HUB, Asked(document), "test").body)
        return found

    return lambda documents: b"".join(told(each) for each in documents)


@pytest.mark.parametrize("table", FROZEN)
def test_a_change_of_any_column_shows_at_once(
    brand: policy_world.World, showing: Callable[[Sequence[str]], bytes], table: str
) -> None:
    documents = SHOWN_IN.get(table, DOCUMENTS[2:])
    showing(documents)
    changed = set()
    for column in Row.metadata.tables[table].columns:
        if column.name not in FROZEN[table] and change(brand.hub, column, WORDS.get((table, column.name), ())):
            changed.add(column.name)
            showing(documents)
    assert {column.name for column in Row.metadata.tables[table].columns} - changed <= FROZEN[table]


def test_what_is_kept_for_one_is_told_to_nobody_else(brand: policy_world.World) -> None:
    plain = replace(brand.hub, settings=brand.hub.settings.model_copy(update={"plans": False}))
    answered, planned = set(), plans.counted.answered
    for document in DOCUMENTS[:2]:
        for viewer in (HUB, *brand.viewers()):
            found, again = (execution.answer(brand.hub, viewer, Asked(document), "test").body for _ in range(2))
            assert found == again == execution.answer(plain, viewer, Asked(document), "test").body
            answered.add(found)
    assert len(answered) > 10
    assert plans.counted.answered >= planned + 10


def test_rows_that_come_and_go_show_at_once(
    brand: policy_world.World, showing: Callable[[Sequence[str]], bytes]
) -> None:
    before, silent = showing(DOCUMENTS), []
    for step in STEPS:
        with brand.hub.writing(HUB) as work:
            step(licensed.begun(work, random.Random(7)))
        after = showing(DOCUMENTS)
        if after == before:
            silent.append(step)
        before = after
    assert silent == []


def _new_party(made: Licensing) -> None:
    licensed.party(made, 100)


def _new_license(made: Licensing) -> None:
    licensed.license_(made, 100)


def _new_release(made: Licensing) -> None:
    licensed.release(made, 100)


def _license_of_an_asset(made: Licensing) -> None:
    """A draft, so that grants come and go."""
    row = made.work.session.scalars(sa.select(LicenseRow).where(LicenseRow.status == "DRAFT").limit(1)).one()
    made.add(licensed.assessment(made, made.assets[-1], license_id=row.id))
    made.add(licensed.assessment(made, made.assets[-1], release_id=_unsigned(made)))


def _grants_again(made: Licensing) -> None:
    licensed.grant(made, 50, license_id=_draft(made))


def _grants(made: Licensing) -> None:
    _grants_again(made)
    licensed.grant(made, 50, release_id=_unsigned(made))


def _caps(made: Licensing) -> None:
    made.add(GrantCapRow(grant_id=_grant(made), unit="DISPLAYS", per="TOTAL", at_most=9))


def _duties(made: Licensing) -> None:
    made.add(GrantDutyRow(grant_id=_grant(made), kind="DISCLAIMER", parameter="new", actions=[]))


def _no_duties(made: Licensing) -> None:
    made.work.session.execute(sa.delete(GrantDutyRow).where(GrantDutyRow.grant_id == _grant(made)))


def _no_caps(made: Licensing) -> None:
    made.work.session.execute(sa.delete(GrantCapRow).where(GrantCapRow.grant_id == _grant(made)))


def _no_grants(made: Licensing) -> None:
    made.work.session.execute(sa.delete(LicenseGrantRow).where(LicenseGrantRow.id == _grant(made)))


def _seat(made: Licensing) -> None:
    made.work.session.execute(sa.update(LicenseRow).where(LicenseRow.id == _draft(made)).values(seats=None))
    taken = sa.select(LicenseSeatRow.org_id).where(LicenseSeatRow.license_id == _draft(made))
    free = sorted(set(made.orgs) - set(made.work.session.scalars(taken)))
    made.add(LicenseSeatRow(license_id=_draft(made), org_id=free[0], assigned_at=START, assigned_by=made.people[0]))


def _seat_given_back(made: Licensing) -> None:
    mine = sa.update(LicenseSeatRow).where(
        LicenseSeatRow.license_id == _draft(made), LicenseSeatRow.released_at.is_(None)
    )
    made.work.session.execute(mine.values(released_at=START))


def _activated(made: Licensing) -> None:
    mine = sa.update(LicenseRow).where(LicenseRow.id == _draft(made))
    made.work.session.execute(mine.values(status="ACTIVE", activated_at=START))


def _revoked(made: Licensing) -> None:
    mine = sa.update(ReleaseRow).where(ReleaseRow.id == _unsigned(made))
    made.work.session.execute(mine.values(revoked_at=START, revoked_by=made.people[0]))


def _assessments_ended(made: Licensing) -> None:
    mine = sa.update(AssetRightsRow).where(
        AssetRightsRow.asset_id == made.assets[-1], AssetRightsRow.ended_at.is_(None)
    )
    made.work.session.execute(mine.values(ended_at=START, ending="WITHDRAWN"))


def _embargo(made: Licensing) -> None:
    made.add(EmbargoRow(org_id=1, asset_id=made.assets[-1], placed_at=START, placed_by=made.people[0]))


def _embargo_lifted(made: Licensing) -> None:
    mine = sa.update(EmbargoRow).where(EmbargoRow.asset_id == made.assets[-1], EmbargoRow.lifted_at.is_(None))
    made.work.session.execute(mine.values(lifted_at=START, lifted_by=made.people[0]))


def _takedown(made: Licensing) -> None:
    common = {"org_id": 1, "asset_id": made.assets[-1]}
    made.add(TakedownRow(**common, status="OPEN", opened_at=START, opened_by=made.people[0]))


def _takedown_enforced(made: Licensing) -> None:
    mine = sa.update(TakedownRow).where(TakedownRow.asset_id == made.assets[-1], TakedownRow.status == "OPEN")
    made.work.session.execute(mine.values(status="ENFORCED", enforced_at=START, enforced_by=made.people[0]))


def _takedown_lifted(made: Licensing) -> None:
    mine = sa.update(TakedownRow).where(TakedownRow.asset_id == made.assets[-1], TakedownRow.status == "ENFORCED")
    made.work.session.execute(mine.values(status="LIFTED", lifted_at=START, lifted_by=made.people[0]))


def _exclusivity(made: Licensing) -> None:
    licensed.exclusivity(made, made.assets[-1], may_be_over=False)


def _exclusivity_ended(made: Licensing) -> None:
    mine = sa.update(ExclusivityRow).where(
        ExclusivityRow.asset_id == made.assets[-1], ExclusivityRow.ended_at.is_(None)
    )
    made.work.session.execute(mine.values(ended_at=START, ended_by=made.people[0]))


def _used(made: Licensing) -> None:
    licensed.usage(made)


def _awaited(made: Licensing) -> None:
    table = Row.metadata.tables["stock_purchase"]
    bought = made.work.session.scalars(sa.select(sa.func.max(table.c.id))).one()
    there = sa.select(PurchaseSubscriberRow.principal_id).where(PurchaseSubscriberRow.purchase_id == bought)
    free = sorted(set(made.people) - set(made.work.session.scalars(there)))
    made.add(PurchaseSubscriberRow(purchase_id=bought, principal_id=free[0], subscribed_at=START))


def _awaited_no_more(made: Licensing) -> None:
    made.work.session.execute(sa.delete(PurchaseSubscriberRow))


STEPS: Final = (
    *(_new_party, _new_license, _new_release, _license_of_an_asset, _grants, _caps, _duties, _no_duties, _no_caps),
    *(_no_grants, _grants_again, _seat, _seat_given_back, _activated, _revoked, _assessments_ended, _embargo),
    *(_embargo_lifted, _takedown, _takedown_enforced, _takedown_lifted, _exclusivity, _exclusivity_ended, _used),
    *(_awaited, _awaited_no_more),
)


def _draft(made: Licensing) -> int:
    """The first licence that the last asset is under."""
    return _assessed(made, AssetRightsRow.license_id)


def _unsigned(made: Licensing) -> int:
    rows = sa.select(ReleaseRow.id).where(ReleaseRow.status == "NON", ReleaseRow.revoked_at.is_(None))
    return made.work.session.scalars(rows.order_by(ReleaseRow.id).limit(1)).one()


def _grant(made: Licensing) -> int:
    rows = sa.select(LicenseGrantRow.id).where(LicenseGrantRow.license_id == _draft(made), LicenseGrantRow.number == 50)
    return made.work.session.scalars(rows).one()


def _assessed(made: Licensing, column: Any) -> int:
    mine = sa.select(column).where(AssetRightsRow.asset_id == made.assets[-1], column.is_not(None))
    found: int = made.work.session.scalars(mine.order_by(AssetRightsRow.id.desc()).limit(1)).one()
    return found
