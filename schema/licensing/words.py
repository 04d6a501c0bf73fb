"""The closed lists of licensing as enums; `schema/glossary/licensing.py` says what their words mean."""

from __future__ import annotations

from enum import Enum
from typing import Any

import strawberry

from domain.licensing import codes, parties

for _kept, _name, _told in (
    (parties.Kind, "PartyKind", "Whether a party is a person."),
    (codes.LicenseKind, "LicenseKind", "What sort of licence it is, and so what it usually grants."),
    (codes.LicenseStatus, "LicenseStatus", "How far a licence is. That one is over is seen from its last day."),
    (codes.Effect, "GrantEffect", "Whether a grant allows or forbids. What forbids wins."),
    (codes.Action, "UsageAction", "What is done with a picture."),
    (codes.Purpose, "UsagePurpose", "What it is used for."),
    (codes.Alteration, "Alteration", "What is done to the picture itself, as PLUS says it."),
    (codes.CapUnit, "CapUnit", "What a cap counts."),
    (codes.CapPer, "CapPeriod", "How often a cap begins anew."),
    (codes.DutyKind, "DutyKind", "What a use owes."),
    (codes.ReleaseKind, "ReleaseKind", "Who or what a release is about."),
    (codes.ReleaseStatus, "ReleaseStatus", "What a release says, as PLUS says it."),
    (codes.MinorAge, "MinorAge", "The age of the youngest in the picture, as PLUS says it."),
    (codes.Coverage, "RightsCoverage", "How much of the picture a licence is for."),
    (codes.TakedownStatus, "TakedownStatus", "How far a takedown is. Until it is lifted nothing leaves."),
    (codes.ExclusivityDirection, "ExclusivityDirection", "Who gave it to whom."),
    (codes.Dimension, "RightsDimension", "What of a use a reason or a constraint is about."),
):
    strawberry.enum(_kept, name=_name, description=_told)

#: Mypy cannot read an enum whose members are computed: the actions, and one word for all of them.
_computed: Any = Enum
GrantAction: Any = strawberry.enum(
    _computed("GrantAction", {codes.ANY: codes.ANY, **{each.name: each.value for each in codes.Action}}),
    description="What a grant is for.",
)
