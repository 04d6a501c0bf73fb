"""A use that is not licensed, as a typed error that says everything about it."""

from __future__ import annotations

import strawberry

from domain.global_ids import encode
from domain.licensing import policy
from domain.usage.refusing import RightsDenied
from schema import errors
from schema.errors import MutationError
from schema.fields import field
from schema.licensing.deciding import RightsDecision


@strawberry.type(description="The use is not licensed as it was asked for.")
class RightsDeniedError(MutationError):
    denied: strawberry.Private[RightsDenied]

    @field("The whole decision: why not, and what would pass instead.", weight=20)
    def decision(self) -> RightsDecision:
        told = self.denied
        number = policy.number(told.version_id, told.request, told.decision)
        return RightsDecision.of(told.decision, encode("RightsCheck", number))


errors.TYPES[RightsDenied] = (RightsDeniedError, lambda refusal: {"denied": refusal})
