"""Trusted documents over GraphQL: registered by whoever builds a client; `server/documents.py` runs them by digest."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry
from graphql import GraphQLError, GraphQLSchema, OperationDefinitionNode

from domain import documents, pages
from domain.documents import Wanted
from domain.global_ids import encode, number_of
from domain.refusals import Invalid, Refusal
from domain.work import Work
from schema import bounds, errors, reading
from schema.connections import Connection
from schema.context import Context
from schema.errors import MutationError
from schema.fields import field, mutation
from schema.mutating import Answer, run
from schema.node import KINDS, Kind, Node, fetch
from schema.paging import After, Before, First, Last
from schema.scalars import Instant, Sha256
from storage.tables import TrustedDocumentRow

#: What a client that may run nothing but registered documents registers them with: it is always known.
REGISTER = """mutation documentsRegister($documents: [TrustedDocumentInput!]!) {
  documentsRegister(input: {documents: $documents}) {
    documents { id }
    errors { code message path }
  }
}
"""
#: Registered by being part of the program.
BUILT_IN = {documents.digest_of(REGISTER): REGISTER}


@strawberry.type(description="A GraphQL document that was registered, and runs when it is asked for by its digest.")
class TrustedDocument(Node):
    row: strawberry.Private[TrustedDocumentRow]
    document_id: str = strawberry.field(description="What it is asked for by: `sha256:` and its digest.")
    sha256: Sha256 = strawberry.field(description="The digest of its text in UTF-8.")
    body: str = strawberry.field(description="Its text.")
    name: str
    created_at: Instant
    retires_at: Instant | None = strawberry.field(
        description="From when on it does not run any more, which may be over; null for never."
    )

    @classmethod
    def of(cls, row: TrustedDocumentRow) -> TrustedDocument:
        return cls(
            row=row,
            id=strawberry.ID(encode("TrustedDocument", row.id)),
            document_id=documents.PREFIX + row.sha256,
            sha256=Sha256(row.sha256),
            body=row.body,
            name=row.name,
            created_at=row.created_at,
            retires_at=row.retires_at,
        )

    @field("Whether it does not run any more.")
    def is_retired(self, info: strawberry.Info[Context]) -> bool:
        return documents.is_retired(info.context.work, self.row)

    @field("Who registered it; null where that was done on the machine itself, or the viewer may not know of them.")
    async def created_by(self, info: strawberry.Info[Context]) -> Node | None:
        number = self.row.created_by
        if number is None:
            return None
        found: Node | None = await fetch(info.context, "Person", number)
        return found or await fetch(info.context, "ServiceAccount", number)


@strawberry.input(description="A document as its client will ask for it.")
class TrustedDocumentInput:
    id: str = strawberry.field(
        description="The SHA-256 of the text in UTF-8, as 64 hexadecimal digits, with `sha256:` before them or without."
    )
    body: str = strawberry.field(description="The text, character for character; at most 100 KiB.")
    name: str | None = strawberry.field(
        default=None, description="What people call it; if not said, what its operations are called."
    )


@strawberry.input(description="Documents to trust from now on: all of them, or none where one is refused.")
class DocumentsRegisterInput:
    documents: list[TrustedDocumentInput] = strawberry.field(description="1 to 500.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="Documents that are not to run any more.")
class DocumentsRetireInput:
    documents: list[strawberry.ID] = strawberry.field(description="1 to 500.")
    at: Instant | None = strawberry.field(default=None, description="From when on; at once if not said.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`documents` is null exactly when `errors` is not empty.")
class DocumentsPayload:
    documents: list[TrustedDocument] | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type
class DocumentQueries:
    @field("Trusted documents, newest first. Needs the permission `document.register`.")
    def documents(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        retired: bool | None = None,
    ) -> Connection[TrustedDocument]:
        work = info.context.work
        scope = pages.scope_of("documents", retired)
        wanted = pages.paging(work, scope, first=first, after=after, last=last, before=before)
        return Connection(
            slice=documents.page(work, wanted, retired=retired),
            speak=TrustedDocument.of,
            count=lambda asked: documents.count(asked.context.work, retired=retired),
        )


@strawberry.type
class DocumentMutations:
    @mutation(
        "Registers documents, each of which must be valid and within the limits of any request; those that were "
        "registered before stay or come back. `errors` tells of each that is refused."
    )
    def documents_register(self, info: strawberry.Info[Context], input: DocumentsRegisterInput) -> DocumentsPayload:
        wanted, faults = _read(info, input.documents)
        told: list[Refusal] = []

        def act(work: Work) -> Answer:
            documents.require(work)
            told.extend(faults)
            if faults:
                raise faults[0]
            documents.register(work, wanted)
            return {}

        payload = run(info, input, DocumentsPayload, act)
        if told:
            payload.errors = [errors.typed(each) for each in told]
        if not payload.errors:
            known = documents.of_digests(info.context.work, {each.sha256 for each in wanted})
            payload.documents = [TrustedDocument.of(known[each.sha256]) for each in wanted]
        return payload

    @mutation("Retires documents: from a moment on they do not run any more, until they are registered again.")
    def documents_retire(self, info: strawberry.Info[Context], input: DocumentsRetireInput) -> DocumentsPayload:
        def act(work: Work) -> Answer:
            documents.retire(work, _numbers(input.documents), _moment(input.at))
            return {}

        payload = run(info, input, DocumentsPayload, act)
        if not payload.errors:
            numbers = _numbers(input.documents)
            rows = documents.by_id(info.context.work, numbers)
            payload.documents = [TrustedDocument.of(rows[each]) for each in numbers if each in rows]
        return payload


def _read(info: strawberry.Info[Context], given: list[TrustedDocumentInput]) -> tuple[list[Wanted], list[Refusal]]:
    """The documents, and what is wrong with them: at most one fault of each.

    Nothing is read for who may not register anyway, nor more than is taken at once. Outside the unit of work that
    writes: other writers would wait for it.
    """
    if not documents.may_register(info.context.work) or len(given) > documents.MAX_AT_ONCE:
        return [Wanted(each.id, each.body, each.name or "") for each in given], []
    wanted: list[Wanted] = []
    faults: list[Refusal] = []
    for place, each in enumerate(given):
        path = ("documents", str(place))
        sha256 = documents.digest_named(each.id)
        fault = documents.fault_in(Wanted(sha256, each.body, each.name or ""), path)
        name = each.name
        if fault is None:
            name, fault = _checked(_schema(info), each, path)
        if fault is not None:
            faults.append(fault)
        wanted.append(Wanted(sha256, each.body, name or ""))
    return wanted, faults


def _checked(
    schema: GraphQLSchema, given: TrustedDocumentInput, path: tuple[str, ...]
) -> tuple[str | None, Invalid | None]:
    """What the document is called, and why it could never run."""
    try:
        document = reading.parsed(given.body, bounds.TOKENS.most)
        bounds.check_document(document)
        faults = reading.faults(schema, document, 1)
    except GraphQLError as error:
        faults = [error]
    except RecursionError:
        faults = [bounds.DEPTH.refusal]
    if faults:
        return given.name, Invalid(_sentence(faults[0]), (*path, "body"), "document")
    names = [
        each.name.value for each in document.definitions if isinstance(each, OperationDefinitionNode) and each.name
    ]
    return given.name or ", ".join(names)[: documents.MAX_NAME], None


def _sentence(fault: GraphQLError) -> str:
    where = f" (line {fault.locations[0].line}, column {fault.locations[0].column})" if fault.locations else ""
    return f"This document could not run: {fault.message.rstrip('.')}{where}."


def _schema(info: strawberry.Info[Context]) -> GraphQLSchema:
    return info.schema._schema  # noqa: SLF001  # Strawberry shows no other


def _moment(given: Any) -> datetime | None:
    return given if isinstance(given, datetime) else None


def _numbers(given: list[strawberry.ID]) -> list[int]:
    if not 1 <= len(given) <= documents.MAX_AT_ONCE:
        sentence = f"Name 1 to {documents.MAX_AT_ONCE} documents at a time."
        raise Invalid(sentence, ("documents",), "length")
    return list(dict.fromkeys(number_of("TrustedDocument", each, ("documents",)) for each in given))


KINDS["TrustedDocument"] = Kind(documents.by_id, TrustedDocument.of)
