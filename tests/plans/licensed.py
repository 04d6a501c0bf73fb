"""A random brand's licences, releases, assessments, uses and purchases, of whichever organisations, as rows."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from domain.licensing.codes import Outcome
from domain.licensing.terms import Decision
from domain.usage import decisions
from domain.work import Work
from storage.tables import (
    AssetRightsRow,
    AssetRow,
    AssetVersionRow,
    ExclusivityRow,
    GrantCapRow,
    GrantDutyRow,
    LicenseGrantRow,
    LicenseRow,
    LicenseSeatRow,
    OrganisationRow,
    PartyRow,
    PrincipalRow,
    ProductRow,
    PurchaseSubscriberRow,
    ReleaseRow,
    RightsDecisionRow,
    StockPurchaseRow,
    SupplierRow,
    UsageRecordRow,
    UsageRow,
)
from storage.tables.licensing.parties import MINOR_AGES
from tests.identity.policy_world import START

DAYS: Final = tuple(date(2026, 1, 1) + timedelta(days=each) for each in (0, 30, 31, 200, 400))
FEES: Final = ((1250, "EUR"), (500, "JPY"), (12_345, "KWD"), (0, "USD"), (None, None))
WORDS: Final[tuple[list[str], ...]] = ([], ["print"], ["web", "web.social"], ["Größe „A“"], ["ANY"])
#: How a licence comes to a state.
WAYS: Final = ((), ("ACTIVE",), ("ACTIVE",), ("ACTIVE", "SUSPENDED"), ("ACTIVE", "TERMINATED"))

#: A decision that says nothing but yes.
ALLOWED: Final = Decision(
    Outcome.ALLOWED, ("DE",), (), None, (), (), (), (), (), (), "0" * 64, epoch=1, valid_until=START, evaluated_at=START
)

T = TypeVar("T")


@dataclass
class Licensing:
    """What there is to speak of, and what is made of it."""

    work: Work
    chance: random.Random
    orgs: Sequence[int]
    people: Sequence[int]
    assets: Sequence[int]
    versions: dict[int, list[int]]
    parties: list[int] = field(default_factory=list)
    licenses: list[int] = field(default_factory=list)
    releases: list[int] = field(default_factory=list)
    #: Licence, grant and its cap, where it has one.
    grants: list[tuple[int | None, int, int | None]] = field(default_factory=list)

    def one(self, table: str) -> Any:
        """Somebody or something of it, or nothing."""
        return self.chance.choice([None, *getattr(self, table)])

    def add(self, row: T) -> T:
        self.work.session.add(row)
        self.work.session.flush()
        return row


def begun(work: Work, chance: random.Random) -> Licensing:
    """What there is already."""
    found = work.session.scalars
    versions: dict[int, list[int]] = {}
    for row in found(sa.select(AssetVersionRow).order_by(AssetVersionRow.id)):
        versions.setdefault(row.asset_id, []).append(row.id)
    mine = sa.select(LicenseRow.id).where(LicenseRow.title.startswith("Licence "))  # not what is one's own work
    ids = {
        name: list(found(rows.order_by(rows.selected_columns[0])))
        for name, rows in (
            ("orgs", sa.select(OrganisationRow.id)),
            ("people", sa.select(PrincipalRow.id)),
            ("assets", sa.select(AssetRow.id)),
            ("parties", sa.select(PartyRow.id)),
            ("licenses", mine),
            ("releases", sa.select(ReleaseRow.id)),
        )
    }
    grants = sa.select(LicenseGrantRow.license_id, LicenseGrantRow.id).order_by(LicenseGrantRow.id)
    taken: list[tuple[int | None, int, int | None]] = [
        (license_id, grant_id, None) for license_id, grant_id in work.session.execute(grants)
    ]
    return Licensing(work, chance, versions=versions, grants=taken, **ids)


def lay_out(work: Work, chance: random.Random) -> None:
    made = begun(work, chance)
    for number in range(8):
        party(made, number)
    for number in range(14):
        license_(made, number)
    for number in range(8):
        release(made, number)
    for asset_id in made.assets:
        _assessments(made, asset_id)
    for asset_id in chance.sample(made.assets, len(made.assets) // 4):
        exclusivity(made, asset_id)
    for _ in range(12):
        usage(made)
    _purchases(made)
    for number, org_id in enumerate([*made.orgs, *made.orgs]):
        code = f"Pen-{number}"
        row = ProductRow(org_id=org_id, code=code, code_folded=code.upper(), name=f"Pen “{number}”", created_at=START)
        row.created_by, row.archived_at = made.people[0], (None, None, START)[number % 3]
        made.add(row)


def party(made: Licensing, number: int) -> None:
    chance = made.chance
    row = PartyRow(
        org_id=chance.choice(made.orgs),
        kind=chance.choice(("PERSON", "ORGANISATION")),
        name=f"Party “{number}”",
        name_folded=f"party {number}",
        plus_id=chance.choice((None, "PLUS-1")),
        email=chance.choice((None, "somebody@example.org")),
        url=chance.choice((None, "https://example.org/ä")),
        country=chance.choice((None, "DE")),
        created_at=START,
        created_by=made.people[0],
        updated_at=START,
        archived_at=chance.choice((None, None, START)),
    )
    made.parties.append(made.add(row).id)


def license_(made: Licensing, number: int) -> None:
    chance = made.chance
    fee, currency = chance.choice(FEES)
    starts, ends = sorted(chance.sample(DAYS, 2))
    row = LicenseRow(
        org_id=chance.choice(made.orgs),
        number=f"N-{number}",
        title=f"Licence {number}",
        kind=chance.choice(("RIGHTS_MANAGED", "CREATIVE_COMMONS", "OWNED", "UNKNOWN")),
        code=chance.choice((None, "CC-BY-4.0")),
        status="DRAFT",
        licensor_id=made.one("parties"),
        licensee_org_id=made.one("orgs"),
        end_user_org_ids=sorted(chance.sample(list(made.orgs), 2)),
        starts_on=starts,
        ends_on=chance.choice((None, ends, ends)),
        zone=chance.choice(("UTC", "Europe/Berlin")),
        seats=chance.choice((None, 3)),
        sublicensable=chance.random() < 0.5,
        fee_minor=fee,
        fee_currency=currency,
        supplier_item_id=chance.choice((None, "12345")),
        order_ref=chance.choice((None, "PO-7")),
        transaction_date=chance.choice((None, *DAYS)),
        document_asset_id=made.one("assets"),
        terms_url=chance.choice((None, "https://example.org/terms")),
        plus_license_id=chance.choice((None, "PLUS-2")),
        free_text=chance.choice(([], ["not on\nbillboards", "“quoted”"])),
        groups_as_of=chance.choice((None, *DAYS)),
        created_at=START,
        created_by=made.people[0],
        updated_at=START,
    )
    made.add(row)
    for at in range(chance.randrange(3)):
        grant(made, at + 1, license_id=row.id)
    for org_id in chance.sample(list(made.orgs), 2):
        given_back = chance.choice((None, START))
        made.add(LicenseSeatRow(license_id=row.id, org_id=org_id, assigned_at=START, assigned_by=made.people[0]))
        if given_back is not None:
            seats = sa.update(LicenseSeatRow).where(
                LicenseSeatRow.license_id == row.id, LicenseSeatRow.org_id == org_id
            )
            made.work.session.execute(seats.values(released_at=given_back))
    _move(made, row)
    made.licenses.append(row.id)


def _move(made: Licensing, row: LicenseRow) -> None:
    for status in made.chance.choice(WAYS):
        if status == "ACTIVE" and made.licenses and made.chance.random() < 0.8:
            taken = set(made.work.session.scalars(sa.select(LicenseRow.supersedes_id)))
            state = sa.select(LicenseRow.id).where(LicenseRow.id.in_(made.licenses), LicenseRow.status != "DRAFT")
            free = [each for each in made.work.session.scalars(state.order_by(LicenseRow.id)) if each not in taken]
            row.supersedes_id = made.chance.choice(free) if free else None
        row.status, row.activated_at = status, START
        made.work.session.flush()


def grant(made: Licensing, number: int, **holder: int) -> None:
    chance = made.chance
    starts, ends = sorted(chance.sample(DAYS, 2))
    row = LicenseGrantRow(
        number=number,
        effect=chance.choice(("PERMIT", "PROHIBIT")),
        actions=chance.choice((["VIEW"], ["ANY"], ["PRINT", "VIEW"])),
        channels=chance.choice(WORDS[1:]),
        territories=chance.choice((["DE", "FR-75"], ["WORLDWIDE"])),
        territories_except=chance.choice(([], ["AT"])),
        starts_on=chance.choice((None, starts)),
        ends_on=chance.choice((None, ends)),
        purposes=chance.choice(([], ["COMMERCIAL", "EDITORIAL"])),
        audiences=chance.choice(WORDS),
        industries=chance.choice(WORDS),
        products=[],
        languages=chance.choice(([], ["de", "en-GB"])),
        placements=chance.choice(WORDS),
        alterations=chance.choice(([], ["NONE"])),
        max_page_share=chance.choice((None, 2500)),
        max_edge_mm=chance.choice((None, 300)),
        max_edge_px=chance.choice((None, 4000)),
        **holder,
    )
    made.add(row)
    cap_id = None
    for unit, per in chance.sample([("COPIES", "TOTAL"), ("VIEWS", "MONTH"), ("COPIES", "YEAR")], chance.randrange(3)):
        cap = made.add(GrantCapRow(grant_id=row.id, unit=unit, per=per, at_most=chance.choice((1000, 2**40))))
        cap_id = cap.id if per == "TOTAL" else cap_id
    for kind in chance.sample(("CREDIT_ADJACENT", "LINK_LICENSE", "PAY_PER_USE"), chance.randrange(3)):
        actions = chance.choice(([], ["PRINT", "VIEW"]))
        made.add(GrantDutyRow(grant_id=row.id, kind=kind, parameter=chance.choice((None, "© A")), actions=actions))
    made.grants.append((holder.get("license_id"), row.id, cap_id))


def release(made: Licensing, number: int) -> None:
    chance = made.chance
    starts, ends = sorted(chance.sample(DAYS, 2))
    row = ReleaseRow(
        org_id=chance.choice(made.orgs),
        number=f"R-{number}",
        kind=chance.choice(("MODEL", "MINOR", "PROPERTY")),
        subject_party_id=chance.choice(made.parties),
        status="NON",
        minor_age=chance.choice((None, *MINOR_AGES)),
        guardian=chance.random() < 0.5,
        starts_on=chance.choice((None, starts)),
        ends_on=chance.choice((None, ends)),
        zone="UTC",
        groups_as_of=None,
        signed_on=chance.choice((None, *DAYS)),
        signed_document_id=made.one("assets"),
        created_at=START,
        created_by=made.people[0],
    )
    made.add(row)
    for at in range(chance.randrange(2)):
        grant(made, at + 1, release_id=row.id)
    row.status = chance.choice(("NON", "NAP", "UNLIMITED", "LIMITED"))
    made.work.session.flush()
    if chance.random() < 0.3:
        row.revoked_at, row.revoked_by = START, made.people[0]
        made.work.session.flush()
    made.releases.append(row.id)


def _assessments(made: Licensing, asset_id: int) -> None:
    chance = made.chance
    subjects: list[dict[str, int]] = [{"license_id": each} for each in chance.sample(made.licenses, 2)]
    subjects += [{"release_id": each} for each in chance.sample(made.releases, 1)]
    for told in chance.sample([*subjects, {}], chance.randrange(len(subjects) + 2)):
        row = made.add(assessment(made, asset_id, **told))
        if chance.random() < 0.25:
            row.ended_at, row.ending = START, "WITHDRAWN"
            made.work.session.flush()


def assessment(made: Licensing, asset_id: int, **told: int) -> AssetRightsRow:
    chance = made.chance
    return AssetRightsRow(
        org_id=chance.choice(made.orgs),
        asset_id=asset_id,
        version_id=chance.choice((None, *made.versions[asset_id])),
        coverage=chance.choice(("WHOLE", "COMPONENT")),
        assessed_at=START,
        assessed_by=made.people[0],
        recognisable_people=chance.choice((None, True, False)),
        recognisable_property=chance.choice((None, True, False)),
        **told,
    )


def exclusivity(made: Licensing, asset_id: int, *, may_be_over: bool = True) -> None:
    chance = made.chance
    row = ExclusivityRow(
        org_id=chance.choice(made.orgs),
        asset_id=asset_id,
        direction=chance.choice(("OUTGOING", "INCOMING")),
        holder_org_id=chance.choice(made.orgs),
        channels=chance.choice(WORDS),
        territories=chance.choice(([], ["DE"])),
        industries=chance.choice(WORDS),
        starts_on=chance.choice((None, DAYS[0])),
        ends_on=chance.choice((None, DAYS[-1])),
        zone="UTC",
        created_at=START,
        created_by=made.people[0],
        ended_at=chance.choice((None, None, START)) if may_be_over else None,
    )
    row.ended_by = None if row.ended_at is None else made.people[0]
    made.add(row)


def usage(made: Licensing) -> None:
    chance = made.chance
    asset_id = chance.choice([each for each in made.assets if each in made.versions])
    version_id, org_id = chance.choice(made.versions[asset_id]), chance.choice(made.orgs)
    common = {"org_id": org_id, "version_id": version_id}
    decision = RightsDecisionRow(
        **common, mode="RESERVE", outcome="ALLOWED", request_digest="0" * 64, request={},
        explanation=decisions.plain(ALLOWED),
        policy_digest="0" * 64, epoch=1, decided_at=START, expires_at=START,
    )  # fmt: skip
    made.add(decision)
    starts, ends = sorted(chance.sample(DAYS, 2))
    row = UsageRow(
        **common, decision_id=decision.id, action=chance.choice(("VIEW", "PRINT")), channel="print.flyer",
        territories=chance.choice((["DE"], ["AT", "CH"])), starts_on=starts, ends_on=ends, zone="Europe/Berlin",
        phase="RESERVED", source="MANUAL", reference=chance.choice((None, "job “7”")), reserved_at=START,
        reserved_by=made.people[0], expires_at=START,
    )  # fmt: skip
    made.add(row)
    taken = [_record(made, row, each) for each in chance.sample(made.grants, min(2, len(made.grants)))]
    phase = chance.choice(("RESERVED", "ACTUAL", "VOID"))
    if phase != "RESERVED":
        for each in taken:
            _resolve(made, each, phase)
        row.phase, row.resolved_at = phase, START
        row.withdrawn_at = START if phase == "ACTUAL" and chance.random() < 0.3 else None
        made.work.session.flush()


def _record(made: Licensing, usage: UsageRow, of: tuple[int | None, int, int | None]) -> UsageRecordRow:
    license_id, grant_id, cap_id = of
    row = UsageRecordRow(
        usage_id=usage.id, version_id=usage.version_id, license_id=license_id, grant_id=grant_id, cap_id=cap_id,
        unit=None if cap_id is None else "COPIES", quantity=made.chance.randrange(5), phase="RESERVED",
        recorded_at=START,
    )  # fmt: skip
    return made.add(row)


def _resolve(made: Licensing, first: UsageRecordRow, phase: str) -> None:
    names = ("usage_id", "version_id", "license_id", "grant_id", "cap_id", "unit", "quantity", "recorded_at")
    told = {name: getattr(first, name) for name in names}
    made.add(UsageRecordRow(**told, phase=phase, reservation_id=first.id))


def _purchases(made: Licensing) -> None:
    chance = made.chance
    known = []
    for number in range(2):
        pattern = {"host": "example.org", "path": r"/(?P<item>\d+)"}
        row = SupplierRow(
            org_id=1, key=f"supplier-{number}", name=f"Supplier {number}", url_patterns=[pattern], created_at=START,
            created_by=made.people[0], archived_at=START if number else None,
        )  # fmt: skip
        known.append(made.add(row).id)
    for number in range(8):
        fee, currency = chance.choice(FEES)
        bought = StockPurchaseRow(
            org_id=chance.choice(made.orgs), supplier_id=chance.choice(known), supplier_item_id=f"{number}",
            license_tier="STANDARD", state="REQUESTED", title=chance.choice((None, "A picture")), fee_minor=fee,
            fee_currency=currency, acknowledged=[], requested_at=START, requested_by=chance.choice(made.people),
            asset_id=made.one("assets"),
        )  # fmt: skip
        if number % 3 == 0:
            bought.state, bought.license_id = "LICENSED", chance.choice(made.licenses)
            bought.ended_at = START
        made.add(bought)
        for person_id in chance.sample(list(made.people), chance.randrange(3)):
            made.add(PurchaseSubscriberRow(purchase_id=bought.id, principal_id=person_id, subscribed_at=START))
