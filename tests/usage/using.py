"""What tests of usage say again and again: a licensed picture with caps, requests, and what the counters say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from domain.global_ids import decode
from domain.hub import Hub
from domain.licensing import grants
from domain.licensing.codes import ANY, Action, CapPer, CapUnit, Effect, LicenseKind, Purpose
from domain.licensing.terms import Cap, Grant, Quantity, Request, Window
from domain.usage import reserving
from domain.work import BRAND_ORG_ID, HUB, Viewer
from storage.tables import (
    AssetRightsRow,
    GrantCapPeriodRow,
    GrantCapRow,
    LicenseGrantRow,
    LicenseRow,
    UsageRecordRow,
    UsageRow,
)
from tests.asking import Client
from tests.assets.acts import created, picture


@dataclass
class Licensed:
    """A picture of the brand's under one licence."""

    hub: Hub
    viewer: Viewer
    asset: dict[str, Any]
    license_id: int
    made: list[int] = field(default_factory=lambda: [100])

    @property
    def version_id(self) -> int:
        return decode(self.asset["current"]["id"])[1]

    def request(self, amount: int | None = None, unit: CapUnit = CapUnit.COPIES, **more: Any) -> Request:
        today = self.hub.clock().date()
        told: dict[str, Any] = {
            "action": Action.PRINT,
            "channel": "print.flyer",
            "territories": ("DE",),
            "window": Window(today, today + timedelta(days=9)),
            "party": BRAND_ORG_ID,
            "as_of": self.hub.clock(),
            "zone": "Europe/Berlin",
            "purpose": Purpose.COMMERCIAL,
            "quantities": () if amount is None else (Quantity(unit, amount),),
        }
        return Request(**{**told, **more})

    def reserve(self, amount: int | None = None, hub: Hub | None = None, **more: Any) -> int:
        named = {name: more.pop(name) for name in ("reference", "until") if name in more}
        with (hub or self.hub).writing(self.viewer) as work:
            return reserving.reserve(work, self.version_id, self.request(amount, **more), **named).id

    def confirm(self, usage_id: int, *actual: Quantity, hub: Hub | None = None) -> None:
        with (hub or self.hub).writing(self.viewer) as work:
            reserving.confirm(work, usage_id, actual)

    def void(self, usage_id: int) -> None:
        with self.hub.writing(self.viewer) as work:
            reserving.void(work, usage_id)


def licensed(
    client: Client,
    *caps: Cap,
    number: int = 1,
    ends_on: date | None = None,
    asset: dict[str, Any] | None = None,
    kind: LicenseKind = LicenseKind.RIGHTS_MANAGED,
    zone: str = "Europe/Berlin",
    **grant: Any,
) -> Licensed:
    """A new picture, or another licence of one that is there, which permits everything but within these caps."""
    made = asset or created(client, picture(number))
    principal_id = client.viewer.principal_id
    with client.hub.writing(HUB) as work:
        row = LicenseRow(
            org_id=BRAND_ORG_ID,
            number=f"L-{number}",
            title=f"L-{number}",
            kind=kind.value,
            status="DRAFT",
            licensee_org_id=BRAND_ORG_ID,
            end_user_org_ids=[],
            starts_on=date(2020, 1, 1),
            ends_on=ends_on,
            zone=zone,
            sublicensable=True,
            free_text=[],
            created_at=work.now,
            created_by=principal_id,
            updated_at=work.now,
        )
        work.session.add(row)
        work.session.flush()
        permit = Grant(0, Effect.PERMIT, (ANY,), grant.pop("channels", (ANY,)), (ANY,), caps=caps, **grant)
        grants.write(work, [permit], license_id=row.id)
        row.status, row.activated_at = "ACTIVE", work.now
        work.session.add(
            AssetRightsRow(
                org_id=BRAND_ORG_ID,
                asset_id=decode(made["id"])[1],
                license_id=row.id,
                coverage="WHOLE",
                recognisable_people=False,
                recognisable_property=False,
                assessed_at=work.now,
                assessed_by=principal_id,
            )
        )
        return Licensed(client.hub, client.viewer, made, row.id)


def successor(
    it: Licensed, *caps: Cap, ends_on: date | None = None, name: str = "2", permits: Sequence[Grant] = ()
) -> int:
    """A draft that permits as much, within these caps; or only what is said."""
    with it.hub.writing(HUB) as work:
        old = work.session.get_one(LicenseRow, it.license_id)
        same = ("org_id", "kind", "licensee_org_id", "starts_on", "zone", "sublicensable", "created_by")
        row = LicenseRow(
            **{name: getattr(old, name) for name in same},
            number=f"{old.number}-{name}",
            title=f"{old.number}-{name}",
            status="DRAFT",
            ends_on=ends_on,
            end_user_org_ids=[],
            free_text=[],
            created_at=work.now,
            updated_at=work.now,
        )
        work.session.add(row)
        work.session.flush()
        all_of_it = Grant(0, Effect.PERMIT, (ANY,), (ANY,), (ANY,), caps=caps)
        grants.write(work, permits or [all_of_it], license_id=row.id)
        return row.id


def at(hub: Hub, moment: datetime) -> Hub:
    """The same hub at another time."""
    return replace(hub, clock=lambda: moment)


def cap(limit: int, unit: CapUnit = CapUnit.COPIES, per: CapPer = CapPer.TOTAL) -> Cap:
    return Cap(0, unit, limit, per)


def counters(hub: Hub, license_id: int) -> list[tuple[int, int]]:
    """Used and reserved of each cap of the licence, in order."""
    rows = sa.select(GrantCapRow.used, GrantCapRow.reserved).join(LicenseGrantRow)
    with hub.reading(HUB) as work:
        found = work.session.execute(rows.where(LicenseGrantRow.license_id == license_id).order_by(GrantCapRow.id))
        return [(used, reserved) for used, reserved in found]


def periods(hub: Hub) -> dict[str, tuple[int, int]]:
    """Used and reserved by the first day of each period, of the newest cap that has it."""
    with hub.reading(HUB) as work:
        rows = work.session.scalars(sa.select(GrantCapPeriodRow).order_by(GrantCapPeriodRow.cap_id))
        return {row.starts_on.isoformat(): (row.used, row.reserved) for row in rows}


def phases(hub: Hub) -> list[str]:
    with hub.reading(HUB) as work:
        return list(work.session.scalars(sa.select(UsageRow.phase).order_by(UsageRow.id)))


def recorded(hub: Hub, usage_id: int) -> list[tuple[str, int]]:
    rows = sa.select(UsageRecordRow.phase, UsageRecordRow.quantity).where(UsageRecordRow.usage_id == usage_id)
    with hub.reading(HUB) as work:
        return [(phase, quantity) for phase, quantity in work.session.execute(rows.order_by(UsageRecordRow.id))]
