"""Licences over GraphQL, and lists of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Annotated

import strawberry

from domain import money, pages
from domain.global_ids import encode, number_of
from domain.licensing import grants, licenses, owning, seats, templates
from domain.licensing.codes import LicenseKind, LicenseStatus
from domain.permissions import Permission
from domain.refusals import NotFound
from schema.connections import Connection
from schema.context import Context
from schema.fields import Subject, field
from schema.licensing.grants import LicenseGrant
from schema.licensing.parties import Party
from schema.money import Money
from schema.node import KINDS, Kind, Node, fetch
from schema.paging import After, Before, First, Last
from schema.scalars import Instant, Url
from storage.tables import LicenseRow

if TYPE_CHECKING:
    from schema.assets import Asset
    from schema.organisations import Organisation

_OrganisationType = Annotated["Organisation", strawberry.lazy("schema.organisations")]


@strawberry.type(description="What somebody allowed us to do with pictures. Active, it is superseded, never changed.")
class License(Node):
    row: strawberry.Private[LicenseRow]
    number: str = strawberry.field(description="What people call it by; unique in its organisation.")
    title: str
    kind: LicenseKind = strawberry.field(description="What sort of licence it is.")
    code: str | None = strawberry.field(description="Of a public licence, such as `CC-BY-SA-4.0`.")
    status: LicenseStatus = strawberry.field(description="How far it is.")
    starts_on: date = strawberry.field(description="Its first day, in its zone.")
    ends_on: date | None = strawberry.field(description="Its last day, in its zone; null: for ever.")
    zone: str = strawberry.field(description="The time zone of its days (IANA).")
    seats: int | None = strawberry.field(description="How many organisations may use it; null: as many as like.")
    sublicensable: bool = strawberry.field(description="Whether it may be passed on.")
    supplier_item_id: str | None = strawberry.field(description="What the supplier calls the picture.")
    order_ref: str | None = strawberry.field(description="The order by which it came.")
    transaction_date: date | None = strawberry.field(description="When it was bought.")
    terms_url: Url | None = strawberry.field(description="Where its text stands.")
    plus_license_id: str | None = strawberry.field(description="In the registry of the PLUS Coalition.")
    free_text: list[str] = strawberry.field(description="Constraints in words that nobody turned into grants yet.")
    groups_as_of: date | None = strawberry.field(
        description="By which day's members its groups of territories are read; null: by those of its first day."
    )
    created_at: Instant
    activated_at: Instant | None = strawberry.field(description="When it began to count; null: it never has.")
    updated_at: Instant
    revision: int

    @classmethod
    def of(cls, row: LicenseRow) -> License:
        return cls(
            row=row,
            id=strawberry.ID(encode("License", row.id)),
            number=row.number,
            title=row.title,
            kind=LicenseKind(row.kind),
            code=row.code,
            status=LicenseStatus(row.status),
            starts_on=row.starts_on,
            ends_on=row.ends_on,
            zone=row.zone,
            seats=row.seats,
            sublicensable=row.sublicensable,
            supplier_item_id=row.supplier_item_id,
            order_ref=row.order_ref,
            transaction_date=row.transaction_date,
            terms_url=None if row.terms_url is None else Url(row.terms_url),
            plus_license_id=row.plus_license_id,
            free_text=list(row.free_text),
            groups_as_of=row.groups_as_of,
            created_at=row.created_at,
            activated_at=row.activated_at,
            updated_at=row.updated_at,
            revision=row.revision,
        )

    def subject(self) -> Subject:
        return Subject(owning.may, self.row.org_id)

    @field("Whose it is to keep; null where the viewer may not know of it.")
    async def organisation(self, info: strawberry.Info[Context]) -> _OrganisationType | None:
        found: Organisation | None = await fetch(info.context, "Organisation", self.row.org_id)
        return found

    @field("Who gave it.")
    async def licensor(self, info: strawberry.Info[Context]) -> Party | None:
        number = self.row.licensor_id
        found: Party | None = None if number is None else await fetch(info.context, "Party", number)
        return found

    @field("To whom it was given; null: to everybody, or where the viewer may not know of it.")
    async def licensee(self, info: strawberry.Info[Context]) -> _OrganisationType | None:
        number = self.row.licensee_org_id
        found: Organisation | None = None if number is None else await fetch(info.context, "Organisation", number)
        return found

    @field("Organisations beside the licensee that may use it, as far as the viewer may know of them.", size=10)
    async def end_users(self, info: strawberry.Info[Context]) -> list[_OrganisationType]:
        return await _organisations(info, self.row.end_user_org_ids)

    @field("Who holds its seats, as far as the viewer may know of them.", size=10)
    async def seated(self, info: strawberry.Info[Context]) -> list[_OrganisationType]:
        taken = await info.context.load(seats.of_licenses, self.row.id) or []
        return await _organisations(info, [seat.org_id for seat in taken])

    @field("What it cost.", needs=Permission.FIELD_MONEY)
    def fee(self) -> Money | None:
        return Money.of(money.kept(self.row.fee_minor, self.row.fee_currency))

    @field("The asset that holds its text; null where the viewer may not see it.")
    async def document(
        self, info: strawberry.Info[Context]
    ) -> Annotated[Asset, strawberry.lazy("schema.assets")] | None:
        number = self.row.document_asset_id
        found: Asset | None = None if number is None else await fetch(info.context, "Asset", number)
        return found

    @field("What it allows and forbids, in the order in which it was written.", size=10)
    async def grants(self, info: strawberry.Info[Context]) -> list[LicenseGrant]:
        return [LicenseGrant.of(row) for row in await info.context.load(grants.of_licenses, self.row.id) or []]

    @field("The licence whose place it took.")
    async def supersedes(self, info: strawberry.Info[Context]) -> License | None:
        number = self.row.supersedes_id
        found: License | None = None if number is None else await fetch(info.context, "License", number)
        return found

    @field("The licence that took its place.")
    async def superseded_by(self, info: strawberry.Info[Context]) -> License | None:
        row = await info.context.load(licenses.successors, self.row.id)
        return None if row is None else License.of(row)


@strawberry.type(description="What a licence of a kind usually grants.")
class LicenseTemplate:
    code: str = strawberry.field(description="What `licenseCreate` calls it.")
    kind: LicenseKind = strawberry.field(description="The kind of licence it makes.")
    public: bool = strawberry.field(description="Whether everybody is its licensee.")
    terms_url: Url | None = strawberry.field(description="Where its text stands.")


@strawberry.type
class LicenseQueries:
    @field("One licence; null where there is none or the viewer may not know of it.")
    async def license(self, info: strawberry.Info[Context], id: strawberry.ID) -> License | None:
        try:
            number = number_of("License", id, ("id",))
        except NotFound:
            return None
        found: License | None = await fetch(info.context, "License", number)
        return found

    @field("Licences of every organisation where the viewer holds LICENSE_VIEW, newest first.")
    def licenses(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        statuses: list[LicenseStatus] | None = None,
        kinds: list[LicenseKind] | None = None,
    ) -> Connection[License]:
        work, these, those = info.context.work, tuple(statuses or ()), tuple(kinds or ())
        scope = pages.scope_of("licenses", these, those)
        wanted = pages.paging(work, scope, first=first, after=after, last=last, before=before)
        return Connection(
            slice=licenses.page(work, wanted, these, those),
            speak=License.of,
            count=lambda asked: licenses.count(asked.context.work, these, those),
        )

    @field("Licences that are active or suspended and whose last day lies before that day, the earliest first.")
    def expiring_licenses(
        self,
        info: strawberry.Info[Context],
        before_day: date,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[License]:
        work = info.context.work
        scope = pages.scope_of("expiring licenses", before_day)
        wanted = pages.paging(work, scope, first=first, after=after, last=last, before=before)
        return Connection(
            slice=licenses.expiring(work, wanted, before_day),
            speak=License.of,
            count=lambda asked: licenses.count_expiring(asked.context.work, before_day),
        )

    @field("What licences of each kind usually grant, to begin one with.")
    def license_templates(self) -> list[LicenseTemplate]:
        return [
            LicenseTemplate(
                code=each.code,
                kind=each.kind,
                public=each.public,
                terms_url=None if each.terms_url is None else Url(each.terms_url),
            )
            for each in templates.TEMPLATES.values()
        ]


async def _organisations(info: strawberry.Info[Context], ids: Iterable[int]) -> list[Organisation]:
    """All of them read at once."""
    found = await asyncio.gather(*(fetch(info.context, "Organisation", number) for number in ids))
    return [each for each in found if each is not None]


KINDS["License"] = Kind(licenses.by_id, License.of)
