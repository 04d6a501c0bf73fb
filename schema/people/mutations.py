"""Naming people and service accounts, and shutting them out."""

from __future__ import annotations

from collections.abc import Callable

import strawberry

from domain import people
from domain.global_ids import number_of
from domain.people import Invited, identities
from domain.people.changing import INVITATION_DAYS
from domain.work import Work
from schema.context import Context
from schema.errors import MutationError
from schema.fields import mutation
from schema.mutating import Answer
from schema.people.actors import Actor, Person, ServiceAccount, named, numbers_of_actors
from schema.people.running import run
from schema.scalars import Url
from storage.tables import PrincipalRow


@strawberry.input(description="A person who is to come in.")
class PersonInviteInput:
    email: str
    name: str
    organisation: strawberry.ID
    role: strawberry.ID | None = strawberry.field(
        default=None, description="To hold in that organisation and below; nothing if not said."
    )
    days: int = strawberry.field(default=INVITATION_DAYS, description="How long the invitation stands, at most 30.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="A person who lost their invitation or their password.")
class PersonInviteAgainInput:
    person: strawberry.ID
    days: int = strawberry.field(default=INVITATION_DAYS, description="How long the invitation stands, at most 30.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="An account that is to act by tokens.")
class ServiceAccountCreateInput:
    name: str
    organisation: strawberry.ID
    role: strawberry.ID | None = strawberry.field(
        default=None, description="To hold in that organisation and below; nothing if not said."
    )
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The new name of a person or a service account.")
class PrincipalUpdateInput:
    principal: strawberry.ID
    expected_revision: int
    name: str
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The person or service account to shut out.")
class PrincipalDisableInput:
    principal: strawberry.ID
    expected_revision: int
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The person or service account to let in again.")
class PrincipalEnableInput:
    principal: strawberry.ID
    expected_revision: int
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="Whom a trusted issuer knows a person or a service account as.")
class IdentityLinkInput:
    principal: strawberry.ID
    issuer: str = strawberry.field(description="Letter by letter as the hub's settings name it.")
    subject: str = strawberry.field(
        description="The `sub` of what the issuer signs: 1 to 255 printable characters, compared letter by letter."
    )
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The identity that is to be a person's or a service account's no more.")
class IdentityUnlinkInput:
    principal: strawberry.ID
    issuer: str
    subject: str
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`person` is null exactly when `errors` is not empty.")
class PersonInvitePayload:
    person: Person | None
    errors: list[MutationError]
    invite_url: Url | None = strawberry.field(
        default=None,
        description="Lets them in, once. It is shown this one time: a repetition of the request does not tell it.",
    )
    client_mutation_id: str | None = None


@strawberry.type(description="`serviceAccount` is null exactly when `errors` is not empty.")
class ServiceAccountCreatePayload:
    service_account: ServiceAccount | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type(description="`principal` is null exactly when `errors` is not empty.")
class PrincipalPayload:
    principal: Actor | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type
class PeopleMutations:
    @mutation("Names a person and says how they come in.")
    def person_invite(self, info: strawberry.Info[Context], input: PersonInviteInput) -> PersonInvitePayload:
        def invite(work: Work) -> Invited:
            org_id = number_of("Organisation", input.organisation, ("organisation",))
            return people.invite(work, input.email, input.name, org_id, role_id=_role(input.role), days=input.days)

        return _inviting(info, input, invite)

    @mutation("Gives a person a new way in; earlier invitations end. It lets them choose a password anew.")
    def person_invite_again(self, info: strawberry.Info[Context], input: PersonInviteAgainInput) -> PersonInvitePayload:
        def invite(work: Work) -> Invited:
            return people.invite_again(work, number_of("Person", input.person, ("person",)), input.days)

        return _inviting(info, input, invite)

    @mutation("Makes a service account.")
    def service_account_create(
        self, info: strawberry.Info[Context], input: ServiceAccountCreateInput
    ) -> ServiceAccountCreatePayload:
        def act(work: Work) -> Answer:
            org_id = number_of("Organisation", input.organisation, ("organisation",))
            row = people.create_service_account(work, input.name, org_id, role_id=_role(input.role))
            return {"service_account": named(row)}

        return run(info, input, ServiceAccountCreatePayload, act)

    @mutation("Renames a person or a service account.")
    def principal_update(self, info: strawberry.Info[Context], input: PrincipalUpdateInput) -> PrincipalPayload:
        def act(work: Work) -> Answer:
            return _principal(people.rename(work, _number(work, input.principal), input.name, input.expected_revision))

        return run(info, input, PrincipalPayload, act)

    @mutation("Shuts somebody out at once: their tokens, sessions and invitations end.")
    def principal_disable(self, info: strawberry.Info[Context], input: PrincipalDisableInput) -> PrincipalPayload:
        def act(work: Work) -> Answer:
            return _principal(people.disable(work, _number(work, input.principal), input.expected_revision))

        return run(info, input, PrincipalPayload, act)

    @mutation("Lets somebody in again; their tokens and sessions stay ended.")
    def principal_enable(self, info: strawberry.Info[Context], input: PrincipalEnableInput) -> PrincipalPayload:
        def act(work: Work) -> Answer:
            return _principal(people.enable(work, _number(work, input.principal), input.expected_revision))

        return run(info, input, PrincipalPayload, act)

    @mutation(
        "Lets whoever a trusted issuer (`IMPRIMATUR_JWT_ISSUER`, `IMPRIMATUR_OIDC_ISSUER`) knows as the subject act as "
        "the person or service account: programs by the issuer's signed tokens, people by signing in. Doing it again "
        "changes nothing. Nobody links an account that holds more than they do themselves, or for longer."
    )
    def identity_link(self, info: strawberry.Info[Context], input: IdentityLinkInput) -> PrincipalPayload:
        def act(work: Work) -> Answer:
            id_ = _number(work, input.principal)
            return _principal(identities.link(work, id_, input.issuer, input.subject))

        return run(info, input, PrincipalPayload, act)

    @mutation(
        "Takes an identity back at once; a person's sessions end. A person whose verified e-mail address the provider "
        "tells is linked anew when they sign in there: to shut somebody out, use `principalDisable`."
    )
    def identity_unlink(self, info: strawberry.Info[Context], input: IdentityUnlinkInput) -> PrincipalPayload:
        def act(work: Work) -> Answer:
            id_ = _number(work, input.principal)
            return _principal(identities.unlink(work, id_, input.issuer, input.subject))

        return run(info, input, PrincipalPayload, act)


def _inviting(
    info: strawberry.Info[Context],
    input: PersonInviteInput | PersonInviteAgainInput,
    invite: Callable[[Work], Invited],
) -> PersonInvitePayload:
    """The address is told beside the answer that is kept for repetitions: it is nowhere kept."""
    told: list[str] = []

    def act(work: Work) -> Answer:
        told.clear()  # a unit of work that lost a deadlock is done once more
        invited = invite(work)
        told.append(invited.url)
        return {"person": named(invited.person)}

    payload = run(info, input, PersonInvitePayload, act)
    if told and not payload.errors:
        payload.invite_url = Url(told[0])
    return payload


def _role(given: strawberry.ID | None) -> int | None:
    return None if given is None else number_of("Role", given, ("role",))


def _number(work: Work, principal: strawberry.ID) -> int:
    return numbers_of_actors(work, [principal], ("principal",))[0]


def _principal(row: PrincipalRow) -> Answer:
    return {"principal": named(row)}
