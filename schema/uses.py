"""What is said of an asset that may go: its place in the trash, and what uses it."""

from __future__ import annotations

import strawberry

from domain.global_ids import encode
from domain.uses import Use
from schema.context import Context
from schema.fields import field
from schema.node import Node, fetch
from schema.scalars import Instant
from storage.tables import AssetTrashRow


@strawberry.type(description="An asset's place in the trash.")
class AssetTrash:
    trashed_at: Instant = strawberry.field(description="When it was thrown away.")
    purge_after: Instant = strawberry.field(
        description="Until then it can be brought back; then its bytes go for good, unless a legal hold keeps them."
    )
    purged_at: Instant | None = strawberry.field(description="When its bytes went; nothing brings them back.")

    @classmethod
    def of(cls, row: AssetTrashRow) -> AssetTrash:
        return cls(trashed_at=row.trashed_at, purge_after=row.purge_after, purged_at=row.purged_at)


@strawberry.type(description="Something that uses an asset.")
class AssetUse:
    use: strawberry.Private[Use]
    kind: str = strawberry.field(
        description="How: LIGHTBOX, SHARE, RELATION, FIELD, USAGE, RENDITION, or a word of a later feature."
    )
    node_id: strawberry.ID = strawberry.field(description="The id of what uses it.")
    blocks: bool = strawberry.field(description="Whether throwing the asset away is asked again for it.")

    @classmethod
    def of(cls, use: Use) -> AssetUse:
        return cls(use=use, kind=use.kind, node_id=strawberry.ID(encode(use.type, use.id)), blocks=use.blocks)

    @field("What uses it; null where it went meanwhile.")
    async def node(self, info: strawberry.Info[Context]) -> Node | None:
        found: Node | None = await fetch(info.context, self.use.type, self.use.id)
        return found
