"""Reserving uses, confirming them and giving them up, and the register, over GraphQL."""

from __future__ import annotations

from datetime import date

import strawberry

from domain import pages
from domain.global_ids import number_of
from domain.licensing.terms import Quantity
from domain.refusals import Invalid
from domain.usage import reading, recalling, reserving
from domain.usage.reading import Wanted
from domain.work import Work
from schema.connections import Asked, Connection, listed, page_of
from schema.context import Context
from schema.errors import MutationError
from schema.fields import field, mutation
from schema.licensing.asking import QuantityInput, RightsQueryInput, request_of
from schema.mutating import Answer, run
from schema.paging import After, Before, First, Last
from schema.scalars import Instant
from schema.usage import denying
from schema.usage.types import RecallSimulation, Usage, UsagePhase

assert denying  # how a denied use is told of


@strawberry.input(description="A use to reserve.")
class RightsReserveInput:
    use: RightsQueryInput = strawberry.field(description="What is asked; it has to pass in all of its territories.")
    reference: str | None = strawberry.field(
        default=None, description="What you call it: an order, a booking, an address."
    )
    expires_at: Instant | None = strawberry.field(
        default=None, description="When it is given up by itself: within 90 days, after one day if not said."
    )
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="A reservation that was used.")
class UsageConfirmInput:
    usage: strawberry.ID
    actual: list[QuantityInput] | None = strawberry.field(
        default=None, description="How many there really were of each unit; as many as were reserved if not said."
    )
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="A reservation that is not used after all.")
class UsageVoidInput:
    usage: strawberry.ID
    reason: str | None = strawberry.field(default=None, description="Why; recorded.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`usage` is null exactly when `errors` is not empty.")
class UsagePayload:
    usage: Usage | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


def _usages(
    work: Work,
    asset: strawberry.ID | None = None,
    version: strawberry.ID | None = None,
    license: strawberry.ID | None = None,
    phases: list[UsagePhase] | None = None,
) -> Asked:
    wanted = Wanted(
        asset_id=None if asset is None else number_of("Asset", asset, ("asset",)),
        version_id=None if version is None else number_of("AssetVersion", version, ("version",)),
        license_id=None if license is None else number_of("License", license, ("license",)),
        phases=frozenset(phases or ()),
    )
    return _asked(work, wanted)


def _running_after(work: Work, date: date, license: strawberry.ID | None = None) -> Asked:
    number = None if license is None else number_of("License", license, ("license",))
    return _asked(work, Wanted(license_id=number, running_after=date))


def _asked(work: Work, wanted: Wanted) -> Asked:
    named = [wanted.asset_id, wanted.version_id, wanted.license_id, str(wanted.running_after)]
    scope = pages.scope_of("usages", named, sorted(each.value for each in wanted.phases))
    return Asked(scope, lambda: reading.listed(work, wanted))


@strawberry.type
class UsageQueries:
    @field(
        "The register of usage, newest first: of organisations where the viewer holds USAGE_VIEW. Under a licence are "
        "also the uses of those whose place it took.",
        mapped=listed("Usage", _usages),
    )
    def usages(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        asset: strawberry.ID | None = None,
        version: strawberry.ID | None = None,
        license: strawberry.ID | None = None,
        phases: list[UsagePhase] | None = None,
    ) -> Connection[Usage]:
        asked = _usages(info.context.work, asset, version, license, phases)
        return page_of(info, asked, Usage.of, first=first, after=after, last=last, before=before)

    @field(
        "Uses that are still out after a day, the first to end first: neither given up nor withdrawn.",
        mapped=listed("Usage", _running_after),
    )
    def running_usages_after(
        self,
        info: strawberry.Info[Context],
        date: date,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        license: strawberry.ID | None = None,
    ) -> Connection[Usage]:
        asked = _running_after(info.context.work, date, license)
        return page_of(info, asked, Usage.of, first=first, after=after, last=last, before=before)

    @field(
        "What breaks if a licence ends on a day, with the uses of those whose place it took. Asking changes nothing.",
        weight=100,
    )
    def recall_simulation(
        self, info: strawberry.Info[Context], license: strawberry.ID, ends_on: date
    ) -> RecallSimulation:
        number = number_of("License", license, ("license",))
        return RecallSimulation.of(recalling.simulate(info.context.work, number, ends_on))


@strawberry.type
class UsageMutations:
    @mutation("Decides a use and, where it passes, reserves what it takes of every cap. Needs USAGE_RECORD.", weight=50)
    def rights_reserve(self, info: strawberry.Info[Context], input: RightsReserveInput) -> UsagePayload:
        def act(work: Work) -> Answer:
            number = number_of("AssetVersion", input.use.version_id, ("use", "versionId"))
            if input.use.as_of is not None:
                raise Invalid("A use is reserved as things stand now.", ("use", "asOf"), "now")
            told = {"reference": input.reference, "until": input.expires_at}
            row = reserving.reserve(work, number, request_of(work, input.use), **told)  # type: ignore[arg-type]  # each of its own type
            return {"usage": ("Usage", row.id)}

        return run(info, input, UsagePayload, act)

    @mutation("Says that a reservation was used, and how much. More than was reserved is decided anew.", weight=50)
    def usage_confirm(self, info: strawberry.Info[Context], input: UsageConfirmInput) -> UsagePayload:
        def act(work: Work) -> Answer:
            number = number_of("Usage", input.usage, ("usage",))
            actual = [Quantity(each.unit, each.amount) for each in input.actual or ()]
            return {"usage": ("Usage", reserving.confirm(work, number, actual).id)}

        return run(info, input, UsagePayload, act)

    @mutation("Gives a reservation up: what it took is free again.")
    def usage_void(self, info: strawberry.Info[Context], input: UsageVoidInput) -> UsagePayload:
        def act(work: Work) -> Answer:
            number = number_of("Usage", input.usage, ("usage",))
            return {"usage": ("Usage", reserving.void(work, number, input.reason).id)}

        return run(info, input, UsagePayload, act)
