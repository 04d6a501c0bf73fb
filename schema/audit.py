"""The audit over GraphQL: what was done and delivered, by whom and why, and whether the telling is whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Annotated, Any

import strawberry

from domain import audit, pages
from domain.audit import Fault
from domain.global_ids import decode, encode, number_of
from domain.permissions import Permission
from domain.refusals import Invalid, NotFound
from domain.texts import paragraphs
from schema.connections import Connection, Pages, below
from schema.context import Context
from schema.fields import Subject, field
from schema.filters import DateTimeFilter
from schema.mutating import plain
from schema.node import Node, fetch
from schema.paging import After, Before, First, Last
from schema.scalars import BigInt, Instant, Json, Sha256
from storage.tables import EventRow

#: Characters in which a request may say why it is made.
MAX_REASON = 500

#: Somebody who acts is known by another type than events name.
_ACTORS = {"PERSON": "Person", "SERVICE": "ServiceAccount"}
_TYPE_PREFIX = re.compile(r"[a-z_.]{1,60}")

strawberry.enum(
    Fault,
    name="AuditFault",
    description="ALTERED: an event is not what was recorded. MISSING: it is gone. HEAD: the end is not the sealed one.",
)


@strawberry.type(description="Something that was done or delivered. It never changes.")
class AuditEvent:
    row: strawberry.Private[EventRow]
    seq: BigInt | None = strawberry.field(
        description="Its place in its organisation's chain, from 1 without gaps; null in the moment before it has one."
    )
    type: str = strawberry.field(description="What happened, such as `asset.updated` or `delivery.served`.")
    occurred_at: Instant
    request_id: str | None = strawberry.field(description="The request that did it, as its log line names it.")
    origin: str | None = strawberry.field(
        description="Where the request came from: the same address always reads the same, and is not told."
    )
    hash: Sha256 | None = strawberry.field(
        description="SHA-256 over the hash of the event before and this event as RFC 8785 JSON."
    )
    organisation_id: strawberry.ID = strawberry.field(description="In whose chain it stands.")

    @classmethod
    def of(cls, row: EventRow) -> AuditEvent:
        return cls(
            row=row,
            seq=None if row.chain_seq is None else BigInt(row.chain_seq),
            type=row.type,
            occurred_at=row.occurred_at,
            request_id=row.request_id,
            origin=row.origin,
            hash=None if row.hash is None else Sha256(row.hash),
            organisation_id=strawberry.ID(encode("Organisation", row.org_id)),
        )

    def subject(self) -> Subject:
        return Subject(audit.may_of, self.row.org_id)

    @field("Ids, digests and words of ours that belong to the type, without assets that the viewer may not know of.")
    async def payload(self, info: strawberry.Info[Context]) -> Json:
        return Json(await info.context.load(audit.payloads, self.row) or {})

    @field("Why, in somebody's own words; null also where it was erased.", needs=Permission.FIELD_NOTES)
    def reason(self) -> str | None:
        return self.row.reason

    @field("The id of what it happened to.")
    async def subject_id(self, info: strawberry.Info[Context]) -> strawberry.ID:
        if self.row.subject_type != "Principal":
            return strawberry.ID(encode(self.row.subject_type, self.row.subject_id))
        found = await _actor_id(info, self.row.subject_id)
        assert found is not None
        return found

    @strawberry.field(name="subject", description="What it happened to; null where the viewer may not see it.")  # type: ignore[untyped-decorator]  # `schema.fields` types it, but knows no other name
    async def what(self, info: strawberry.Info[Context]) -> Node | None:
        if self.row.subject_type == "Principal":
            return await _actor(info, self.row.subject_id)
        found: Node | None = await fetch(info.context, self.row.subject_type, self.row.subject_id)
        return found

    @field("The id of who did it; null when the hub itself did.")
    async def actor_id(self, info: strawberry.Info[Context]) -> strawberry.ID | None:
        return await _actor_id(info, self.row.actor_id)

    @field("Who did it; null when the hub itself did, and where the viewer may not know of them.")
    async def actor(self, info: strawberry.Info[Context]) -> Node | None:
        return await _actor(info, self.row.actor_id)

    @field("The id of the person for whom it was done: whoever made the guest's link.")
    async def on_behalf_of_id(self, info: strawberry.Info[Context]) -> strawberry.ID | None:
        return await _actor_id(info, self.row.on_behalf_of_id)

    @field("For whom it was done; null where the viewer may not know of them.")
    async def on_behalf_of(self, info: strawberry.Info[Context]) -> Node | None:
        return await _actor(info, self.row.on_behalf_of_id)


@strawberry.input(description="Which events; everything given must hold.")
class AuditEventWhere:
    subject: strawberry.ID | None = strawberry.field(default=None, description="What they happened to.")
    actor: strawberry.ID | None = strawberry.field(default=None, description="Who did them.")
    organisation: strawberry.ID | None = strawberry.field(default=None, description="In whose chain they stand.")
    type_starts_with: str | None = strawberry.field(
        default=None, description="`asset.` for everything that happens to assets."
    )
    occurred_at: DateTimeFilter | None = None


@strawberry.type(description="The first place where a chain is not whole.")
class AuditBreak:
    seq: BigInt
    fault: Fault
    message: str = strawberry.field(description="A whole sentence for people.")


@strawberry.type(description="What the verification of a chain found.")
class AuditVerification:
    organisation_id: strawberry.ID
    from_: BigInt = strawberry.field(name="from", description="The first event that was to be looked at.")
    to: BigInt = strawberry.field(description="The last one.")
    end: BigInt = strawberry.field(description="The last event of the chain; only up to it is its seal proven, too.")
    checked: BigInt = strawberry.field(description="How many were found good, one after the other.")
    waiting: BigInt = strawberry.field(description="How many happened but are not in the chain yet.")
    is_whole: bool
    first_break: AuditBreak | None


@strawberry.type
class AuditQueries:
    @field("What was done and delivered where the viewer may see it, newest first. Needs `audit.view`.")
    def audit_events(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        where: AuditEventWhere | None = None,
    ) -> Connection[AuditEvent]:
        work, asked = info.context.work, _asked(where)
        scope = pages.scope_of("auditEvents", plain(where))
        wanted = pages.paging(work, scope, first=first, after=after, last=last, before=before)
        return Connection(
            slice=audit.page(work, asked, wanted),
            speak=AuditEvent.of,
            count=lambda later: audit.count(later.context.work, asked),
        )

    @field(
        "Whether the events of an organisation (the viewer's own if not said) are still what was recorded, from one "
        "place in its chain to another, both included. Needs `audit.view` there.",
        weight=2_000,
    )
    def audit_verify(
        self,
        info: strawberry.Info[Context],
        organisation: strawberry.ID | None = None,
        from_: Annotated[
            BigInt | None, strawberry.argument(name="from", description="From the first if not said.")
        ] = None,
        to: Annotated[BigInt | None, strawberry.argument(description="To the end if not said.")] = None,
    ) -> AuditVerification:
        org_id = None if organisation is None else number_of("Organisation", organisation, ("organisation",))
        found = audit.verify(info.context.work, org_id, from_, to)
        broken = found.broken
        return AuditVerification(
            organisation_id=strawberry.ID(encode("Organisation", found.org_id)),
            from_=BigInt(found.first),
            to=BigInt(found.last),
            end=BigInt(found.end),
            checked=BigInt(found.checked),
            waiting=BigInt(found.waiting),
            is_whole=broken is None,
            first_break=None
            if broken is None
            else AuditBreak(seq=BigInt(broken.chain_seq), fault=broken.fault, message=broken.sentence),
        )


async def history(
    info: strawberry.Info[Context],
    type_: str,
    number: int,
    *,
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
) -> Connection[AuditEvent]:
    """What happened to one thing, newest first, read together with the like pages of its siblings.

    For fields of other types; refused to whoever holds AUDIT_VIEW nowhere.
    """
    page = {"first": first, "after": after, "last": last, "before": before}
    name = f"{type_}.history"
    read, counted = _histories(type_), _counts(type_)
    return await below(info, number, name, read, counted, AuditEvent.of, **page)  # type: ignore[arg-type]  # four kinds


def reason_of(extensions: Mapping[str, Any] | None) -> str | None:
    """Why a request is made, as its `extensions.reason` says; all but a text of up to 500 characters is refused."""
    told = (extensions or {}).get("reason")
    if told is not None and not isinstance(told, str):
        raise Invalid("`extensions.reason` is a text.", ("extensions", "reason"))
    return paragraphs(told, MAX_REASON, ("extensions", "reason"))


@cache
def _histories(type_: str) -> Pages:
    """One function per type, however often it is asked for: what is due at once is read by the same function."""
    return partial(audit.histories, type_=type_)


@cache
def _counts(type_: str) -> Callable[..., Mapping[int, int]]:
    return partial(audit.counts, type_=type_)


def _asked(where: AuditEventWhere | None) -> audit.Asked:
    if where is None:
        return audit.Asked()
    prefix, when = where.type_starts_with, where.occurred_at
    if prefix is not None and not _TYPE_PREFIX.fullmatch(prefix):
        raise Invalid("A type is words in small letters and dots.", ("where", "typeStartsWith"), "format")
    return audit.Asked(
        subject=None if where.subject is None else _subject(where.subject),
        actor_id=None if where.actor is None else _acting(where.actor),
        type_prefix=prefix,
        since=None if when is None else when.from_,
        until=None if when is None else when.to,
        org_id=None
        if where.organisation is None
        else number_of("Organisation", where.organisation, ("where", "organisation")),
    )


def _subject(global_id: str) -> tuple[str, int]:
    try:
        type_, number = decode(global_id)
    except NotFound:
        raise NotFound("There is nothing with this id.", ("where", "subject")) from None
    return ("Principal" if type_ in _ACTORS.values() else type_), number


def _acting(global_id: str) -> int:
    type_, number = _subject(global_id)
    if type_ != "Principal":
        raise NotFound("There is nobody with this id.", ("where", "actor"))
    return number


async def _actor_id(info: strawberry.Info[Context], number: int | None) -> strawberry.ID | None:
    if number is None:
        return None
    kind = await info.context.load(audit.kinds_of, number)
    return strawberry.ID(encode(_ACTORS[kind or "SERVICE"], number))


async def _actor(info: strawberry.Info[Context], number: int | None) -> Node | None:
    if number is None:
        return None
    kind = await info.context.load(audit.kinds_of, number)
    found: Node | None = await fetch(info.context, _ACTORS[kind or "SERVICE"], number)
    return found
