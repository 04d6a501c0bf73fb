"""What a use takes of the grants that carry it: decided with every cap locked, reserved, and resolved.

Each reservation is resolved by one further record, and the database counts both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final

import sqlalchemy as sa

from domain.licensing import deciding, facts
from domain.licensing.codes import CapUnit, Outcome
from domain.licensing.terms import Decision, Facts, Request
from domain.usage import counters
from domain.usage.counters import Part
from domain.usage.reading import Phase
from domain.work import Work
from storage.tables import RightsDecisionRow, UsageRecordRow, UsageRow

LETS_OUT: Final = frozenset({Outcome.ALLOWED, Outcome.ALLOWED_WITH_DUTIES})


def decided(
    work: Work, version_id: int, request: Request, but: Mapping[tuple[int, date | None], int] | None = None
) -> tuple[Facts, Decision]:
    """With every cap that it may count against locked. `but`: as if these were not reserved."""
    told = counters.counted(work, _locked(work, version_id), but)
    return told, deciding.decide(told, request)


def begun(
    work: Work, kept: RightsDecisionRow, asked: Request, source: str, until: datetime, reference: str | None = None
) -> UsageRow:
    """The use that this decision allowed to whoever asked for it: a reservation, like every use."""
    row = UsageRow(
        org_id=kept.org_id,
        version_id=kept.version_id,
        decision_id=kept.id,
        action=asked.action.value,
        channel=asked.channel,
        territories=sorted(set(asked.territories)),
        starts_on=asked.window.first,
        ends_on=asked.window.last,
        zone=asked.zone or "UTC",
        phase=Phase.RESERVED.value,
        source=source,
        reference=reference,
        reserved_at=work.now,
        reserved_by=kept.decided_by,
        expires_at=until,
    )
    work.session.add(row)
    work.session.flush()
    return row


def take(work: Work, row: UsageRow, parts: Sequence[Part]) -> list[UsageRecordRow]:
    taken = [
        UsageRecordRow(
            usage_id=row.id,
            version_id=part.version_id,
            license_id=part.license_id,
            grant_id=part.grant_id,
            cap_id=None if part.cap is None else part.cap.id,
            period_starts_on=part.period,
            unit=None if part.cap is None else part.cap.unit.value,
            quantity=part.quantity,
            phase=Phase.RESERVED.value,
            recorded_at=work.now,
            recorded_by=work.viewer.principal_id,
        )
        for part in sorted(parts, key=lambda each: 0 if each.cap is None else each.cap.id)
    ]
    work.session.add_all(taken)
    work.session.flush()
    return taken


def resolve(
    work: Work,
    reserved: Sequence[UsageRecordRow],
    phase: Phase,
    amounts: Mapping[CapUnit, tuple[int, int]],
) -> None:
    """Each reservation by one further record; `amounts`: of each unit what was really used, and what was asked for."""
    for each in reserved:
        quantity = 0
        if phase is Phase.ACTUAL and each.unit is not None:
            used, before = amounts[CapUnit(each.unit)]
            quantity = each.quantity // before * used  # a multiple: once for each version that the cap covers
        work.session.add(
            UsageRecordRow(
                usage_id=each.usage_id,
                version_id=each.version_id,
                license_id=each.license_id,
                grant_id=each.grant_id,
                cap_id=each.cap_id,
                period_starts_on=each.period_starts_on,
                unit=each.unit,
                quantity=quantity,
                phase=phase.value,
                reservation_id=each.id,
                recorded_at=work.now,
                recorded_by=work.viewer.principal_id,
            )
        )
    work.session.flush()


def reserved(work: Work, row: UsageRow) -> list[UsageRecordRow]:
    rows = sa.select(UsageRecordRow).where(
        UsageRecordRow.usage_id == row.id, UsageRecordRow.phase == Phase.RESERVED.value
    )
    return list(work.session.scalars(rows.order_by(UsageRecordRow.id)))


def _locked(work: Work, version_id: int) -> Facts:
    """What is known of the version once its caps are held: whoever superseded its licence meanwhile held them too."""
    while True:
        known = facts.of_version(work, version_id)
        counters.lock(work, counters.caps_of(known))
        if facts.epochs(work, [version_id])[version_id][1] == known.epoch:
            return known
        work.session.expire_all()
