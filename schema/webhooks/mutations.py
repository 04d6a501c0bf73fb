"""Making, changing and testing webhooks over GraphQL; their secrets are answered once."""

from __future__ import annotations

from typing import Any

import strawberry

from domain import egress, pages, webhooks
from domain.global_ids import number_of
from domain.permissions import Permission
from domain.refusals import Invalid, Refusal
from domain.webhooks import NewSecret, Wish
from domain.work import Work
from schema.connections import Connection
from schema.context import Context
from schema.errors import MutationError
from schema.fields import field, mutation
from schema.mutating import Answer, run
from schema.paging import After, Before, First, Last
from schema.webhooks import telling
from schema.webhooks.types import Webhook, WebhookDelivery, WebhookEvent


@strawberry.input(description="A header that is sent with every message, such as a receiver's own key.")
class WebhookHeaderInput:
    name: str
    value: str = strawberry.field(description="Kept encrypted and never shown.")


_DOCUMENT = (
    "One query; of the variables $subject: ID!, $type: String!, $timestamp: DateTime! and $cursor: String! it declares "
    "those it needs. Its answer is the message's `data`."
)


@strawberry.input(description="A new webhook.")
class WebhookCreateInput:
    name: str
    url: str = strawberry.field(description="An https: address that the whole internet can reach.")
    events: list[WebhookEvent]
    document: str = strawberry.field(description=_DOCUMENT)
    headers: list[WebhookHeaderInput] | None = strawberry.field(default=None, description="At most 10.")
    service_account: strawberry.ID | None = strawberry.field(
        default=None, description="With whose rights the document is run; with the viewer's own if not said."
    )
    scopes: list[Permission] | None = strawberry.field(
        default=None, description="Permissions it is limited to; all that whoever it speaks for holds if not said."
    )
    active: bool = True
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="Changes to a webhook; what is not given stays.")
class WebhookUpdateInput:
    webhook: strawberry.ID
    expected_revision: int
    name: str | None = None
    url: str | None = None
    events: list[WebhookEvent] | None = None
    document: str | None = strawberry.field(default=None, description=_DOCUMENT)
    headers: list[WebhookHeaderInput] | None = strawberry.field(
        default=None, description="All of them anew; an empty list for none."
    )
    active: bool | None = strawberry.field(
        default=None,
        description="False to switch it off: what waits is given up. True to have it told of what happens from now on.",
    )
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The webhook to put away for good.")
class WebhookArchiveInput:
    webhook: strawberry.ID
    expected_revision: int
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The webhook that is to have another secret.")
class WebhookSecretRotateInput:
    webhook: strawberry.ID
    expected_revision: int
    overlap_hours: int = strawberry.field(
        description="Hours in which messages are signed with the old secret as well: 0 to 168."
    )
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The webhook to send a ping to.")
class WebhookTestInput:
    webhook: strawberry.ID
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The delivery to tell again.")
class WebhookDeliveryReplayInput:
    delivery: strawberry.ID
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`webhook` is null exactly when `errors` is not empty.")
class WebhookPayload:
    webhook: Webhook | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type(description="`webhook` is null exactly when `errors` is not empty.")
class WebhookSecretPayload:
    webhook: Webhook | None
    secret: str | None = strawberry.field(
        description="What messages are verified with, `whsec_…`. Shown this once: a repetition by `idempotencyKey` is "
        "answered without it."
    )
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type(description="`delivery` is null exactly when `errors` is not empty.")
class WebhookDeliveryPayload:
    delivery: WebhookDelivery | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type
class WebhookQueries:
    @field("Webhooks of every organisation where the viewer holds WEBHOOK_MANAGE, newest first.")
    def webhooks(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Webhook]:
        work = info.context.work
        scope = pages.scope_of("webhooks")
        wanted = pages.paging(work, scope, first=first, after=after, last=last, before=before)
        return Connection(
            slice=webhooks.page(work, wanted),
            speak=Webhook.of,
            count=lambda later: webhooks.count(later.context.work),
        )


@strawberry.type
class WebhookMutations:
    @mutation("Makes a webhook and shows its secret, this once. Needs WEBHOOK_MANAGE.")
    def webhook_create(self, info: strawberry.Info[Context], input: WebhookCreateInput) -> WebhookSecretPayload:
        looked = _looked_at(info, input.url)

        def make(work: Work) -> NewSecret:
            account = input.service_account
            number = None if account is None else number_of("ServiceAccount", account, ("serviceAccount",))
            wish = _wish(info, input, looked)
            return webhooks.create(work, wish, account_id=number, scopes=input.scopes)

        return _shown(info, input, make)

    @mutation("Changes a webhook, switches it on or off.")
    def webhook_update(self, info: strawberry.Info[Context], input: WebhookUpdateInput) -> WebhookPayload:
        looked = None if input.url is None else _looked_at(info, input.url)

        def act(work: Work) -> Answer:
            number = number_of("Webhook", input.webhook, ("webhook",))
            row = webhooks.update(work, number, input.expected_revision, _wish(info, input, looked))
            return {"webhook": ("Webhook", row.id)}

        return run(info, input, WebhookPayload, act)

    @mutation("Puts a webhook away: nothing is sent to it any more.")
    def webhook_archive(self, info: strawberry.Info[Context], input: WebhookArchiveInput) -> WebhookPayload:
        def act(work: Work) -> Answer:
            number = number_of("Webhook", input.webhook, ("webhook",))
            return {"webhook": ("Webhook", webhooks.archive(work, number, input.expected_revision).id)}

        return run(info, input, WebhookPayload, act)

    @mutation("Gives a webhook another secret and shows it, this once; the old one goes on for a while.")
    def webhook_secret_rotate(
        self, info: strawberry.Info[Context], input: WebhookSecretRotateInput
    ) -> WebhookSecretPayload:
        def make(work: Work) -> NewSecret:
            number = number_of("Webhook", input.webhook, ("webhook",))
            return webhooks.rotate_secret(work, number, input.expected_revision, input.overlap_hours)

        return _shown(info, input, make)

    @mutation("Sends a ping, whose message tells of nothing.")
    def webhook_test(self, info: strawberry.Info[Context], input: WebhookTestInput) -> WebhookDeliveryPayload:
        def act(work: Work) -> Answer:
            row = webhooks.test(work, number_of("Webhook", input.webhook, ("webhook",)))
            return {"delivery": ("WebhookDelivery", row.id)}

        return run(info, input, WebhookDeliveryPayload, act)

    @mutation("Tells an event again under the same id, in words that are found anew.")
    def webhook_delivery_replay(
        self, info: strawberry.Info[Context], input: WebhookDeliveryReplayInput
    ) -> WebhookDeliveryPayload:
        def act(work: Work) -> Answer:
            row = webhooks.replay(work, number_of("WebhookDelivery", input.delivery, ("delivery",)))
            return {"delivery": ("WebhookDelivery", row.id)}

        return run(info, input, WebhookDeliveryPayload, act)


def _looked_at(info: strawberry.Info[Context], url: str) -> Refusal | None:
    """What is wrong with an address, found out before anything is locked: its name has to be looked up. Nothing is
    looked up for whoever may make no webhooks.
    """
    context = info.context
    if not context.viewer.holdings.anywhere(Permission.WEBHOOK_MANAGE):
        return None
    try:
        egress.of_settings(context.hub.settings).check(url)
    except egress.Forbidden as refused:
        return Invalid(refused.sentence, ("url",), "address")
    except egress.Unanswered as failed:
        return Invalid(failed.sentence, ("url",), "address")
    return None


def _wish(info: strawberry.Info[Context], input: Any, looked: Refusal | None) -> Wish:
    """Raised where it is asked for: after the permission, in the unit of work."""
    headers: list[WebhookHeaderInput] | None = input.headers
    if headers is not None and len({each.name for each in headers}) != len(headers):
        raise Invalid("A header is given once.", ("headers",), "unique")
    return Wish(
        name=input.name,
        url=input.url,
        events=None if input.events is None else [each.value for each in input.events],
        document=input.document,
        headers=None if headers is None else {each.name: each.value for each in headers},
        is_active=input.active,
        check=lambda: _check(info, input.document, looked),
    )


def _check(info: strawberry.Info[Context], document: str | None, looked: Refusal | None) -> None:
    if looked is not None:
        raise looked
    if document is not None:
        telling.check_document(info._raw_info.schema, document)  # noqa: SLF001  # Strawberry has no other way to it


def _shown(info: strawberry.Info[Context], input: Any, make: Any) -> WebhookSecretPayload:
    """The secret goes from the act to the answer and is kept, encrypted, beside the webhook alone."""
    made: list[NewSecret] = []

    def act(work: Work) -> Answer:
        made.append(make(work))
        return {"webhook": ("Webhook", made[-1].id)}

    payload = run(info, input, WebhookSecretPayload, act)
    if made and not payload.errors:
        payload.secret = made[-1].secret
    return payload
