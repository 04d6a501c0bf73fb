"""Random facts as rows: what `random_terms` makes up of versions, licences and releases, written into a database as far
as it takes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from random import Random
from typing import Any, Final

import sqlalchemy as sa

from domain.licensing.codes import LicenseStatus, ReleaseStatus, TakedownStatus
from domain.licensing.terms import Exclusivity, Facts, Grant, License, Release, Rights, Subject
from domain.work import BRAND_ORG_ID, Work
from storage.tables import (
    AssetRightsRow,
    AssetRow,
    AssetVersionRow,
    ComponentRow,
    EmbargoRow,
    ExclusivityRow,
    GrantCapRow,
    GrantDutyRow,
    LegalHoldRow,
    LicenseGrantRow,
    LicenseRow,
    LicenseSeatRow,
    OrganisationRow,
    PartyRow,
    ReleaseRow,
    TakedownRow,
    TerritoryGroupMemberRow,
    TerritoryGroupRow,
)

WHEN: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Writing:
    """`orgs` are the organisations that random terms call 1, 2 and 3."""

    work: Work
    by: int
    orgs: Mapping[int, int]
    #: How often anything was numbered.
    count: int = field(default=0)

    def facts(self, facts: Facts, assets: Sequence[int]) -> None:
        """Says of these assets, one for each subject, what the facts say of theirs."""
        held = {key: self._license(each) for key, each in facts.licenses.items()}
        signed = {key: self._release(each) for key, each in facts.releases.items()}
        by_version = dict(zip(sorted(facts.subjects), assets, strict=True))
        for key, subject in facts.subjects.items():
            self._subject(subject, by_version[key], held, signed)
        for key, subject in facts.subjects.items():
            for part in subject.components:
                pair = (self._current(by_version[key]), self._current(by_version[part.version_id]))
                row = ComponentRow(composite_version_id=pair[0], part_version_id=pair[1])
                row.created_at, row.created_by = WHEN, self.by
                self._add(row)

    def groups(self, facts: Facts) -> None:
        for group in facts.groups:
            row = TerritoryGroupRow(org_id=BRAND_ORG_ID, code=group.code, name=group.code, created_at=WHEN)
            row.created_by = self.by
            self._add(row)
            for one in group.members:
                member = TerritoryGroupMemberRow(group_id=row.id, territory=one.territory)
                member.first_on, member.last_on = one.first_on, one.last_on
                self._add(member)

    def _license(self, terms: License) -> int:
        starts, ends = _window(terms.starts_on, terms.ends_on)
        assert starts is not None, "a licence begins some day"
        row = LicenseRow(
            org_id=BRAND_ORG_ID, number=f"R-{self._number()}", title=f"Random {self.count}", kind=terms.kind.value,
            status="DRAFT", licensee_org_id=self._org(terms.licensee_org_id),
            end_user_org_ids=[self.orgs[each] for each in terms.end_user_org_ids], starts_on=starts, ends_on=ends,
            zone=terms.zone, seats=terms.seats, sublicensable=terms.sublicensable, free_text=list(terms.free_text),
            groups_as_of=terms.groups_as_of, created_at=WHEN, created_by=self.by, updated_at=WHEN,
        )  # fmt: skip
        self._add(row)
        for at, grant in enumerate(terms.grants, 1):
            self._grant(grant, at, license_id=row.id)
        for seat in terms.seat_org_ids:
            self._add(LicenseSeatRow(license_id=row.id, org_id=self.orgs[seat], assigned_at=WHEN, assigned_by=self.by))
        for status in _ways(terms.status):
            row.status, row.activated_at = status.value, WHEN
            self.work.session.flush()
        return row.id

    def _release(self, terms: Release) -> int:
        about = PartyRow(org_id=BRAND_ORG_ID, kind="PERSON", name="Jane", name_folded="jane", created_at=WHEN)
        about.created_by, about.updated_at = self.by, WHEN
        self._add(about)
        starts, ends = _window(terms.starts_on, terms.ends_on)
        row = ReleaseRow(
            org_id=BRAND_ORG_ID, number=f"R-{self._number()}", kind=terms.kind.value, subject_party_id=about.id,
            status="NON", minor_age=terms.minor_age and terms.minor_age.value, guardian=terms.guardian,
            starts_on=starts, ends_on=ends, zone=terms.zone, groups_as_of=terms.groups_as_of, created_at=WHEN,
            created_by=self.by,
        )  # fmt: skip
        self._add(row)
        for at, grant in enumerate(terms.grants, 1):
            self._grant(grant, at, release_id=row.id)
        if terms.status != ReleaseStatus.NON:
            row.status = terms.status.value
            self.work.session.flush()
        if terms.revoked_at is not None:
            row.revoked_at, row.revoked_by = terms.revoked_at, self.by
            self.work.session.flush()
        return row.id

    def _grant(self, grant: Grant, number: int, **holder: int) -> None:
        starts, ends = _window(grant.starts_on, grant.ends_on)
        size = grant.max_size
        row = LicenseGrantRow(
            number=number, effect=grant.effect.value, actions=list(grant.actions), channels=list(grant.channels),
            territories=list(grant.territories), territories_except=list(grant.territories_except), starts_on=starts,
            ends_on=ends, purposes=[each.value for each in grant.purposes], audiences=list(grant.audiences),
            industries=list(grant.industries), products=list(grant.products), languages=list(grant.languages),
            placements=list(grant.placements), alterations=[each.value for each in grant.alterations],
            max_page_share=size and size.page_share, max_edge_mm=size and size.long_edge_mm,
            max_edge_px=size and size.long_edge_px, **holder,
        )  # fmt: skip
        self._add(row)
        for cap in grant.caps:
            self._add(GrantCapRow(grant_id=row.id, unit=cap.unit.value, per=cap.per.value, at_most=cap.limit))
        for duty in grant.duties:
            told = [each.value for each in duty.actions]
            self._add(GrantDutyRow(grant_id=row.id, kind=duty.kind.value, parameter=duty.parameter, actions=told))

    def _subject(self, subject: Subject, asset_id: int, held: Mapping[int, int], signed: Mapping[int, int]) -> None:
        for rights in subject.rights:
            self.rights(rights, asset_id, held, signed)
        common = {"org_id": BRAND_ORG_ID, "asset_id": asset_id}
        for embargo in subject.embargoes:
            row = EmbargoRow(**common, starts_at=embargo.starts_at, placed_at=WHEN, placed_by=self.by)
            row.ends_at = embargo.ends_at if embargo.ends_at != embargo.starts_at else None
            self._add(row)
        for takedown in subject.takedowns:
            self._takedown(takedown.status, common)
        for exclusivity in subject.exclusivities:
            self._exclusivity(exclusivity, common)
        if subject.held:
            matter = f"Matter {self._number()}"
            self._add(LegalHoldRow(**common, matter=matter, placed_at=WHEN, placed_by=self.by))

    def rights(self, rights: Rights, asset_id: int, held: Mapping[int, int], signed: Mapping[int, int]) -> None:
        row = AssetRightsRow(org_id=BRAND_ORG_ID, asset_id=asset_id, coverage=rights.coverage.value, assessed_at=WHEN)
        row.license_id = None if rights.license_id is None else held[rights.license_id]
        row.release_id = None if rights.release_id is None else signed[rights.release_id]
        row.assessed_by, row.recognisable_people, row.recognisable_property = self.by, rights.people, rights.property
        self._add(row)

    def _takedown(self, status: TakedownStatus, common: dict[str, Any]) -> None:
        row = TakedownRow(**common, status="OPEN", opened_at=WHEN, opened_by=self.by)
        self._add(row)
        if status == TakedownStatus.ENFORCED:
            row.status, row.enforced_at, row.enforced_by = status.value, WHEN, self.by
        if status == TakedownStatus.LIFTED:
            row.status, row.lifted_at, row.lifted_by = status.value, WHEN, self.by
        self.work.session.flush()

    def _exclusivity(self, terms: Exclusivity, common: dict[str, Any]) -> None:
        starts, ends = _window(terms.starts_on, terms.ends_on)
        row = ExclusivityRow(
            **common, direction=terms.direction.value, holder_org_id=self.orgs[terms.holder_org_id],
            channels=list(terms.channels), territories=list(terms.territories), industries=list(terms.industries),
            starts_on=starts, ends_on=ends, zone=terms.zone, groups_as_of=terms.groups_as_of, created_at=WHEN,
            created_by=self.by,
        )  # fmt: skip
        self._add(row)

    def _current(self, asset_id: int) -> int:
        found = self.work.session.scalar(sa.select(AssetRow.current_version_id).where(AssetRow.id == asset_id))
        assert found is not None, "whatever is licensed has a version"
        return found

    def _org(self, key: int | None) -> int | None:
        return None if key is None else self.orgs[key]

    def _number(self) -> int:
        self.count += 1
        return self.count

    def _add(self, row: Any) -> None:
        self.work.session.add(row)
        self.work.session.flush()


def organisations(work: Work) -> dict[int, int]:
    """The brand, and two below it, by the numbers that random terms call them."""
    found = {1: BRAND_ORG_ID}
    for number in (2, 3):
        row = OrganisationRow(name=f"Partner {number}", path=f"/1/p{number}/", kind="AFFILIATE", created_at=WHEN)
        work.session.add(row)
        work.session.flush()
        row.path = f"/1/{row.id}/"
        found[number] = row.id
    work.session.flush()
    return found


def another_version(work: Work, asset_id: int, by: int) -> int:
    """Of the same bytes, and the current one from now on."""
    asset = work.session.get_one(AssetRow, asset_id)
    old = work.session.get_one(AssetVersionRow, asset.current_version_id)
    row = AssetVersionRow(
        asset_id=asset_id, number=old.number + 1, sha256=old.sha256, byte_size=old.byte_size, file_name=old.file_name,
        media_type=old.media_type, created_at=WHEN, created_by=by,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()
    asset.current_version_id = row.id
    work.session.flush()
    return row.id


def generous(dice: Random, facts: Facts) -> Facts:
    """The same, with some of what limits licences left out: else a use that says little passes hardly anywhere."""

    def grant(one: Grant) -> Grant:
        return replace(
            one, caps=(), max_size=None, industries=(), audiences=(), products=(), languages=(), placements=()
        ) if dice.random() < 0.8 else one  # fmt: skip

    licenses = {key: replace(each, grants=tuple(map(grant, each.grants))) for key, each in facts.licenses.items()}
    return replace(facts, licenses=licenses)


def _window(starts: date | None, ends: date | None) -> tuple[date | None, date | None]:
    """Nothing that is kept ends before it starts."""
    return (starts, ends) if starts is None or ends is None or starts <= ends else (ends, starts)


def _ways(status: LicenseStatus) -> list[LicenseStatus]:
    match status:
        case LicenseStatus.DRAFT:
            return []
        case LicenseStatus.ACTIVE:
            return [LicenseStatus.ACTIVE]
    return [LicenseStatus.ACTIVE, status]
