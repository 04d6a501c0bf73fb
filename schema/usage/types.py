"""Uses, what is recorded of them, and what breaks if a licence ends, as GraphQL speaks of them."""

from __future__ import annotations

from datetime import date
from typing import Any

import strawberry

from domain import assets, organisations
from domain.global_ids import encode
from domain.licensing import licenses, owning
from domain.licensing.codes import Action, CapUnit
from domain.permissions import Permission
from domain.usage import reading
from domain.usage.recalling import Recall, Replacement
from schema.context import Context
from schema.fields import Subject, field
from schema.licensing.deciding import RightsDecision
from schema.licensing.licenses import License
from schema.mapped import TABLES, GlobalId, Many, One, Table, column
from schema.money import Money
from schema.node import KINDS, Kind, Node, fetch
from schema.organisations import Organisation
from schema.scalars import BigInt, Instant
from schema.versions import AssetVersion
from storage.tables import UsageRecordRow, UsageRow

UsagePhase: Any = strawberry.enum(reading.Phase, name="UsagePhase", description="What became of a reservation.")


@strawberry.type(description="What a use takes of one grant, or of one cap; a reservation has one further record.")
class UsageRecord:
    row: strawberry.Private[UsageRecordRow]
    phase: UsagePhase = column(UsageRecordRow.phase)
    unit: CapUnit | None = column(UsageRecordRow.unit, "What the cap counts; null where nothing is counted.")
    quantity: BigInt = column(UsageRecordRow.quantity, "How many; once for each version that the cap covers.")
    period_starts_on: date | None = column(
        UsageRecordRow.period_starts_on, "Of a cap that begins anew, the period's first day."
    )
    recorded_at: Instant = column(UsageRecordRow.recorded_at, "When it was recorded.")

    @classmethod
    def of(cls, row: UsageRecordRow) -> UsageRecord:
        return cls(
            row=row,
            phase=reading.Phase(row.phase),
            unit=None if row.unit is None else CapUnit(row.unit),
            quantity=BigInt(row.quantity),
            period_starts_on=row.period_starts_on,
            recorded_at=row.recorded_at,
        )

    @field(
        "The licence that it takes of; null where the viewer may not know of it, and of a release.",
        mapped=One("License", licenses.seen, UsageRecordRow.license_id, own=True),
    )
    async def license(self, info: strawberry.Info[Context]) -> License | None:
        number = self.row.license_id
        return None if number is None else await fetch(info.context, "License", number)

    @field(
        "The version that it is taken for: the one used, or a part of it; null where the viewer does not see it.",
        mapped=One("AssetVersion", assets.versions_seen, UsageRecordRow.version_id, own=True),
    )
    async def version(self, info: strawberry.Info[Context]) -> AssetVersion | None:
        found: AssetVersion | None = await fetch(info.context, "AssetVersion", self.row.version_id)
        return found


@strawberry.type(description="One use of one version: where, when, and as which decision allowed it.")
class Usage(Node):
    row: strawberry.Private[UsageRow]
    id: strawberry.ID = column(GlobalId("Usage", UsageRow.id))
    action: Action = column(UsageRow.action)
    channel: str = column(UsageRow.channel)
    territories: list[str] = column(UsageRow.territories, "As they were asked for.")
    starts_on: date = column(UsageRow.starts_on, "The first day that it is out.")
    ends_on: date = column(UsageRow.ends_on, "The last day that it is out.")
    zone: str = column(UsageRow.zone, "Whose days these are (IANA).")
    phase: UsagePhase = column(UsageRow.phase)
    reference: str | None = column(UsageRow.reference, "What others call it: an order, a booking, an address.")
    reserved_at: Instant = column(UsageRow.reserved_at, "When it was reserved.")
    expires_at: Instant = column(UsageRow.expires_at, "When the reservation is given up by itself.")
    resolved_at: Instant | None = column(UsageRow.resolved_at, "When it was confirmed or given up.")
    withdrawn_at: Instant | None = column(
        UsageRow.withdrawn_at, "Since when it is to be out no more: its licence ended, or a release that it rests on."
    )

    @classmethod
    def of(cls, row: UsageRow) -> Usage:
        return cls(
            row=row,
            id=strawberry.ID(encode("Usage", row.id)),
            action=Action(row.action),
            channel=row.channel,
            territories=list(row.territories),
            starts_on=row.starts_on,
            ends_on=row.ends_on,
            zone=row.zone,
            phase=reading.Phase(row.phase),
            reference=row.reference,
            reserved_at=row.reserved_at,
            expires_at=row.expires_at,
            resolved_at=row.resolved_at,
            withdrawn_at=row.withdrawn_at,
        )

    @field(
        "What is used; null where the viewer does not see it any more.",
        mapped=One("AssetVersion", assets.versions_seen, UsageRow.version_id, own=True),
    )
    async def version(self, info: strawberry.Info[Context]) -> AssetVersion | None:
        found: AssetVersion | None = await fetch(info.context, "AssetVersion", self.row.version_id)
        return found

    @field(
        "Who uses it; null where the viewer may not know of them.",
        mapped=One("Organisation", organisations.seen, UsageRow.org_id),
    )
    async def organisation(self, info: strawberry.Info[Context]) -> Organisation | None:
        found: Organisation | None = await fetch(info.context, "Organisation", self.row.org_id)
        return found

    @field("By which it was reserved.")
    async def decision(self, info: strawberry.Info[Context]) -> RightsDecision | None:
        found: RightsDecision | None = await fetch(info.context, "RightsDecision", self.row.decision_id)
        return found

    @field(
        "What was recorded of it, in order: each reservation, and how it was resolved.",
        size=10,
        mapped=Many("UsageRecord", reading.RECORDS, UsageRow.id),
    )
    async def records(self, info: strawberry.Info[Context]) -> list[UsageRecord]:
        return [UsageRecord.of(row) for row in await info.context.load(reading.records_of, self.row.id) or []]


@strawberry.type(description="How many uses of one channel would still run.")
class RecallChannel:
    channel: str
    count: int = strawberry.field(description="How many.")


@strawberry.type(description="A version that looks like the one used and is licensed for the rest of the use.")
class RecallReplacement:
    replacement: strawberry.Private[Replacement]
    distance: int = strawberry.field(description="How far the pictures are apart, as in `SimilarAsset`.")

    @classmethod
    def of(cls, replacement: Replacement) -> RecallReplacement:
        return cls(replacement=replacement, distance=replacement.distance)

    @field("The use.")
    async def usage(self, info: strawberry.Info[Context]) -> Usage | None:
        found: Usage | None = await fetch(info.context, "Usage", self.replacement.usage_id)
        return found

    @field("What could be used instead.")
    def version(self) -> AssetVersion:
        return AssetVersion.of(self.replacement.version)


@strawberry.type(description="What breaks if a licence ends on a day, as far as the viewer may know.")
class RecallSimulation:
    recall: strawberry.Private[Recall]
    ends_on: date = strawberry.field(description="The day that was asked about.")
    affected_count: int = strawberry.field(description="How many uses would still run; `usages` lists them.")
    organisation_count: int = strawberry.field(description="How many organisations would be concerned.")

    @classmethod
    def of(cls, recall: Recall) -> RecallSimulation:
        return cls(
            recall=recall,
            ends_on=recall.ends_on,
            affected_count=sum(recall.by_channel.values()),
            organisation_count=len(recall.by_organisation),
        )

    def subject(self) -> Subject:
        return Subject(owning.may, self.recall.license.org_id)

    @field("The licence.")
    def license(self) -> License:
        return License.of(self.recall.license)

    @field("Where they are, by channel; one for each channel that there is.", size=20)
    def channels(self) -> list[RecallChannel]:
        return [RecallChannel(channel=name, count=count) for name, count in self.recall.by_channel.items()]

    @field(
        "The share of the licence's fee for the days that it would not have; null too where it has no fee or no end.",
        needs=Permission.FIELD_MONEY,
    )
    def lost_fee(self) -> Money | None:
        return Money.of(self.recall.lost)

    @field("For the first 20 uses the nearest look-alike that is licensed for the rest of it.", size=20)
    def replacements(self) -> list[RecallReplacement]:
        return [RecallReplacement.of(each) for each in self.recall.replacements]


KINDS["Usage"] = Kind(reading.by_id, Usage.of)
TABLES["Usage"] = Table(reading.seen, UsageRow.id, sight=reading.sight)
