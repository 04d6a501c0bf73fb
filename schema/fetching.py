"""Upload sessions over GraphQL: many files at once, from uploads, addresses, a ZIP or a bucket."""

from __future__ import annotations

from enum import Enum
from typing import Any

import strawberry

from domain import fetching, pages
from domain.fetching import Brought, Terms
from domain.global_ids import encode, number_of
from domain.work import Work
from schema.assets import Asset
from schema.connections import Connection, below
from schema.context import Context
from schema.errors import MutationError
from schema.fields import field, mutation
from schema.hub import JobFailure
from schema.mutating import Answer, run
from schema.node import KINDS, Kind, Node, fetch
from schema.paging import After, Before, First, Last
from schema.scalars import BigInt, Instant, Sha256
from storage.tables import UploadItemRow, UploadSessionRow


@strawberry.enum(description="Where the files of a session come from.")
class UploadSource(Enum):
    UPLOADS = "UPLOADS"
    URLS = "URLS"
    ZIP = "ZIP"
    BUCKET = "BUCKET"


@strawberry.enum(description="How far a session is. OPEN takes uploads, RUNNING is a worker's; the others are over.")
class UploadSessionState(Enum):
    OPEN = "OPEN"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


@strawberry.enum(description="What became of a file.")
class UploadOutcome(Enum):
    WAITING = "WAITING"
    CREATED = "CREATED"
    DUPLICATE = "DUPLICATE"
    REFUSED = "REFUSED"


@strawberry.type(description="How the files of a session fared.")
class UploadCounts:
    waiting: int = strawberry.field(description="That wait.")
    created: int = strawberry.field(description="That became assets.")
    duplicates: int = strawberry.field(description="Whose bytes the hub held already.")
    refused: int = strawberry.field(description="That were not taken.")


@strawberry.type(description="One file of a session.")
class UploadItem:
    row: strawberry.Private[UploadItemRow]
    number: int = strawberry.field(description="Its place in the session, from 1.")
    name: str = strawberry.field(
        description="The file's name, its path in a ZIP, its key, its address without a query."
    )
    outcome: UploadOutcome
    byte_size: BigInt | None = strawberry.field(description="Of what was taken.")
    sha256: Sha256 | None = strawberry.field(description="Of what was taken.")
    reason: str | None = strawberry.field(description="Why it was refused: a stable word.")
    message: str | None = strawberry.field(description="Why it was refused: a whole sentence for people.")

    @classmethod
    def of(cls, row: UploadItemRow) -> UploadItem:
        return cls(
            row=row,
            number=row.number,
            name=row.name,
            outcome=UploadOutcome(row.state),
            byte_size=None if row.byte_size is None else BigInt(row.byte_size),
            sha256=None if row.sha256 is None else Sha256(row.sha256),
            reason=row.reason,
            message=row.sentence,
        )

    @field("The asset it became, or whose bytes it has; null where the viewer may not see that one.")
    async def asset(self, info: strawberry.Info[Context]) -> Asset | None:
        found: Asset | None = (
            None if self.row.asset_id is None else await fetch(info.context, "Asset", self.row.asset_id)
        )
        return found


@strawberry.type(description="Many files that come together, with an outcome for each. It is whose opened it alone.")
class UploadSession(Node):
    row: strawberry.Private[UploadSessionRow]
    name: str = strawberry.field(description="As whoever opened it called it.")
    source: UploadSource
    state: UploadSessionState
    created_at: Instant
    finished_at: Instant | None = strawberry.field(description="When it was over, good or bad.")
    failure: JobFailure | None = strawberry.field(description="What kept every further file out, if FAILED.")

    @classmethod
    def of(cls, row: UploadSessionRow) -> UploadSession:
        return cls(
            row=row,
            id=strawberry.ID(encode("UploadSession", row.id)),
            name=row.name,
            source=UploadSource(row.source),
            state=UploadSessionState(row.state),
            created_at=row.created_at,
            finished_at=row.finished_at,
            failure=JobFailure.of(row.failure_code, row.failure_message),
        )

    @field("How its files fared.")
    async def counts(self, info: strawberry.Info[Context]) -> UploadCounts:
        found = await info.context.load(fetching.counts, self.row.id) or fetching.Counts()
        return UploadCounts(
            waiting=found.waiting, created=found.created, duplicates=found.duplicates, refused=found.refused
        )

    @field("Its files in their order.")
    async def items(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[UploadItem]:
        read, counted, of = fetching.items_of, fetching.item_counts, UploadItem.of
        page = {"first": first, "after": after, "last": last, "before": before}
        return await below(info, self.row.id, "uploadSession.items", read, counted, of, **page)  # type: ignore[arg-type]


@strawberry.input(description="What all assets of a session are to have in common.")
class UploadTermsInput:
    name: str = strawberry.field(description="What to call the session.")
    description: str | None = strawberry.field(default=None, description="Of each asset; if not said, the file's own.")
    tags: list[str] | None = strawberry.field(default=None, description="By name; unknown ones are made.")
    organisation: strawberry.ID | None = strawberry.field(
        default=None, description="Whose the assets are to be; the viewer's own organisation's if not said."
    )
    brand: strawberry.ID | None = strawberry.field(
        default=None, description="A brand of that organisation or of one above it."
    )
    own_work: bool = strawberry.field(
        default=False, description="Whether each is declared the own work of whose it is to be."
    )


@strawberry.input(description="A session to be opened.")
class UploadSessionOpenInput:
    terms: UploadTermsInput
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="A finished upload.")
class UploadBroughtInput:
    upload: strawberry.ID = strawberry.field(description="The last part of the upload's address.")
    title: str | None = strawberry.field(default=None, description="If not said, the file's own, else its name.")


@strawberry.input(description="Finished uploads for an open session.")
class UploadSessionAddInput:
    session: strawberry.ID
    uploads: list[UploadBroughtInput] = strawberry.field(description="At most 100.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The session to close.")
class UploadSessionCloseInput:
    session: strawberry.ID
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The session to give up.")
class UploadSessionCancelInput:
    session: strawberry.ID
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="Addresses whose files are to be brought.")
class ImportFromUrlsInput:
    terms: UploadTermsInput
    addresses: list[str] = strawberry.field(description="At most 100, https: and public.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="A ZIP whose files are to be brought.")
class ImportFromZipInput:
    terms: UploadTermsInput
    upload: strawberry.ID = strawberry.field(description="The ZIP itself, a finished upload.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="A bucket whose files are to be brought.")
class ImportFromBucketInput:
    terms: UploadTermsInput
    bucket: str = strawberry.field(description="Its name in the hub's settings.")
    prefix: str = strawberry.field(default="", description="Only what has a key that begins so.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`session` is null exactly when `errors` is not empty.")
class UploadSessionPayload:
    session: UploadSession | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type
class FetchingQueries:
    @field("The viewer's own upload sessions, newest first.")
    def upload_sessions(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[UploadSession]:
        work = info.context.work
        scope = pages.scope_of("uploadSessions", work.viewer.principal_id)
        wanted = pages.paging(work, scope, first=first, after=after, last=last, before=before)
        return Connection(
            slice=fetching.page(work, wanted),
            speak=UploadSession.of,
            count=lambda asked: fetching.count(asked.context.work),
        )


@strawberry.type
class FetchingMutations:
    @mutation("Opens a session that takes many uploads.")
    def upload_session_open(
        self, info: strawberry.Info[Context], input: UploadSessionOpenInput
    ) -> UploadSessionPayload:
        return run(info, input, UploadSessionPayload, lambda work: _session(fetching.open_(work, _terms(input.terms))))

    @mutation("Makes assets of finished uploads, each with an outcome of its own.", weight=100)
    def upload_session_add(self, info: strawberry.Info[Context], input: UploadSessionAddInput) -> UploadSessionPayload:
        def act(work: Work) -> Answer:
            brought = [Brought(each.upload, each.title) for each in input.uploads]
            return _session(fetching.add(work, _number(input.session), brought))

        return run(info, input, UploadSessionPayload, act)

    @mutation("Closes a session: nothing more comes.")
    def upload_session_close(
        self, info: strawberry.Info[Context], input: UploadSessionCloseInput
    ) -> UploadSessionPayload:
        return run(
            info, input, UploadSessionPayload, lambda work: _session(fetching.close(work, _number(input.session)))
        )

    @mutation("Gives up what still waits in a session; what was brought stays.")
    def upload_session_cancel(
        self, info: strawberry.Info[Context], input: UploadSessionCancelInput
    ) -> UploadSessionPayload:
        return run(
            info, input, UploadSessionPayload, lambda work: _session(fetching.cancel(work, _number(input.session)))
        )

    @mutation("Has the files behind addresses brought.")
    def import_from_urls(self, info: strawberry.Info[Context], input: ImportFromUrlsInput) -> UploadSessionPayload:
        def act(work: Work) -> Answer:
            return _session(fetching.from_addresses(work, _terms(input.terms), input.addresses))

        return run(info, input, UploadSessionPayload, act)

    @mutation("Has the files in a ZIP brought; it is never unpacked anywhere.")
    def import_from_zip(self, info: strawberry.Info[Context], input: ImportFromZipInput) -> UploadSessionPayload:
        def act(work: Work) -> Answer:
            return _session(fetching.from_zip(work, _terms(input.terms), input.upload))

        return run(info, input, UploadSessionPayload, act)

    @mutation("Has the files in a bucket brought, of those that the operator named.")
    def import_from_bucket(self, info: strawberry.Info[Context], input: ImportFromBucketInput) -> UploadSessionPayload:
        def act(work: Work) -> Answer:
            return _session(fetching.from_bucket(work, _terms(input.terms), input.bucket, input.prefix))

        return run(info, input, UploadSessionPayload, act)


def _terms(wanted: UploadTermsInput) -> Terms:
    def number(type_: str, given: Any, path: str) -> int | None:
        return None if given is None else number_of(type_, given, ("terms", path))

    return Terms(
        name=wanted.name,
        description=wanted.description,
        tags=wanted.tags or (),
        org_id=number("Organisation", wanted.organisation, "organisation"),
        brand_id=number("Brand", wanted.brand, "brand"),
        is_own_work=wanted.own_work,
    )


def _number(session: strawberry.ID) -> int:
    return number_of("UploadSession", session, ("session",))


def _session(row: UploadSessionRow) -> Answer:
    return {"session": ("UploadSession", row.id)}


KINDS["UploadSession"] = Kind(fetching.by_id, UploadSession.of)
