"""What an asset's active licences say of it, in the words of a statement: written into whatever leaves the hub.

Always true here:
- The clock says nothing: which licence speaks depends on rows alone, so that midnight makes no rendition stale.
- Of several that cover the whole, any of which would carry a use, the one that lasts longest speaks. It ends with the
  first of its parts' licences.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import sqlalchemy as sa

from domain.licensing.codes import ANY, SINCE_EVER, WORLDWIDE, Action, Coverage, DutyKind, Effect, LicenseStatus
from domain.statements import DataMining, Statement
from domain.work import Work
from storage.tables import AssetRightsRow, AssetVersionRow, GrantDutyRow, LicenseGrantRow, LicenseRow, PartyRow

_CREDITS: Final = tuple(
    kind.value for kind in (DutyKind.CREDIT_ADJACENT, DutyKind.CREDIT_ON_IMAGE, DutyKind.CREDIT_AREA)
)
#: Statements have no more room, and an address that is cut leads elsewhere.
_LONGEST: Final = 500
#: What is forbidden here is forbidden to everybody, everywhere.
_OPEN: Final = (
    "purposes",
    "audiences",
    "industries",
    "products",
    "languages",
    "placements",
    "alterations",
    "territories_except",
)
_SAYS_NOTHING: Final = frozenset({None, DataMining.UNSPECIFIED, DataMining.ALLOWED})


@dataclass(frozen=True)
class _Under:
    """A licence that the version is under."""

    is_whole: bool
    is_of_version: bool
    id: int
    number: str
    starts_on: date
    ends_on: date | None
    terms_url: str | None
    licensor: str | None
    licensor_url: str | None


def with_licenses(work: Work, version: AssetVersionRow, said: Statement) -> Statement:
    """The statement with what the version's active licences say; as it is where it is under none.

    Of its last day and theirs the first counts, and machines are told no less than somebody stated already.
    """
    under = _standing(work, version)
    if not under:
        return said
    leading = max(under, key=_rank)
    named = leading.licensor is not None
    return replace(
        said,
        credit=_credit(work, leading.id) or said.credit,
        web_statement=_short(leading.terms_url) or said.web_statement,
        # Both of one and the same.
        licensor=leading.licensor or said.licensor,
        licensor_url=_short(leading.licensor_url) if named else said.licensor_url,
        license_id=leading.number,
        starts=None if leading.starts_on == SINCE_EVER else leading.starts_on,
        expires=_first((said.expires, *_ends(under))),
        data_mining=_data_mining(work, under, said.data_mining),
    )


#: Put together once, for every picture that is made by address asks it.
_STANDING: Final = (
    sa.select(
        AssetRightsRow.coverage,
        AssetRightsRow.version_id,
        LicenseRow.id,
        sa.func.coalesce(LicenseRow.plus_license_id, LicenseRow.number),
        LicenseRow.starts_on,
        LicenseRow.ends_on,
        LicenseRow.terms_url,
        PartyRow.name,
        PartyRow.url,
    )
    .join(LicenseRow, LicenseRow.id == AssetRightsRow.license_id)
    .outerjoin(PartyRow, PartyRow.id == LicenseRow.licensor_id)
    .where(
        AssetRightsRow.asset_id == sa.bindparam("of_asset"),
        AssetRightsRow.ended_at.is_(None),
        sa.or_(AssetRightsRow.version_id.is_(None), AssetRightsRow.version_id == sa.bindparam("of_version")),
        LicenseRow.status == LicenseStatus.ACTIVE.value,
    )
)


def _standing(work: Work, version: AssetVersionRow) -> list[_Under]:
    rows = work.session.execute(_STANDING, {"of_asset": version.asset_id, "of_version": version.id})
    return [
        _Under(
            coverage == Coverage.WHOLE, version_id is not None, id_, number, starts_on, ends_on, terms_url, name, url
        )
        for coverage, version_id, id_, number, starts_on, ends_on, terms_url, name, url in rows
    ]


def _rank(under: _Under) -> tuple[bool, date, bool, int]:
    """Highest of the one that speaks: of the whole rather than a part, the longest, the version's own, the newest."""
    return under.is_whole, under.ends_on or date.max, under.is_of_version, under.id


def _ends(under: Iterable[_Under]) -> list[date | None]:
    """The end of the whole, and that of each part."""
    each = list(under)
    whole = [one.ends_on for one in each if one.is_whole]
    parts = [one.ends_on for one in each if not one.is_whole]
    return [*parts, *([None if None in whole else max(end for end in whole if end)] if whole else [])]


def _first(days: Iterable[date | None]) -> date | None:
    return min((day for day in days if day is not None), default=None)


def _credit(work: Work, license_id: int) -> str:
    """The line that the licence itself prescribes."""
    lines = (
        sa.select(GrantDutyRow.parameter)
        .join(LicenseGrantRow, LicenseGrantRow.id == GrantDutyRow.grant_id)
        .where(
            LicenseGrantRow.license_id == license_id,
            LicenseGrantRow.effect == Effect.PERMIT.value,
            GrantDutyRow.kind.in_(_CREDITS),
            GrantDutyRow.parameter.is_not(None),
        )
        .order_by(LicenseGrantRow.number, GrantDutyRow.id)
    )
    return (work.session.scalar(lines.limit(1)) or "")[:_LONGEST]


def _data_mining(work: Work, under: Iterable[_Under], said: DataMining | None) -> DataMining | None:
    """One licence that forbids that models are trained forbids it."""
    if said not in _SAYS_NOTHING:
        return said
    rows = sa.select(LicenseGrantRow).where(
        LicenseGrantRow.license_id.in_([one.id for one in under]),
        LicenseGrantRow.effect == Effect.PROHIBIT.value,
    )
    forbidden = any(_forbids_training(row) for row in work.session.scalars(rows))
    return DataMining.PROHIBITED_TRAINING if forbidden else said


def _forbids_training(row: LicenseGrantRow) -> bool:
    named = {ANY, Action.AI_TRAIN.value} & set(row.actions)
    is_open = not any(getattr(row, name) for name in _OPEN) and row.starts_on is None and row.ends_on is None
    return bool(named) and is_open and ANY in row.channels and bool({ANY, WORLDWIDE} & set(row.territories))


def _short(address: str | None) -> str:
    return address if address is not None and len(address) <= _LONGEST else ""
