"""Why a use is not reserved, and why nothing is delivered for it."""

from __future__ import annotations

from domain.licensing.terms import Decision, Request
from domain.refusals import Refusal


class Unlicensed(Refusal):
    """It is there, whoever asks could see it, and nothing licenses the use that its address was given out for."""

    code = "RIGHTS_DENIED"


class RightsDenied(Unlicensed):
    """The decision is whole: every reason, and what would pass instead."""

    def __init__(self, version_id: int, request: Request, decision: Decision) -> None:
        told = ", ".join(sorted({reason.code.value for reason in decision.reasons})) or decision.outcome.value
        super().__init__(f"This use is not licensed as it is asked for: {told}.", ("use",))
        self.version_id = version_id
        self.request = request
        self.decision = decision
