"""Releases over GraphQL. Whom one is about is personal data."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import strawberry

from domain import assets, pages
from domain.global_ids import encode, number_of
from domain.licensing import grants as grant_rows
from domain.licensing import owning, parties, releases
from domain.licensing.codes import MinorAge, ReleaseKind, ReleaseStatus
from domain.permissions import Permission
from domain.work import Work
from schema.connections import Asked, Connection, listed, page_of
from schema.context import Context
from schema.errors import MutationError
from schema.fields import Subject, field, mutation
from schema.licensing import grants
from schema.licensing.grants import LicenseGrant, LicenseGrantInput
from schema.licensing.parties import Party, organisation
from schema.mapped import TABLES, GlobalId, Many, One, Table, column
from schema.mutating import Answer, run
from schema.node import KINDS, Kind, Node, fetch
from schema.paging import After, Before, First, Last
from schema.scalars import Instant
from storage.tables import ReleaseRow

if TYPE_CHECKING:
    from schema.assets import Asset


@strawberry.type(description="What somebody in a picture, or whose thing is in it, allows.")
class Release(Node):
    row: strawberry.Private[ReleaseRow]
    id: strawberry.ID = column(GlobalId("Release", ReleaseRow.id))
    number: str = column(ReleaseRow.number, "What people call it by; unique in its organisation.")
    kind: ReleaseKind = column(ReleaseRow.kind, "Who or what it is about.")
    status: ReleaseStatus = column(ReleaseRow.status, "What it says; NON until it is signed.")
    minor_age: MinorAge | None = column(ReleaseRow.minor_age, "The age of the youngest in the picture, if it was said.")
    guardian: bool = column(ReleaseRow.guardian, "Whether whoever signed for a minor is known.")
    starts_on: date | None = column(ReleaseRow.starts_on, "Its first day, in its zone; null: since ever.")
    ends_on: date | None = column(ReleaseRow.ends_on, "Its last day, in its zone; null: for ever.")
    zone: str = column(ReleaseRow.zone, "The time zone of its days (IANA).")
    signed_on: date | None = column(ReleaseRow.signed_on, "When it was signed.")
    created_at: Instant = column(ReleaseRow.created_at)
    revoked_at: Instant | None = column(ReleaseRow.revoked_at)
    revision: int = column(ReleaseRow.revision)

    @classmethod
    def of(cls, row: ReleaseRow) -> Release:
        return cls(
            row=row,
            id=strawberry.ID(encode("Release", row.id)),
            number=row.number,
            kind=ReleaseKind(row.kind),
            status=ReleaseStatus(row.status),
            minor_age=None if row.minor_age is None else MinorAge(row.minor_age),
            guardian=row.guardian,
            starts_on=row.starts_on,
            ends_on=row.ends_on,
            zone=row.zone,
            signed_on=row.signed_on,
            created_at=row.created_at,
            revoked_at=row.revoked_at,
            revision=row.revision,
        )

    def subject(self) -> Subject:
        return Subject(owning.may, self.row.org_id)

    @field(
        "What it allows and forbids, where it is limited.",
        size=10,
        mapped=Many("LicenseGrant", grant_rows.OF_RELEASES, ReleaseRow.id),
    )
    async def grants(self, info: strawberry.Info[Context]) -> list[LicenseGrant]:
        return [LicenseGrant.of(row) for row in await info.context.load(grant_rows.of_releases, self.row.id) or []]

    @field(
        "Whom it is about, or whose thing.",
        needs=Permission.FIELD_PERSONAL,
        mapped=One("Party", parties.seen, ReleaseRow.subject_party_id, own=True, stamped=False),
    )
    async def about(self, info: strawberry.Info[Context]) -> Party | None:
        found: Party | None = await fetch(info.context, "Party", self.row.subject_party_id)
        return found

    @field(
        "The asset that holds what was signed, if the viewer sees it.",
        needs=Permission.FIELD_PERSONAL,
        mapped=One("Asset", assets.seen, ReleaseRow.signed_document_id, own=True, stamped=False),
    )
    async def signed_document(
        self, info: strawberry.Info[Context]
    ) -> Annotated[Asset, strawberry.lazy("schema.assets")] | None:
        number = self.row.signed_document_id
        found: Asset | None = None if number is None else await fetch(info.context, "Asset", number)
        return found


@strawberry.input(description="A new release.")
class ReleaseCreateInput:
    kind: ReleaseKind = strawberry.field(description="Who or what it is about.")
    about: strawberry.ID = strawberry.field(description="The party it is about, or whose thing.")
    status: ReleaseStatus = strawberry.field(
        default=ReleaseStatus.NON, description="NON while it waits to be signed; else it is signed, and stays as it is."
    )
    number: str | None = strawberry.field(
        default=None, description="The next of the year, such as REL-2026-0042, if not said."
    )
    grants: list[LicenseGrantInput] | None = strawberry.field(
        default=None, description="What a LIMITED one is limited to, and what any forbids."
    )
    organisation: strawberry.ID | None = strawberry.field(
        default=None, description="Whose it is to keep; the viewer's own if not said."
    )
    minor_age: MinorAge | None = strawberry.field(default=None, description="The age of the youngest in the picture.")
    guardian: bool | None = strawberry.field(default=None, description="Whether whoever signed for a minor is known.")
    starts_on: date | None = strawberry.field(default=None, description="Its first day; since ever if not said.")
    ends_on: date | None = strawberry.field(default=None, description="Its last day; for ever if not said.")
    zone: str | None = strawberry.field(default=None, description="The time zone of its days (IANA); UTC if not said.")
    groups_as_of: date | None = None
    signed_on: date | None = strawberry.field(default=None, description="When it was signed.")
    signed_document: strawberry.ID | None = strawberry.field(
        default=None, description="The asset that holds what was signed."
    )
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="A release that has come back signed.")
class ReleaseSignInput:
    release: strawberry.ID
    expected_revision: int
    status: ReleaseStatus = strawberry.field(description="What it says now: NAP, UNLIMITED or LIMITED.")
    minor_age: MinorAge | None = strawberry.field(default=None, description="The age of the youngest in the picture.")
    guardian: bool | None = strawberry.field(default=None, description="Whether whoever signed for a minor is known.")
    signed_on: date | None = strawberry.field(default=None, description="When it was signed.")
    signed_document: strawberry.ID | None = strawberry.field(
        default=None, description="The asset that holds what was signed."
    )
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The release that somebody took back.")
class ReleaseRevokeInput:
    release: strawberry.ID
    expected_revision: int
    reason: str = strawberry.field(description="Why; recorded.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`release` is null exactly when `errors` is not empty.")
class ReleasePayload:
    release: Release | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


def _releases(work: Work, kind: ReleaseKind | None = None) -> Asked:
    return Asked(pages.scope_of("releases", kind), lambda: releases.listed(work, kind))


@strawberry.type
class ReleaseQueries:
    @field(
        "Releases of every organisation where the viewer holds LICENSE_VIEW, newest first.",
        mapped=listed("Release", _releases),
    )
    def releases(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        kind: ReleaseKind | None = None,
    ) -> Connection[Release]:
        asked = _releases(info.context.work, kind)
        return page_of(info, asked, Release.of, first=first, after=after, last=last, before=before)


@strawberry.type
class ReleaseMutations:
    @mutation("Makes a release. Needs LICENSE_MANAGE.", weight=5)
    def release_create(self, info: strawberry.Info[Context], input: ReleaseCreateInput) -> ReleasePayload:
        def act(work: Work) -> Answer:
            subject = number_of("Party", input.about, ("about",))
            names = ("number", "status", "minor_age", "guardian", "starts_on", "ends_on", "zone", "groups_as_of")
            said = {name: getattr(input, name) for name in (*names, "signed_on")}
            said["signed_document_id"] = _document(input.signed_document)
            wanted = grants.read(input.grants or [])
            row = releases.create(work, input.kind, subject, said, wanted, organisation(input.organisation))
            return {"release": ("Release", row.id)}

        return run(info, input, ReleasePayload, act)

    @mutation("Says that a release has come back signed; from then on it stays as it is.")
    def release_sign(self, info: strawberry.Info[Context], input: ReleaseSignInput) -> ReleasePayload:
        def act(work: Work) -> Answer:
            said = {name: getattr(input, name) for name in ("minor_age", "guardian", "signed_on")}
            said["signed_document_id"] = _document(input.signed_document)
            row = releases.sign(work, _number(input.release), input.expected_revision, input.status, said)
            return {"release": ("Release", row.id)}

        return run(info, input, ReleasePayload, act)

    @mutation("Says that somebody took a release back: it allows nothing any more.")
    def release_revoke(self, info: strawberry.Info[Context], input: ReleaseRevokeInput) -> ReleasePayload:
        def act(work: Work) -> Answer:
            row = releases.revoke(work, _number(input.release), input.expected_revision, input.reason)
            return {"release": ("Release", row.id)}

        return run(info, input, ReleasePayload, act)


def _document(given: strawberry.ID | None) -> int | None:
    return None if given is None else number_of("Asset", given, ("signedDocument",))


def _number(release_id: strawberry.ID) -> int:
    return number_of("Release", release_id, ("release",))


KINDS["Release"] = Kind(releases.by_id, Release.of)
TABLES["Release"] = Table(releases.seen, ReleaseRow.id, owning.held(ReleaseRow.org_id), sight=owning.sight)
