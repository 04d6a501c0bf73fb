"""Decisions on rights over GraphQL: the outcome, why not, what is owed, and what would pass instead."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.global_ids import encode, number_of
from domain.licensing import answering, codes, duties, facts, policy, sentences
from domain.licensing.codes import CapUnit, Dimension, DutyKind
from domain.licensing.terms import Alternative, Basis, CapBalance, Decision, DueDuty, Reason, Request, Window
from domain.usage import decisions
from schema.context import Context
from schema.fields import field
from schema.licensing import asking, words
from schema.licensing.asking import RightsMatrixInput, RightsQueryInput
from schema.licensing.grants import LicenseGrant
from schema.licensing.licenses import License
from schema.licensing.releases import Release
from schema.node import KINDS, Kind, Node, fetch
from schema.scalars import BigInt, Instant, Locale, Sha256
from storage.tables import RightsDecisionRow

if TYPE_CHECKING:
    from schema.versions import AssetVersion

assert words  # the closed lists have to have names before they are spoken of here
for _listed, _name, _told in (
    (codes.Outcome, "RightsOutcome", "How a decision on rights ends."),
    (codes.Severity, "RightsSeverity", "What a reason alone makes of a decision."),
    (codes.ReasonCode, "RightsReasonCode", "Why a use does not pass."),
    (codes.Missing, "MissingFact", "What nobody has said."),
    (codes.AlternativeKind, "RightsAlternativeKind", "What is changed in what would pass."),
):
    strawberry.enum(_listed, name=_name, description=_told)

_VersionType = Annotated["AssetVersion", strawberry.lazy("schema.versions")]


@strawberry.type(description="Days, the first and the last included.")
class DateWindow:
    from_: date = strawberry.field(name="from", description="The first day.")
    to: date = strawberry.field(description="The last day.")

    @classmethod
    def of(cls, window: Window) -> DateWindow:
        return cls(from_=window.first, to=window.last)


@strawberry.type(description="One dimension in which a use fails, or one thing that forbids it.")
class RightsReason:
    reason: strawberry.Private[Reason]
    code: codes.ReasonCode
    severity: codes.Severity = strawberry.field(description="What it alone makes of the decision.")
    dimension: Dimension = strawberry.field(description="What of the use it is about.")
    territory: str | None = strawberry.field(description="Where; null: wherever it was asked for.")
    expected: str | None = strawberry.field(description="What would pass.")
    actual: str | None = strawberry.field(description="What was asked for, or stands.")

    @classmethod
    def of(cls, reason: Reason) -> RightsReason:
        return cls(
            reason=reason,
            code=reason.code,
            severity=reason.severity,
            dimension=reason.dimension,
            territory=reason.territory,
            expected=reason.expected,
            actual=reason.actual,
        )

    @field("A whole sentence, in English or German.")
    def message(self, info: strawberry.Info[Context], locale: Locale | None = None) -> str:
        return sentences.message(self.reason, _language(info, locale))

    @field("The licence that it is about; null where the viewer may not know of it.")
    async def license(self, info: strawberry.Info[Context]) -> License | None:
        return await _license(info, self.reason.license_id)

    @field("The grant that it is about; null where the viewer may not know of it.")
    async def grant(self, info: strawberry.Info[Context]) -> LicenseGrant | None:
        return await _grant(info, self.reason.grant_id)

    @field("The release that it is about; null where the viewer may not know of it.")
    async def release(self, info: strawberry.Info[Context]) -> Release | None:
        return await _release(info, self.reason.release_id)

    @field("The part of the picture that it is about; null where the viewer does not see it.")
    async def component(self, info: strawberry.Info[Context]) -> _VersionType | None:
        return await _version(info, self.reason.component)


@strawberry.type(description="What a use owes.")
class RightsDuty:
    duty: strawberry.Private[DueDuty]
    kind: DutyKind
    parameter: str | None = strawberry.field(description="As the licence says it.")

    @classmethod
    def of(cls, duty: DueDuty) -> RightsDuty:
        return cls(duty=duty, kind=duty.kind, parameter=duty.parameter)

    @field("A whole sentence, in English or German; a credit ends with its line.")
    async def text(self, info: strawberry.Info[Context], locale: Locale | None = None) -> str:
        subject, terms = await self._named(info)
        return duties.text(self.duty, subject, terms, _language(info, locale))

    @field("The line to print; null where it is no credit, or nobody is known.")
    async def credit_line(self, info: strawberry.Info[Context], locale: Locale | None = None) -> str | None:
        subject, terms = await self._named(info)
        return duties.credit_line(self.duty, subject, terms, _language(info, locale))

    @field("The licence that it comes from; null where the viewer may not know of it.")
    async def license(self, info: strawberry.Info[Context]) -> License | None:
        return await _license(info, self.duty.license_id)

    @field("The picture that it is owed for; null where the viewer does not see it.")
    async def version(self, info: strawberry.Info[Context]) -> _VersionType | None:
        return await _version(info, self.duty.version_id)

    async def _named(self, info: strawberry.Info[Context]) -> facts.Named:
        found = await info.context.load(facts.named, (self.duty.version_id, self.duty.license_id))
        assert found is not None, "versions and licences never go"
        return found


@strawberry.type(
    name="CapBalance", description="A cap that the use counts against, in its fullest period of the window."
)
class UseCapBalance:
    unit: CapUnit
    limit: BigInt = strawberry.field(description="How many there may be.")
    used: BigInt = strawberry.field(description="How many there were.")
    reserved: BigInt = strawberry.field(description="How many are promised.")
    remaining: BigInt = strawberry.field(description="How many are left.")
    after: BigInt | None = strawberry.field(description="How many would be left; null: nobody said how many it is.")

    @classmethod
    def of(cls, kept: CapBalance) -> UseCapBalance:
        return cls(
            unit=kept.unit,
            limit=BigInt(kept.limit),
            used=BigInt(kept.used),
            reserved=BigInt(kept.reserved),
            remaining=BigInt(kept.remaining),
            after=None if kept.after is None else BigInt(kept.after),
        )


@strawberry.type(description="The use as asked for, changed in one thing: so it would pass.")
class RightsAlternative:
    alternative: strawberry.Private[Alternative]
    kind: codes.AlternativeKind
    territories: list[str] = strawberry.field(description="Of TERRITORIES: where only.")
    unit: CapUnit | None = strawberry.field(description="Of QUANTITY: of what.")
    amount: BigInt | None = strawberry.field(description="Of QUANTITY: how many at most.")

    @classmethod
    def of(cls, kept: Alternative) -> RightsAlternative:
        quantity = kept.quantity
        return cls(
            alternative=kept,
            kind=kept.kind,
            territories=list(kept.territories),
            unit=None if quantity is None else quantity.unit,
            amount=None if quantity is None else BigInt(quantity.amount),
        )

    @field("Of WINDOW and TWO_USAGES: when instead.")
    def windows(self) -> list[DateWindow]:
        return [DateWindow.of(each) for each in self.alternative.windows]

    @field("Of OTHER_ASSET: the picture to use.")
    async def version(self, info: strawberry.Info[Context]) -> _VersionType | None:
        return await _version(info, self.alternative.version_id)

    @field("Of BUY_EXTENDED: the licence that does not reach; null where the viewer may not know of it.")
    async def license(self, info: strawberry.Info[Context]) -> License | None:
        return await _license(info, self.alternative.license_id)

    @field("A whole sentence, in English or German.")
    def message(self, info: strawberry.Info[Context], locale: Locale | None = None) -> str:
        return sentences.proposal(self.alternative, _language(info, locale))


@strawberry.type(description="Which grant carries which territories.")
class RightsBasis:
    basis: strawberry.Private[Basis]
    territories: list[str] = strawberry.field(description="Those that it carries.")

    @classmethod
    def of(cls, basis: Basis) -> RightsBasis:
        return cls(basis=basis, territories=list(basis.territories))

    @field("The licence; null where the viewer may not know of it.")
    async def license(self, info: strawberry.Info[Context]) -> License | None:
        return await _license(info, self.basis.license_id)

    @field("The grant; null where the viewer may not know of it, and of an unlimited release.")
    async def grant(self, info: strawberry.Info[Context]) -> LicenseGrant | None:
        return await _grant(info, self.basis.grant_id)

    @field("The release; null where the viewer may not know of it.")
    async def release(self, info: strawberry.Info[Context]) -> Release | None:
        return await _release(info, self.basis.release_id)

    @field("The picture, or the part of it, that is carried; null where the viewer does not see it.")
    async def version(self, info: strawberry.Info[Context]) -> _VersionType | None:
        return await _version(info, self.basis.version_id)


@strawberry.type(description="Whether a use is licensed, and everything that speaks for and against it.")
class RightsDecision(Node):
    decision: strawberry.Private[Decision]
    outcome: codes.Outcome
    allowed_territories: list[str] = strawberry.field(description="Where it passes, groups written out.")
    denied_territories: list[str] = strawberry.field(description="Where it does not.")
    missing: list[codes.Missing] = strawberry.field(description="What would have to be known.")
    policy_digest: Sha256 = strawberry.field(
        description="Of the rules it was decided by: the same rules, the same one."
    )
    epoch: int = strawberry.field(
        description="Of the asset's rights; it moves whenever they change. Of what was known then it is today's, too."
    )
    valid_until: Instant = strawberry.field(description="Until when it holds if nothing changes.")
    evaluated_at: Instant = strawberry.field(description="As of when it was decided.")

    @classmethod
    def of(cls, decision: Decision, id: str) -> RightsDecision:
        return cls(
            id=strawberry.ID(id),
            decision=decision,
            outcome=decision.outcome,
            allowed_territories=list(decision.allowed_territories),
            denied_territories=list(decision.denied_territories),
            missing=list(decision.missing),
            policy_digest=Sha256(decision.policy_digest),
            epoch=decision.epoch,
            valid_until=decision.valid_until,
            evaluated_at=decision.evaluated_at,
        )

    @field("The largest part of the window that would pass everywhere, the earliest of such; null: none would.")
    def allowed_window(self) -> DateWindow | None:
        window = self.decision.allowed_window
        return None if window is None else DateWindow.of(window)

    @field("Every dimension that fails, of every grant that might have carried it.", size=20)
    def reasons(self) -> list[RightsReason]:
        return [RightsReason.of(each) for each in self.decision.reasons]

    @field("What is owed where it passes.", size=5)
    def duties(self) -> list[RightsDuty]:
        return [RightsDuty.of(each) for each in self.decision.duties]

    @field("The caps that it counts against.", size=5)
    def remaining(self) -> list[UseCapBalance]:
        return [UseCapBalance.of(each) for each in self.decision.remaining]

    @field("What would pass instead.", size=5)
    def alternatives(self) -> list[RightsAlternative]:
        return [RightsAlternative.of(each) for each in self.decision.alternatives]

    @field("What carries it where it passes.", size=10)
    def basis(self) -> list[RightsBasis]:
        return [RightsBasis.of(each) for each in self.decision.basis]


@strawberry.type(description="One channel in one territory.")
class RightsCell:
    decision: strawberry.Private[Decision]
    channel: str
    territory: str
    outcome: codes.Outcome
    allowed_from: date | None = strawberry.field(description="First day of the largest part of the window that passes.")
    allowed_to: date | None = strawberry.field(description="The last day of that part.")

    @classmethod
    def of(cls, cell: answering.Cell) -> RightsCell:
        window = cell.decision.allowed_window
        return cls(
            decision=cell.decision,
            channel=cell.channel,
            territory=cell.territory,
            outcome=cell.decision.outcome,
            allowed_from=None if window is None else window.first,
            allowed_to=None if window is None else window.last,
        )

    @field("Why it does not pass, each once.", size=3)
    def reason_codes(self) -> list[codes.ReasonCode]:
        return list(dict.fromkeys(reason.code for reason in self.decision.reasons))


@strawberry.type(description="Where a version may be used: channels by territories.")
class RightsMatrix:
    cells: list[RightsCell] = strawberry.field(
        description="By channel, then by territory, in the order of their codes."
    )
    epoch: int = strawberry.field(description="Of the asset's rights; it moves whenever they change.")
    policy_digest: Sha256 = strawberry.field(description="Of the rules it was decided by.")
    valid_until: Instant = strawberry.field(description="Until when all of it holds if nothing changes.")


@strawberry.type
class DecidingQueries:
    @field("Whether a use is licensed. Asking changes nothing and is kept nowhere.", weight=20)
    def rights_decision(self, info: strawberry.Info[Context], input: RightsQueryInput) -> RightsDecision:
        work = info.context.work
        number = number_of("AssetVersion", input.version_id, ("versionId",))
        request = asking.request_of(work, input)
        decided = answering.decision(work, number, request, then=input.as_of)
        return RightsDecision.of(decided, _asked_id(number, request, decided))

    @field("Where a version may be used, at one glance: at most 400 cells.", weight=100)
    def rights_matrix(self, info: strawberry.Info[Context], input: RightsMatrixInput) -> RightsMatrix:
        work = info.context.work
        number = number_of("AssetVersion", input.version_id, ("versionId",))
        request = asking.matrix_of(work, input)
        cells = answering.matrix(work, number, request, input.channels, input.territories)
        first = cells[0].decision
        return RightsMatrix(
            cells=[RightsCell.of(each) for each in cells],
            epoch=first.epoch,
            policy_digest=Sha256(first.policy_digest),
            valid_until=min(each.decision.valid_until for each in cells),
        )


def _asked_id(version_id: int, request: Request, decided: Decision) -> str:
    """Equal questions under equal rules have equal ids; `node` finds only decisions that something relies on."""
    return encode("RightsCheck", policy.number(version_id, request, decided))


def _kept(row: RightsDecisionRow) -> RightsDecision:
    return RightsDecision.of(policy.decision_of(row.explanation), encode("RightsDecision", row.id))


async def _license(info: strawberry.Info[Context], number: int | None) -> License | None:
    found: License | None = None if number is None else await fetch(info.context, "License", number)
    return found


async def _grant(info: strawberry.Info[Context], number: int | None) -> LicenseGrant | None:
    found: LicenseGrant | None = None if number is None else await fetch(info.context, "LicenseGrant", number)
    return found


async def _release(info: strawberry.Info[Context], number: int | None) -> Release | None:
    found: Release | None = None if number is None else await fetch(info.context, "Release", number)
    return found


async def _version(info: strawberry.Info[Context], number: int | None) -> AssetVersion | None:
    found: AssetVersion | None = None if number is None else await fetch(info.context, "AssetVersion", number)
    return found


def _language(info: strawberry.Info[Context], locale: Locale | None) -> str:
    if locale is not None:
        return locale
    return next((each for each in info.context.languages if sentences.speaks(each)), sentences.LOCALES[0])


#: Those that something relies on are kept.
KINDS["RightsDecision"] = Kind(decisions.by_id, _kept)
