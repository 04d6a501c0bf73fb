"""What breaks if a licence ends on a day: which uses would still run, what was paid for nothing, and which look-alike
could take their place.

A simulation: nothing is written, and nobody is told of uses or pictures that they may not see.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import sqlalchemy as sa

from domain import likeness, money
from domain.licensing import deciding, facts, licenses
from domain.licensing.codes import Outcome
from domain.licensing.terms import Request, Window
from domain.money import Money
from domain.refusals import NotFound
from domain.usage import decisions, reading
from domain.usage.reading import Wanted
from domain.work import Work
from storage.tables import AssetVersionRow, LicenseRow, RightsDecisionRow, UsageRow

#: Uses for which a replacement is looked for, and look-alikes that are tried for each.
MAX_REPLACED: Final = 20
MAX_TRIED: Final = 5
_LET_OUT: Final = frozenset({Outcome.ALLOWED, Outcome.ALLOWED_WITH_DUTIES})


@dataclass(frozen=True)
class Replacement:
    """A version that looks like the one used, `distance` apart, and is licensed for the rest of the use."""

    usage_id: int
    version: AssetVersionRow
    distance: int


@dataclass(frozen=True)
class Recall:
    """`lost` is the share of the licence's fee for the days that it would not have; None where nobody said its fee or
    its end. `by_channel` and `by_organisation` count the uses that would still run.
    """

    license: LicenseRow
    ends_on: date
    affected: Wanted
    by_channel: dict[str, int]
    by_organisation: dict[int, int]
    lost: Money | None
    replacements: list[Replacement]


def simulate(work: Work, license_id: int, ends_on: date) -> Recall:
    """`NotFound` for a licence that the viewer may not know of."""
    license_ = licenses.by_id(work, [license_id]).get(license_id)
    if license_ is None:
        raise NotFound("There is no licence with this id.", ("license",))
    wanted = Wanted(license_id=license_id, running_after=ends_on)
    still = sa.and_(reading.visible(work), reading.under(license_id), reading.is_out(), UsageRow.ends_on > ends_on)
    counted = work.session.execute(sa.select(UsageRow.channel, UsageRow.org_id).where(still)).all()
    first = sa.select(UsageRow).where(still).order_by(UsageRow.ends_on, UsageRow.id).limit(MAX_REPLACED)
    return Recall(
        license_,
        ends_on,
        wanted,
        dict(sorted(Counter(channel for channel, _ in counted).items())),
        dict(sorted(Counter(org_id for _, org_id in counted).items())),
        _lost(license_, ends_on),
        _replacements(work, list(work.session.scalars(first)), ends_on),
    )


def _lost(license_: LicenseRow, ends_on: date) -> Money | None:
    """By days, rounded down to the minor unit."""
    fee = money.kept(license_.fee_minor, license_.fee_currency)
    if fee is None or license_.ends_on is None:
        return None
    whole = (license_.ends_on - license_.starts_on).days + 1
    lost = min(max((license_.ends_on - ends_on).days, 0), whole)
    return Money(fee.minor * lost // whole, fee.currency)


def _replacements(work: Work, affected: Sequence[UsageRow], ends_on: date) -> list[Replacement]:
    own = sa.select(AssetVersionRow.id, AssetVersionRow.asset_id)
    assets = dict(work.session.execute(own.where(AssetVersionRow.id.in_({row.version_id for row in affected}))).all())
    alike = likeness.of_assets(work, set(assets.values()), MAX_TRIED)
    known = facts.of_versions(work, {each.version.id for some in alike.values() for each in some})
    asked = {row.id: row for row in work.session.scalars(_asked(affected))}
    found = []
    for row in affected:
        rest = _rest(work, row, asked[row.further_decision_id or row.decision_id], ends_on)
        for each in alike[assets[row.version_id]]:
            if deciding.decide(known[each.version.id], rest).outcome in _LET_OUT:
                found.append(Replacement(row.id, each.version, each.distance))
                break
    return found


def _asked(affected: Sequence[UsageRow]) -> sa.Select[RightsDecisionRow]:
    ids = {row.further_decision_id or row.decision_id for row in affected}
    return sa.select(RightsDecisionRow).where(RightsDecisionRow.id.in_(ids))


def _rest(work: Work, row: UsageRow, kept: RightsDecisionRow, ends_on: date) -> Request:
    """The same use, from the day after the end."""
    asked = decisions.request_of(kept.request, work.now)
    first = max(ends_on + timedelta(days=1), row.starts_on)
    return replace(asked, window=Window(first, row.ends_on))
