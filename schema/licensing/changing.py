"""Writing licences over GraphQL, and moving them from state to state."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import strawberry

from domain.global_ids import number_of
from domain.licensing import activating, licenses, seats, templates
from domain.licensing.codes import LicenseKind
from domain.licensing.terms import Grant
from domain.refusals import Invalid
from domain.work import Work
from schema import money
from schema.context import Context
from schema.errors import MutationError
from schema.fields import mutation
from schema.licensing import grants
from schema.licensing.grants import LicenseGrantInput
from schema.licensing.licenses import License
from schema.licensing.parties import given, organisation
from schema.money import MoneyInput
from schema.mutating import Answer, run
from storage.tables import LicenseRow

#: What a licence says as it was given.
_PLAIN = (
    *("number", "title", "kind", "code", "starts_on", "ends_on", "zone", "seats", "sublicensable", "supplier_item_id"),
    *("order_ref", "transaction_date", "terms_url", "plus_license_id", "free_text", "groups_as_of"),
)
_ALL_ANEW = "All of them anew."


@strawberry.input(description="A new licence, as a draft. Say `template`, or `kind` and what it grants.")
class LicenseCreateInput:
    title: str
    starts_on: date = strawberry.field(description="Its first day.")
    template: str | None = strawberry.field(
        default=None, description="The code of a template; what is said beside it counts before what it says."
    )
    kind: LicenseKind | None = strawberry.field(default=None, description="The template's if not said.")
    grants: list[LicenseGrantInput] | None = strawberry.field(default=None, description="The template's if not said.")
    addresses: int | None = strawberry.field(
        default=None, description="Of `LIST_ONCE` and `LIST_TIMES`: how many addresses the list has."
    )
    times: int | None = strawberry.field(default=None, description="Of `LIST_TIMES`: how often each is written to.")
    organisation: strawberry.ID | None = strawberry.field(
        default=None, description="Whose it is to keep; the viewer's own if not said."
    )
    number: str | None = strawberry.field(
        default=strawberry.UNSET, description="The next of the year, such as LIC-2026-0042, if not said."
    )
    code: str | None = strawberry.UNSET
    licensor: strawberry.ID | None = strawberry.UNSET
    licensee: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The organisation that keeps it if not said; null: everybody."
    )
    end_users: list[strawberry.ID] | None = strawberry.UNSET
    ends_on: date | None = strawberry.field(
        default=strawberry.UNSET, description="Its last day; null: for ever; as the template has it if not said."
    )
    zone: str = strawberry.field(default="UTC", description="The time zone of its days (IANA).")
    seats: int | None = strawberry.UNSET
    sublicensable: bool = strawberry.field(default=False, description="Whether it may be passed on.")
    fee: MoneyInput | None = strawberry.UNSET
    supplier_item_id: str | None = strawberry.UNSET
    order_ref: str | None = strawberry.UNSET
    transaction_date: date | None = strawberry.UNSET
    document: strawberry.ID | None = strawberry.UNSET
    terms_url: str | None = strawberry.UNSET
    plus_license_id: str | None = strawberry.UNSET
    free_text: list[str] | None = strawberry.UNSET
    groups_as_of: date | None = strawberry.UNSET
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="Changes to a draft; what is not given stays, null takes away.")
class LicenseUpdateInput:
    license: strawberry.ID
    expected_revision: int
    title: str | None = strawberry.UNSET
    kind: LicenseKind | None = strawberry.field(default=strawberry.UNSET, description="What sort of licence it is.")
    grants: list[LicenseGrantInput] | None = strawberry.field(default=None, description=_ALL_ANEW)
    number: str | None = strawberry.UNSET
    code: str | None = strawberry.UNSET
    licensor: strawberry.ID | None = strawberry.UNSET
    licensee: strawberry.ID | None = strawberry.UNSET
    end_users: list[strawberry.ID] | None = strawberry.UNSET
    starts_on: date | None = strawberry.UNSET
    ends_on: date | None = strawberry.UNSET
    zone: str | None = strawberry.UNSET
    seats: int | None = strawberry.UNSET
    sublicensable: bool | None = strawberry.UNSET
    fee: MoneyInput | None = strawberry.UNSET
    supplier_item_id: str | None = strawberry.UNSET
    order_ref: str | None = strawberry.UNSET
    transaction_date: date | None = strawberry.UNSET
    document: strawberry.ID | None = strawberry.UNSET
    terms_url: str | None = strawberry.UNSET
    plus_license_id: str | None = strawberry.UNSET
    free_text: list[str] | None = strawberry.UNSET
    groups_as_of: date | None = strawberry.UNSET
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The draft that is to count.")
class LicenseActivateInput:
    license: strawberry.ID
    expected_revision: int
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The licence that is to grant nothing until it is resumed.")
class LicenseSuspendInput:
    license: strawberry.ID
    expected_revision: int
    reason: str = strawberry.field(description="Why; recorded.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The suspended licence that is to count again.")
class LicenseResumeInput:
    license: strawberry.ID
    expected_revision: int
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The licence to end for good.")
class LicenseTerminateInput:
    license: strawberry.ID
    expected_revision: int
    reason: str = strawberry.field(description="Why; recorded.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The licence to end, and the draft that takes its place.")
class LicenseSupersedeInput:
    license: strawberry.ID
    expected_revision: int
    by: strawberry.ID = strawberry.field(description="A draft of the same organisation.")
    reason: str = strawberry.field(description="Why; recorded.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="A seat of a licence, and who is to have it.")
class LicenseSeatAssignInput:
    license: strawberry.ID
    organisation: strawberry.ID
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="A seat of a licence, and who gives it back.")
class LicenseSeatReleaseInput:
    license: strawberry.ID
    organisation: strawberry.ID
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`license` is null exactly when `errors` is not empty.")
class LicensePayload:
    license: License | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type
class LicenseMutations:
    @mutation("Makes a licence, as a draft. Needs LICENSE_MANAGE.", weight=5)
    def license_create(self, info: strawberry.Info[Context], input: LicenseCreateInput) -> LicensePayload:
        def act(work: Work) -> Answer:
            kind, said, wanted = _beginning(input)
            row = licenses.create(work, kind, {**said, **_said(input)}, wanted, organisation(input.organisation))
            return {"license": ("License", row.id)}

        return run(info, input, LicensePayload, act)

    @mutation("Changes a draft.", weight=5)
    def license_update(self, info: strawberry.Info[Context], input: LicenseUpdateInput) -> LicensePayload:
        def act(work: Work) -> Answer:
            wanted = None if input.grants is None else grants.read(input.grants)
            row = licenses.update(work, _number(input.license), input.expected_revision, _said(input), wanted)
            return {"license": ("License", row.id)}

        return run(info, input, LicensePayload, act)

    @mutation("Makes a draft count.")
    def license_activate(self, info: strawberry.Info[Context], input: LicenseActivateInput) -> LicensePayload:
        return _moved(info, input, lambda work, number: activating.activate(work, number, input.expected_revision))

    @mutation("Lets an active licence grant nothing for a while.")
    def license_suspend(self, info: strawberry.Info[Context], input: LicenseSuspendInput) -> LicensePayload:
        def suspend(work: Work, number: int) -> LicenseRow:
            return activating.suspend(work, number, input.expected_revision, input.reason)

        return _moved(info, input, suspend)

    @mutation("Lets a suspended licence count again.")
    def license_resume(self, info: strawberry.Info[Context], input: LicenseResumeInput) -> LicensePayload:
        return _moved(info, input, lambda work, number: activating.resume(work, number, input.expected_revision))

    @mutation("Ends a licence for good.")
    def license_terminate(self, info: strawberry.Info[Context], input: LicenseTerminateInput) -> LicensePayload:
        def terminate(work: Work, number: int) -> LicenseRow:
            return activating.terminate(work, number, input.expected_revision, input.reason)

        return _moved(info, input, terminate)

    @mutation("Puts a draft in a licence's place: it counts from now on for all that was under the old one.", weight=5)
    def license_supersede(self, info: strawberry.Info[Context], input: LicenseSupersedeInput) -> LicensePayload:
        def supersede(work: Work, number: int) -> LicenseRow:
            by = number_of("License", input.by, ("by",))
            return activating.supersede(work, number, input.expected_revision, by, input.reason)

        return _moved(info, input, supersede)

    @mutation("Gives an organisation a seat of a licence.")
    def license_seat_assign(self, info: strawberry.Info[Context], input: LicenseSeatAssignInput) -> LicensePayload:
        def assign(work: Work, number: int) -> LicenseRow:
            return seats.assign(work, number, number_of("Organisation", input.organisation, ("organisation",)))

        return _moved(info, input, assign)

    @mutation("Takes a seat of a licence back.")
    def license_seat_release(self, info: strawberry.Info[Context], input: LicenseSeatReleaseInput) -> LicensePayload:
        def release(work: Work, number: int) -> LicenseRow:
            return seats.release(work, number, number_of("Organisation", input.organisation, ("organisation",)))

        return _moved(info, input, release)


def _moved(info: strawberry.Info[Context], input: Any, move: Callable[[Work, int], LicenseRow]) -> LicensePayload:
    def act(work: Work) -> Answer:
        return {"license": ("License", move(work, _number(input.license)).id)}

    return run(info, input, LicensePayload, act)


def _beginning(input: LicenseCreateInput) -> tuple[LicenseKind, dict[str, Any], list[Grant]]:
    """Kind, what is said by the template, and grants."""
    template = None if input.template is None else templates.TEMPLATES.get(input.template)
    if input.template is not None and template is None:
        raise Invalid(f"{input.template!r} is no template: ask `licenseTemplates`.", ("template",), "template")
    kind = input.kind or (None if template is None else template.kind)
    if kind is None:
        raise Invalid("Say the kind of licence, or a template.", ("kind",), "required")
    said: dict[str, Any] = {}
    if template is not None and template.public:
        said = {"code": template.code, "licensee_org_id": None, "terms_url": template.terms_url}
    if template is not None and template.months is not None:
        said["ends_on"] = templates.last_day(template, input.starts_on)
    if template is None or input.grants is not None:
        for name, number in (("addresses", input.addresses), ("times", input.times)):
            if number is not None:
                raise Invalid("Only templates of lists ask for this.", (name,), "template")
        return kind, said, grants.read(input.grants or [])
    return kind, said, templates.grants_of(template, input.addresses, input.times)


def _said(input: Any) -> dict[str, Any]:
    said = {name: value for name, value in given(input, _PLAIN).items() if (name, value) != ("kind", None)}
    if input.fee is not strawberry.UNSET:
        said["fee"] = money.read(input.fee, ("fee",))
    for name, type_, kept in (
        ("licensor", "Party", "licensor_id"),
        ("licensee", "Organisation", "licensee_org_id"),
        ("document", "Asset", "document_asset_id"),
    ):
        value = getattr(input, name)
        if value is not strawberry.UNSET:
            said[kept] = None if value is None else number_of(type_, value, (name,))
    if input.end_users is not strawberry.UNSET:
        said["end_user_org_ids"] = [number_of("Organisation", each, ("endUsers",)) for each in input.end_users or ()]
    return said


def _number(license_id: strawberry.ID) -> int:
    return number_of("License", license_id, ("license",))
