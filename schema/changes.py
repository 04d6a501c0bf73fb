"""The change feed over GraphQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import strawberry
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
)

from domain import changes
from domain.changes import ChangeType, Reason
from domain.global_ids import encode
from domain.hub import Hub
from schema.context import Context
from schema.fields import field
from schema.node import Node, speak
from schema.paging import After, First, PageInfo
from schema.scalars import Instant
from schema.subjects import Subject

strawberry.enum(
    ChangeType,
    name="ChangeType",
    description="What became of a thing for the viewer. CREATED: it is there and was not; UPDATED: it is there and is "
    "different; REMOVED: it is there no more.",
)
strawberry.enum(
    Reason,
    name="ChangeReason",
    description="Why a thing that the viewer was shown is there no more; NO_LONGER_VISIBLE: what the viewer may see "
    "has changed otherwise. WITHDRAWN, RECALLED and EXPIRED are told of assets that are still there, while nothing "
    "leaves of them that did: of several the one that came last.",
)


@strawberry.type(
    description="Something that became different for the viewer: as it is now, for a thing is told once however often "
    "it changed.",
)
class Change:
    change: strawberry.Private[changes.Change]
    cursor: str = strawberry.field(description="To go on behind this change.")

    @field("What became of it.")
    def type(self) -> ChangeType:
        return self.change.type

    @field("What sort of thing it is.")
    def subject(self) -> Subject:
        return Subject(self.change.subject)

    @field("The id of the thing; also of one that is there no more.")
    def node_id(self) -> strawberry.ID:
        return strawberry.ID(encode(changes.SUBJECTS[self.change.subject].type, self.change.id))

    @field("The thing as it is now; null for REMOVED.")
    def node(self) -> Node | None:
        if self.change.row is None:
            return None
        found: Node = speak(changes.SUBJECTS[self.change.subject].type, self.change.row)
        return found

    @field(
        "Why it is there no more; always set for REMOVED. Of an asset that is there: what keeps its approved version, "
        "else its current one, from leaving now. Its words are still shown, its bytes are refused: take them down. "
        "Null once it may leave again, and where nothing took it from delivery."
    )
    def reason(self) -> Reason | None:
        return self.change.reason

    @field("When what is told here last happened.")
    def occurred_at(self) -> Instant:
        return self.change.occurred_at


@strawberry.type
class ChangeEdge:
    node: Change
    cursor: str


@strawberry.type(
    description="A page of changes. It may be short, or empty, and still not be the last: `hasNextPage` tells. Keep "
    "`endCursor`, which is always there, and go on from it later.",
)
class ChangeConnection:
    page: strawberry.Private[changes.Page]
    continued: strawberry.Private[bool]

    @field(
        "What the viewer may see has changed too much to be told one by one: forget everything that was read and go "
        "on from `endCursor`, which begins anew; or take a new export and go on from its cursor."
    )
    def resync(self) -> bool:
        return self.page.resync

    @strawberry.field
    def edges(self) -> list[ChangeEdge]:
        return [ChangeEdge(node=each, cursor=each.cursor) for each in self._spoken()]

    @strawberry.field
    def nodes(self) -> list[Change]:
        return self._spoken()

    @strawberry.field
    def page_info(self) -> PageInfo:
        return PageInfo(
            has_next_page=self.page.has_next,
            has_previous_page=self.continued,
            start_cursor=self.page.start,
            end_cursor=self.page.end,
        )

    def _spoken(self) -> list[Change]:
        return [Change(change=change, cursor=cursor) for change, cursor in self.page.changes]


def before_reading(hub: Hub, document: DocumentNode, operation: OperationDefinitionNode) -> Callable[[], None]:
    """What is to be done before a query's snapshot is taken: where it asks for changes, beside whatever else, the feed
    tells of all that was answered before.
    """
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    asks = operation.operation is OperationType.QUERY and "changes" in _roots(operation.selection_set, fragments)
    return partial(changes.settle, hub) if asks else lambda: None


def _roots(selections: SelectionSetNode, fragments: dict[str, FragmentDefinitionNode]) -> Iterator[str]:
    """Names of the fields that are selected, also in fragments, each of which is looked through once."""
    for each in selections.selections:
        if isinstance(each, FieldNode):
            yield each.name.value
        elif isinstance(each, InlineFragmentNode):
            yield from _roots(each.selection_set, fragments)
        elif isinstance(each, FragmentSpreadNode) and (spread := fragments.pop(each.name.value, None)) is not None:
            yield from _roots(spread.selection_set, fragments)


@strawberry.type
class ChangeQueries:
    @field(
        "Everything that became different for the viewer behind a cursor, in an order without gaps; without one, "
        "everything from the beginning. Archived things count as gone. A cursor works for whoever it was given to, and "
        "never expires."
    )
    def changes(
        self,
        info: strawberry.Info[Context],
        after: After = None,
        first: First = None,
        types: list[ChangeType] | None = None,
        of: list[Subject] | None = None,
    ) -> ChangeConnection:
        wanted = None if of is None else [each.value for each in of]
        page = changes.page(info.context.work, after, first, types, wanted)
        return ChangeConnection(page=page, continued=after is not None)
