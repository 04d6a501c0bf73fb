"""Grants over GraphQL: what a licence or a release allows and forbids, condition by condition."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Any

import strawberry

from domain.global_ids import encode, number_of
from domain.licensing import codes, grants, owning
from domain.licensing.codes import Action as UsageAction
from domain.licensing.codes import Alteration, CapPer, CapUnit, DutyKind, Effect
from domain.licensing.codes import Purpose as UsagePurpose
from domain.licensing.terms import Cap, Duty, Grant, Size
from domain.work import Work
from schema.context import Context
from schema.fields import field
from schema.licensing.words import GrantAction
from schema.mapped import TABLES, GlobalId, Made, Many, Note, Table, column
from schema.node import KINDS, Kind, Node, fetch
from schema.products import Product
from schema.scalars import BigInt
from storage.tables import GrantCapRow, GrantDutyRow, LicenseGrantRow

_TERRITORIES = "Countries (ISO 3166-1), subdivisions (ISO 3166-2), groups of them, `WORLDWIDE` or `ANY`."
_CHANNELS = "Such as `print` or `print.flyer`; one above covers all below it, `ANY` all there are."


@strawberry.type(description="How much a grant allows.")
class GrantCap:
    unit: CapUnit = column(GrantCapRow.unit, "What is counted.")
    per: CapPer = column(GrantCapRow.per, "How often it begins anew.")
    limit: BigInt = column(GrantCapRow.at_most, "How many at most.")
    used: BigInt = column(GrantCapRow.used, "How many of a cap that never begins anew were used.")
    reserved: BigInt = column(GrantCapRow.reserved, "How many more of it are kept back for uses that were announced.")

    @classmethod
    def of(cls, row: GrantCapRow) -> GrantCap:
        return cls(
            unit=CapUnit(row.unit),
            per=CapPer(row.per),
            limit=BigInt(row.at_most),
            used=BigInt(row.used),
            reserved=BigInt(row.reserved),
        )


@strawberry.type(description="What whoever uses a grant owes.")
class GrantDuty:
    kind: DutyKind = column(GrantDutyRow.kind, "What is owed.")
    parameter: str | None = column(GrantDutyRow.parameter, "The credit line, an address, or who has to say yes.")
    actions: list[UsageAction] = column(GrantDutyRow.actions, "What owes it; everything the grant is for if empty.")

    @classmethod
    def of(cls, row: GrantDutyRow) -> GrantDuty:
        return cls(
            kind=DutyKind(row.kind),
            parameter=row.parameter,
            actions=[UsageAction(each) for each in row.actions],
        )


@strawberry.type(description="The largest size that is allowed, by each measure alone.")
class SizeLimit:
    page_share: int | None = strawberry.field(description="Of the page, in hundredths of a per cent.")
    long_edge_mm: int | None = strawberry.field(description="Of the longer edge, in millimetres.")
    long_edge_px: int | None = strawberry.field(description="Of the longer edge, in pixels.")


def _size(_work: Work, _note: Note) -> Callable[..., tuple[int | None, ...] | None]:
    return lambda *limits: None if limits == (None, None, None) else limits


_SIZE = Made(
    (LicenseGrantRow.max_page_share, LicenseGrantRow.max_edge_mm, LicenseGrantRow.max_edge_px),
    _size,
    ("pageShare", "longEdgeMm", "longEdgePx"),
)


@strawberry.type(description="One conjunction: what it is for in every respect. An empty list leaves that open.")
class LicenseGrant(Node):
    row: strawberry.Private[LicenseGrantRow]
    id: strawberry.ID = column(GlobalId("LicenseGrant", LicenseGrantRow.id))
    number: int = column(LicenseGrantRow.number, "From 1, in the order in which they were written.")
    effect: Effect = column(LicenseGrantRow.effect, "Whether it allows or forbids.")
    actions: list[GrantAction] = column(LicenseGrantRow.actions, "What may be done, or may not.")
    channels: list[str] = column(LicenseGrantRow.channels, _CHANNELS)
    territories: list[str] = column(LicenseGrantRow.territories, _TERRITORIES)
    territories_except: list[str] = column(LicenseGrantRow.territories_except, "What of these it is not for.")
    starts_on: date | None = column(LicenseGrantRow.starts_on, "Its first day; null: the licence's.")
    ends_on: date | None = column(LicenseGrantRow.ends_on, "Its last day; null: the licence's.")
    purposes: list[UsagePurpose] = column(LicenseGrantRow.purposes, "What it may be used for.")
    audiences: list[str] = column(LicenseGrantRow.audiences, "To whom it may be shown.")
    industries: list[str] = column(LicenseGrantRow.industries, "Of which trades.")
    languages: list[str] = column(LicenseGrantRow.languages, "In which languages.")
    placements: list[str] = column(LicenseGrantRow.placements, "Where on the page or in the film.")
    alterations: list[Alteration] = column(LicenseGrantRow.alterations, "The only ones allowed, or those forbidden.")

    @classmethod
    def of(cls, row: LicenseGrantRow) -> LicenseGrant:
        return cls(
            row=row,
            id=strawberry.ID(encode("LicenseGrant", row.id)),
            number=row.number,
            effect=Effect(row.effect),
            actions=[GrantAction(each) for each in row.actions],
            channels=list(row.channels),
            territories=list(row.territories),
            territories_except=list(row.territories_except),
            starts_on=row.starts_on,
            ends_on=row.ends_on,
            purposes=[UsagePurpose(each) for each in row.purposes],
            audiences=list(row.audiences),
            industries=list(row.industries),
            languages=list(row.languages),
            placements=list(row.placements),
            alterations=[Alteration(each) for each in row.alterations],
        )

    @field("The largest size it is for; null: any.", mapped=_SIZE)
    def max_size(self) -> SizeLimit | None:
        row = self.row
        if (row.max_page_share, row.max_edge_mm, row.max_edge_px) == (None, None, None):
            return None
        return SizeLimit(page_share=row.max_page_share, long_edge_mm=row.max_edge_mm, long_edge_px=row.max_edge_px)

    @field("For which products, as far as the viewer may know of them.", size=5)
    async def products(self, info: strawberry.Info[Context]) -> list[Product]:
        found = await asyncio.gather(*(fetch(info.context, "Product", number) for number in self.row.products))
        return [each for each in found if each is not None]

    @field(
        "How much it allows, by unit; nothing is counted where there is none.",
        size=5,
        mapped=Many("GrantCap", grants.CAPS, LicenseGrantRow.id, stamped=False),
    )
    async def caps(self, info: strawberry.Info[Context]) -> list[GrantCap]:
        return [GrantCap.of(row) for row in await info.context.load(grants.caps_of, self.row.id) or []]

    @field("What its use owes.", size=5, mapped=Many("GrantDuty", grants.DUTIES, LicenseGrantRow.id))
    async def duties(self, info: strawberry.Info[Context]) -> list[GrantDuty]:
        return [GrantDuty.of(row) for row in await info.context.load(grants.duties_of, self.row.id) or []]


@strawberry.input(description="How much a grant allows.")
class GrantCapInput:
    unit: CapUnit = strawberry.field(description="What is counted.")
    limit: BigInt = strawberry.field(description="How many at most.")
    per: CapPer = strawberry.field(default=CapPer.TOTAL, description="How often it begins anew.")


@strawberry.input(description="What whoever uses a grant owes.")
class GrantDutyInput:
    kind: DutyKind = strawberry.field(description="What is owed.")
    parameter: str | None = strawberry.field(
        default=None, description="The credit line, an address, or who has to say yes."
    )
    actions: list[UsageAction] | None = strawberry.field(
        default=None, description="What owes it; everything the grant is for if not said."
    )


@strawberry.input(description="The largest size that is allowed, by each measure alone.")
class SizeLimitInput:
    page_share: int | None = strawberry.field(default=None, description="Of the page, in hundredths of a per cent.")
    long_edge_mm: int | None = strawberry.field(default=None, description="Of the longer edge, in millimetres.")
    long_edge_px: int | None = strawberry.field(default=None, description="Of the longer edge, in pixels.")


@strawberry.input(description="One conjunction. What is not said is left open, but for actions, channels, territories.")
class LicenseGrantInput:
    effect: Effect = strawberry.field(default=Effect.PERMIT, description="Whether it allows or forbids.")
    actions: list[GrantAction] = strawberry.field(description="What may be done, or may not.")
    channels: list[str] = strawberry.field(description=_CHANNELS)
    territories: list[str] = strawberry.field(description=_TERRITORIES)
    territories_except: list[str] | None = strawberry.field(default=None, description="What of these it is not for.")
    starts_on: date | None = strawberry.field(default=None, description="The licence's first day if not said.")
    ends_on: date | None = strawberry.field(default=None, description="The licence's last day if not said.")
    purposes: list[UsagePurpose] | None = strawberry.field(default=None, description="What it may be used for.")
    audiences: list[str] | None = strawberry.field(default=None, description="To whom it may be shown.")
    industries: list[str] | None = strawberry.field(default=None, description="Of which trades.")
    products: list[strawberry.ID] | None = strawberry.field(default=None, description="For which products alone.")
    languages: list[str] | None = strawberry.field(default=None, description="In which languages.")
    placements: list[str] | None = strawberry.field(default=None, description="Where on the page or in the film.")
    alterations: list[Alteration] | None = strawberry.field(
        default=None, description="The only ones allowed, or those forbidden."
    )
    max_size: SizeLimitInput | None = strawberry.field(default=None, description="The largest size; any if not said.")
    caps: list[GrantCapInput] | None = strawberry.field(default=None, description="At most one of a unit and period.")
    duties: list[GrantDutyInput] | None = strawberry.field(default=None, description="What its use owes.")


def read(given: list[LicenseGrantInput]) -> list[Grant]:
    """As the domain says them; nothing is checked yet but that ids of products are some."""
    return [_grant(each, ("grants", str(number), "products")) for number, each in enumerate(given)]


def _grant(given: LicenseGrantInput, products: tuple[str, ...]) -> Grant:
    size = given.max_size
    return Grant(
        id=0,
        effect=given.effect,
        actions=tuple(each.value for each in given.actions),
        channels=tuple(given.channels),
        territories=tuple(given.territories),
        territories_except=tuple(given.territories_except or ()),
        starts_on=given.starts_on,
        ends_on=given.ends_on,
        purposes=tuple(given.purposes or ()),
        audiences=tuple(given.audiences or ()),
        industries=tuple(given.industries or ()),
        products=tuple(number_of("Product", each, products) for each in given.products or ()),
        languages=tuple(given.languages or ()),
        placements=tuple(given.placements or ()),
        alterations=tuple(given.alterations or ()),
        max_size=None if size is None else Size(size.page_share, size.long_edge_mm, size.long_edge_px),
        caps=tuple(Cap(0, each.unit, each.limit, each.per) for each in given.caps or ()),
        duties=tuple(_duty(each) for each in given.duties or ()),
    )


def _duty(given: GrantDutyInput) -> Duty:
    actions: Any = given.actions or ()
    return Duty(0, codes.DutyKind(given.kind), given.parameter, tuple(actions))


KINDS["LicenseGrant"] = Kind(grants.by_id, LicenseGrant.of)
TABLES["LicenseGrant"] = Table(grants.seen, LicenseGrantRow.id, sight=owning.sight)
