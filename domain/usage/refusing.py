"""Why a use is not reserved."""

from __future__ import annotations

from domain.licensing.terms import Decision, Request
from domain.refusals import Refusal


class RightsDenied(Refusal):
    """The decision is whole: every reason, and what would pass instead."""

    code = "RIGHTS_DENIED"

    def __init__(self, version_id: int, request: Request, decision: Decision) -> None:
        told = ", ".join(sorted({reason.code.value for reason in decision.reasons})) or decision.outcome.value
        super().__init__(f"This use is not licensed as it is asked for: {told}.", ("use",))
        self.version_id = version_id
        self.request = request
        self.decision = decision
