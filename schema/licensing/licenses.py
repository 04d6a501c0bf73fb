"""Licences over GraphQL, and lists of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Annotated

import strawberry

from domain import assets, money, organisations, pages
from domain.global_ids import encode, number_of
from domain.licensing import grants as grant_rows
from domain.licensing import licenses, owning, parties, templates
from domain.licensing import seats as seats_of_licenses
from domain.licensing.codes import LicenseKind, LicenseStatus
from domain.permissions import Permission
from domain.refusals import NotFound
from domain.work import Work
from schema.connections import Asked, Connection, listed, page_of
from schema.context import Context
from schema.fields import Subject, field
from schema.licensing.grants import LicenseGrant
from schema.licensing.parties import Party
from schema.mapped import TABLES, ById, GlobalId, Many, One, Table, column
from schema.money import Money, kept
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
    id: strawberry.ID = column(GlobalId("License", LicenseRow.id))
    number: str = column(LicenseRow.number, "What people call it by; unique in its organisation.")
    title: str = column(LicenseRow.title)
    kind: LicenseKind = column(LicenseRow.kind, "What sort of licence it is.")
    code: str | None = column(LicenseRow.code, "Of a public licence, such as `CC-BY-SA-4.0`.")
    status: LicenseStatus = column(LicenseRow.status, "How far it is.")
    starts_on: date = column(LicenseRow.starts_on, "Its first day, in its zone.")
    ends_on: date | None = column(LicenseRow.ends_on, "Its last day, in its zone; null: for ever.")
    zone: str = column(LicenseRow.zone, "The time zone of its days (IANA).")
    seats: int | None = column(LicenseRow.seats, "How many organisations may use it; null: as many as like.")
    sublicensable: bool = column(LicenseRow.sublicensable, "Whether it may be passed on.")
    supplier_item_id: str | None = column(LicenseRow.supplier_item_id, "What the supplier calls the picture.")
    order_ref: str | None = column(LicenseRow.order_ref, "The order by which it came.")
    transaction_date: date | None = column(LicenseRow.transaction_date, "When it was bought.")
    terms_url: Url | None = column(LicenseRow.terms_url, "Where its text stands.")
    plus_license_id: str | None = column(LicenseRow.plus_license_id, "In the registry of the PLUS Coalition.")
    free_text: list[str] = column(LicenseRow.free_text, "Constraints in words that nobody turned into grants yet.")
    groups_as_of: date | None = column(
        LicenseRow.groups_as_of,
        "By which day's members its groups of territories are read; null: by those of its first day.",
    )
    created_at: Instant = column(LicenseRow.created_at)
    activated_at: Instant | None = column(LicenseRow.activated_at, "When it began to count; null: it never has.")
    updated_at: Instant = column(LicenseRow.updated_at)
    revision: int = column(LicenseRow.revision)

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

    @field(
        "Whose it is to keep; null where the viewer may not know of it.",
        mapped=One("Organisation", organisations.seen, LicenseRow.org_id, stamped=False),
    )
    async def organisation(self, info: strawberry.Info[Context]) -> _OrganisationType | None:
        found: Organisation | None = await fetch(info.context, "Organisation", self.row.org_id)
        return found

    @field("Who gave it.", mapped=One("Party", parties.seen, LicenseRow.licensor_id, own=True, stamped=False))
    async def licensor(self, info: strawberry.Info[Context]) -> Party | None:
        number = self.row.licensor_id
        found: Party | None = None if number is None else await fetch(info.context, "Party", number)
        return found

    @field(
        "To whom it was given; null: to everybody, or where the viewer may not know of it.",
        mapped=One("Organisation", organisations.seen, LicenseRow.licensee_org_id, stamped=False),
    )
    async def licensee(self, info: strawberry.Info[Context]) -> _OrganisationType | None:
        number = self.row.licensee_org_id
        found: Organisation | None = None if number is None else await fetch(info.context, "Organisation", number)
        return found

    @field("Organisations beside the licensee that may use it, as far as the viewer may know of them.", size=10)
    async def end_users(self, info: strawberry.Info[Context]) -> list[_OrganisationType]:
        return await _organisations(info, self.row.end_user_org_ids)

    @field(
        "Who holds its seats, as far as the viewer may know of them.",
        size=10,
        mapped=Many("Organisation", seats_of_licenses.seated, LicenseRow.id, stamped=False),
    )
    async def seated(self, info: strawberry.Info[Context]) -> list[_OrganisationType]:
        taken = await info.context.load(seats_of_licenses.of_licenses, self.row.id) or []
        return await _organisations(info, [seat.org_id for seat in taken])

    @field("What it cost.", needs=Permission.FIELD_MONEY, mapped=kept(LicenseRow.fee_minor, LicenseRow.fee_currency))
    def fee(self) -> Money | None:
        return Money.of(money.kept(self.row.fee_minor, self.row.fee_currency))

    @field(
        "The asset that holds its text; null where the viewer may not see it.",
        mapped=One("Asset", assets.seen, LicenseRow.document_asset_id, own=True, stamped=False),
    )
    async def document(
        self, info: strawberry.Info[Context]
    ) -> Annotated[Asset, strawberry.lazy("schema.assets")] | None:
        number = self.row.document_asset_id
        found: Asset | None = None if number is None else await fetch(info.context, "Asset", number)
        return found

    @field(
        "What it allows and forbids, in the order in which it was written.",
        size=10,
        mapped=Many("LicenseGrant", grant_rows.OF_LICENSES, LicenseRow.id),
    )
    async def grants(self, info: strawberry.Info[Context]) -> list[LicenseGrant]:
        return [LicenseGrant.of(row) for row in await info.context.load(grant_rows.of_licenses, self.row.id) or []]

    @field(
        "The licence whose place it took.",
        mapped=One("License", licenses.seen, LicenseRow.supersedes_id, own=True, stamped=False),
    )
    async def supersedes(self, info: strawberry.Info[Context]) -> License | None:
        number = self.row.supersedes_id
        found: License | None = None if number is None else await fetch(info.context, "License", number)
        return found

    @field(
        "The licence that took its place.",
        mapped=One("License", licenses.succeeding, LicenseRow.id, own=True, stamped=False),
    )
    async def superseded_by(self, info: strawberry.Info[Context]) -> License | None:
        row = await info.context.load(licenses.successors, self.row.id)
        return None if row is None else License.of(row)


def _licenses(work: Work, statuses: list[LicenseStatus] | None = None, kinds: list[LicenseKind] | None = None) -> Asked:
    these, those = tuple(statuses or ()), tuple(kinds or ())
    return Asked(pages.scope_of("licenses", these, those), lambda: licenses.listed(work, these, those))


def _expiring(work: Work, before_day: date) -> Asked:
    return Asked(pages.scope_of("expiring licenses", before_day), lambda: licenses.expiring(work, before_day))


@strawberry.type(description="What a licence of a kind usually grants.")
class LicenseTemplate:
    code: str = strawberry.field(description="What `licenseCreate` calls it.")
    kind: LicenseKind = strawberry.field(description="The kind of licence it makes.")
    public: bool = strawberry.field(description="Whether everybody is its licensee.")
    terms_url: Url | None = strawberry.field(description="Where its text stands.")


@strawberry.type
class LicenseQueries:
    @field("One licence; null where there is none or the viewer may not know of it.", mapped=ById("License"))
    async def license(self, info: strawberry.Info[Context], id: strawberry.ID) -> License | None:
        try:
            number = number_of("License", id, ("id",))
        except NotFound:
            return None
        found: License | None = await fetch(info.context, "License", number)
        return found

    @field(
        "Licences of every organisation where the viewer holds LICENSE_VIEW, newest first.",
        mapped=listed("License", _licenses),
    )
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
        asked = _licenses(info.context.work, statuses, kinds)
        return page_of(info, asked, License.of, first=first, after=after, last=last, before=before)

    @field(
        "Licences that are active or suspended and whose last day lies before that day, the earliest first.",
        mapped=listed("License", _expiring),
    )
    def expiring_licenses(
        self,
        info: strawberry.Info[Context],
        before_day: date,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[License]:
        asked = _expiring(info.context.work, before_day)
        return page_of(info, asked, License.of, first=first, after=after, last=last, before=before)

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
TABLES["License"] = Table(licenses.seen, LicenseRow.id, owning.held(LicenseRow.org_id), sight=owning.sight)
