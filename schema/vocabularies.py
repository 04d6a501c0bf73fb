"""Vocabularies over GraphQL."""

from __future__ import annotations

import strawberry

from domain import locales, vocabularies
from domain.global_ids import encode, number_of
from domain.vocabularies import Term, TermChanges
from domain.work import Work
from schema.context import Context
from schema.errors import MutationError
from schema.fields import field, mutation
from schema.localised import LocalisedText, LocalisedTextInput, Wished, whole_texts_of, wishes
from schema.mutating import Answer, run
from schema.node import KINDS, Kind, Node
from schema.scalars import Instant
from storage.tables import VocabularyRow, VocabularyTermRow


@strawberry.type(description="A word to choose.")
class VocabularyTerm:
    row: strawberry.Private[VocabularyTermRow]
    key: str = strawberry.field(description="What programs know it by; it never changes.")
    archived: bool = strawberry.field(description="Whether it is chosen no more; where it was, it stays.")

    @classmethod
    def of(cls, row: VocabularyTermRow) -> VocabularyTerm:
        return cls(row=row, key=row.key, archived=row.archived_at is not None)

    @field("What people read, in the language that fits best.")
    def label(self, info: strawberry.Info[Context], locale: Wished = None) -> str:
        return label_of(self.row, wishes(info, locale))

    @field("What people read, in every language.")
    def labels(self) -> list[LocalisedText]:
        return LocalisedText.all_of(self.row.labels)


@strawberry.type(description="Words to choose from.")
class Vocabulary(Node):
    row: strawberry.Private[VocabularyRow]
    name: str
    revision: int
    updated_at: Instant

    @classmethod
    def of(cls, row: VocabularyRow) -> Vocabulary:
        return cls(
            row=row,
            id=strawberry.ID(encode("Vocabulary", row.id)),
            name=row.name,
            revision=row.revision,
            updated_at=row.updated_at,
        )

    @field(
        "Its words in their order, at most 500; to whoever changes no assets, those that are chosen where they look.",
        size=100,
    )
    async def terms(self, info: strawberry.Info[Context], archived: bool = False) -> list[VocabularyTerm]:
        rows = await info.context.load(vocabularies.terms_of, self.row.id) or []
        return [VocabularyTerm.of(row) for row in rows if archived or row.archived_at is None]


@strawberry.input(description="A word by its key, and what people read.")
class VocabularyTermInput:
    key: str = strawberry.field(description="a to z, 0 to 9, - and _; at most 64, and never given anew.")
    labels: list[LocalisedTextInput] = strawberry.field(description="What people read: at least one language.")


@strawberry.input(description="Words to choose from.")
class VocabularyCreateInput:
    name: str
    terms: list[VocabularyTermInput] | None = strawberry.field(
        default=None, description="Its words in their order, at most 500."
    )
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="Changes to a vocabulary; what is left out stays.")
class VocabularyUpdateInput:
    vocabulary: strawberry.ID
    expected_revision: int
    name: str | None = None
    add: list[VocabularyTermInput] | None = strawberry.field(
        default=None, description="Words that come after those there are."
    )
    relabel: list[VocabularyTermInput] | None = strawberry.field(
        default=None, description="What people are to read of these; their other labels go."
    )
    archive: list[str] | None = strawberry.field(default=None, description="Keys of words to be chosen no more.")
    restore: list[str] | None = strawberry.field(default=None, description="Keys of words to be chosen again.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`vocabulary` is null exactly when `errors` is not empty.")
class VocabularyPayload:
    vocabulary: Vocabulary | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type
class VocabularyQueries:
    @field("Vocabularies by name, at most 100.", size=50)
    def vocabularies(self, info: strawberry.Info[Context]) -> list[Vocabulary]:
        return [Vocabulary.of(row) for row in vocabularies.known(info.context.work)]


@strawberry.type
class VocabularyMutations:
    @mutation("Makes a vocabulary.")
    def vocabulary_create(self, info: strawberry.Info[Context], input: VocabularyCreateInput) -> VocabularyPayload:
        def act(work: Work) -> Answer:
            return _vocabulary(vocabularies.create(work, input.name, _terms(input.terms, "terms")))

        return run(info, input, VocabularyPayload, act)

    @mutation("Adds words to a vocabulary, calls some otherwise, and takes some out of choice or back into it.")
    def vocabulary_update(self, info: strawberry.Info[Context], input: VocabularyUpdateInput) -> VocabularyPayload:
        def act(work: Work) -> Answer:
            number = number_of("Vocabulary", input.vocabulary, ("vocabulary",))
            changes = TermChanges(
                name=input.name,
                add=_terms(input.add, "add"),
                relabel=_terms(input.relabel, "relabel"),
                archive=input.archive or (),
                restore=input.restore or (),
            )
            return _vocabulary(vocabularies.update(work, number, input.expected_revision, changes))

        return run(info, input, VocabularyPayload, act)


def label_of(row: VocabularyTermRow, wanted: tuple[str, ...]) -> str:
    found = locales.chosen(row.labels, wanted)
    return row.key if found is None else found[1]


def _terms(given: list[VocabularyTermInput] | None, place: str) -> list[Term]:
    return [Term(each.key, whole_texts_of(each.labels, place)) for each in given or ()]


def _vocabulary(row: VocabularyRow) -> Answer:
    return {"vocabulary": ("Vocabulary", row.id)}


KINDS["Vocabulary"] = Kind(vocabularies.by_id, Vocabulary.of)
