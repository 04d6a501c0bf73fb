"""Tags over GraphQL."""

from __future__ import annotations

import strawberry

from domain import pages, taxonomy
from domain.global_ids import encode, number_of
from domain.work import Work
from schema.context import Context
from schema.errors import MutationError
from schema.fields import field, mutation
from schema.mapped import GlobalId, column
from schema.mutating import Answer, run
from schema.node import KINDS, Kind, Node
from schema.paging import After, Before, First, Last, PageInfo, cursors, page_info, total
from storage.tables import TagRow


@strawberry.type(description="A word that assets are found by.")
class Tag(Node):
    row: strawberry.Private[TagRow]
    id: strawberry.ID = column(GlobalId("Tag", TagRow.id))
    name: str = column(TagRow.name)
    revision: int = column(TagRow.revision)

    @classmethod
    def of(cls, row: TagRow) -> Tag:
        return cls(row=row, id=strawberry.ID(encode("Tag", row.id)), name=row.name, revision=row.revision)

    @field("Other spellings that mean this tag.")
    async def synonyms(self, info: strawberry.Info[Context]) -> list[str]:
        return await info.context.load(taxonomy.synonyms_of, self.row.id) or []

    @field("The tag one level up.")
    async def parent(self, info: strawberry.Info[Context]) -> Tag | None:
        if self.row.parent_id is None:
            return None
        found = await info.context.load(taxonomy.by_id, self.row.parent_id)
        return None if found is None else Tag.of(found)

    @field("The tags one level down, by name.")
    async def children(self, info: strawberry.Info[Context]) -> list[Tag]:
        return [Tag.of(row) for row in await info.context.load(taxonomy.children, self.row.id) or []]

    @field("How many assets carry this very tag, archived ones too.")
    async def asset_count(self, info: strawberry.Info[Context]) -> int:
        return await info.context.load(taxonomy.asset_counts, self.row.id) or 0


@strawberry.type
class TagEdge:
    node: Tag
    cursor: str


@strawberry.type(description="A page of tags.")
class TagConnection:
    slice: strawberry.Private[pages.Slice[TagRow]]
    starting_with: strawberry.Private[str | None]
    top_only: strawberry.Private[bool]

    @strawberry.field
    def edges(self, info: strawberry.Info[Context]) -> list[TagEdge]:
        marks = cursors(info.context.work, self.slice)
        return [TagEdge(node=Tag.of(row), cursor=mark) for row, mark in zip(self.slice.rows, marks, strict=True)]

    @strawberry.field
    def nodes(self) -> list[Tag]:
        return [Tag.of(row) for row in self.slice.rows]

    @strawberry.field
    def page_info(self, info: strawberry.Info[Context]) -> PageInfo:
        return page_info(info.context.work, self.slice)

    @total
    def total_count(self, info: strawberry.Info[Context]) -> int:
        return taxonomy.count(info.context.work, starting_with=self.starting_with, top_only=self.top_only)


@strawberry.input(description="A new tag.")
class TagCreateInput:
    name: str
    parent: strawberry.ID | None = None
    synonyms: list[str] | None = None
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="Changes to a tag; what is left out stays, and `parent: null` moves it to the top.")
class TagUpdateInput:
    tag: strawberry.ID
    expected_revision: int
    name: str | None = None
    parent: strawberry.ID | None = strawberry.UNSET
    synonyms: list[str] | None = None
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="Tags to merge: `from` disappear into `into`.")
class TagMergeInput:
    into: strawberry.ID
    from_: list[strawberry.ID] = strawberry.field(name="from")
    expected_revision: int = strawberry.field(description="The revision of `into`.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`tag` is null exactly when `errors` is not empty.")
class TagPayload:
    tag: Tag | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type
class TaxonomyQueries:
    @field("Tags by name; `startingWith` looks at synonyms as well.")
    def tags(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        starting_with: str | None = None,
        top_only: bool = False,
    ) -> TagConnection:
        work = info.context.work
        scope = pages.scope_of("tags", starting_with, top_only)
        wanted = pages.paging(work, scope, first=first, after=after, last=last, before=before)
        found = taxonomy.page(work, wanted, starting_with=starting_with, top_only=top_only)
        return TagConnection(slice=found, starting_with=starting_with, top_only=top_only)


@strawberry.type
class TaxonomyMutations:
    @mutation("Makes a tag.")
    def tag_create(self, info: strawberry.Info[Context], input: TagCreateInput) -> TagPayload:
        def act(work: Work) -> Answer:
            parent = None if input.parent is None else number_of("Tag", input.parent, ("parent",))
            return _tag(taxonomy.create(work, input.name, parent, input.synonyms or ()))

        return run(info, input, TagPayload, act)

    @mutation("Renames, moves or respells a tag.")
    def tag_update(self, info: strawberry.Info[Context], input: TagUpdateInput) -> TagPayload:
        def act(work: Work) -> Answer:
            parent = input.parent if input.parent is not strawberry.UNSET else None
            row = taxonomy.update(
                work,
                number_of("Tag", input.tag, ("tag",)),
                input.expected_revision,
                name=input.name,
                parent_id=None if parent is None else number_of("Tag", parent, ("parent",)),
                to_top=input.parent is None,
                synonyms=input.synonyms,
            )
            return _tag(row)

        return run(info, input, TagPayload, act)

    @mutation("Merges tags: their assets, spellings and children move; their ids go on working.")
    def tag_merge(self, info: strawberry.Info[Context], input: TagMergeInput) -> TagPayload:
        def act(work: Work) -> Answer:
            losers = [number_of("Tag", each, ("from",)) for each in input.from_]
            into = number_of("Tag", input.into, ("into",))
            return _tag(taxonomy.merge(work, into, losers, input.expected_revision))

        return run(info, input, TagPayload, act)


def _tag(row: TagRow) -> Answer:
    return {"tag": ("Tag", row.id)}


KINDS["Tag"] = Kind(taxonomy.by_id, Tag.of)
