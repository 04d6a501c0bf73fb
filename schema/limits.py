"""What a request costs and what its token may still spend, for clients that pace themselves."""

from __future__ import annotations

import strawberry

from schema.context import Context
from schema.fields import field
from schema.scalars import Instant


@strawberry.type(description="What this request costs, and what the token it came with may still spend.")
class RateLimit:
    cost: int = strawberry.field(description="What this request costs, as it is known before it runs.")
    limit: int | None = strawberry.field(
        description="What may be spent at once; it comes back evenly within a minute. Null where nothing limits it."
    )
    remaining: int | None = strawberry.field(
        description="What may be spent now, after this request. Null where nothing limits it."
    )
    reset_at: Instant | None = strawberry.field(
        description="When all of it may be spent again, if nothing more is asked. Null where nothing limits it."
    )


@strawberry.type
class LimitQueries:
    @field("What this request costs, and what is left to spend.", weight=0)
    def rate_limit(self, info: strawberry.Info[Context]) -> RateLimit:
        left = info.context.allowance
        return RateLimit(
            cost=info.context.cost,
            limit=None if left is None else left.limit,
            remaining=None if left is None else left.remaining,
            reset_at=None if left is None else left.reset_at,
        )
