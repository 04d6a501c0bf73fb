"""A hub with webhooks: making them, letting things happen, and having what is due sent by the workers' own code."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from domain.global_ids import decode
from domain.hub import Hub
from domain.webhooks import Follower
from domain.work import HUB, Viewer
from schema import rendering
from storage.tables import JobRow, WebhookAttemptRow, WebhookDeliveryRow, WebhookRow
from tests.asking import Client
from tests.assets import acts
from tests.webhooks.receiver import Receiver
from tests.working import index_all, mutate, work_off
from workers import webhooks
from workers.registry import Duties

#: What happens outside, and nothing else.
SENDING = Duties(handlers=webhooks.HANDLERS, exhausted=webhooks.EXHAUSTED)
DOCUMENT = "query ($subject: ID!) { node(id: $subject) { ... on Asset { id title lifecycle } } }"
ENTITY = "webhook { id name url revision state headerNames disabled { code message } } secret"


@dataclass
class House:
    hub: Hub
    admin: Viewer
    there: Receiver
    ahead: timedelta = field(default_factory=timedelta)

    def __post_init__(self) -> None:
        real = self.hub.clock
        self.hub = dataclasses.replace(self.hub, clock=lambda: real() + self.ahead)

    @property
    def client(self) -> Client:
        return Client(self.hub, self.admin)

    def made(self, client: Client | None = None, /, **fields: Any) -> dict[str, Any]:
        """A webhook of these fields; its secret beside it."""
        payload = mutate(client or self.client, "webhookCreate", ENTITY, **self.wish(**fields))
        assert payload["errors"] == []
        return {**payload["webhook"], "secret": payload["secret"]}

    def wish(self, **fields: Any) -> dict[str, Any]:
        return {
            "name": "A receiver",
            "url": self.there.url,
            "events": ["ASSET_CREATED", "ASSET_UPDATED"],
            "document": DOCUMENT,
            **fields,
        }

    def changed(self, hook: dict[str, Any], **fields: Any) -> dict[str, Any]:
        chosen = ENTITY.removesuffix(" secret")
        given = {"webhook": hook["id"], "expectedRevision": self.row(hook).revision, **fields}
        found: dict[str, Any] = acts.accepted(mutate(self.client, "webhookUpdate", chosen, **given))["webhook"]
        return found

    def asset(self, number: int = 1, **fields: Any) -> dict[str, Any]:
        return acts.created(self.client, acts.picture(number), **fields)

    def follow(self, follower: Follower | None = None) -> int:
        """Numbers what happened and finds the words for it; for how many deliveries."""
        index_all(self.hub)
        each, total = follower or Follower(self.hub, rendering.render), 0
        while count := each.look():
            total += count
        return total

    def send(self) -> None:
        """Everything that is due, but nothing else that workers do."""
        with self.hub.database.writing() as session:
            session.execute(sa.delete(JobRow).where(JobRow.queue != "outside"))
        work_off(self.hub, SENDING)

    def tell(self) -> int:
        count = self.follow()
        self.send()
        return count

    def later(self, **much: float) -> None:
        """What the clock says from now on; what waits for its time is asked for."""
        self.ahead += timedelta(**much)
        with self.hub.writing(HUB) as work:
            work.session.execute(
                sa.update(JobRow).where(JobRow.state == "READY").values(run_at=datetime.now(UTC) - timedelta(minutes=1))
            )

    def row(self, hook: dict[str, Any]) -> WebhookRow:
        with self.hub.reading(HUB) as work:
            return work.session.get_one(WebhookRow, decode(hook["id"])[1])

    def deliveries(self) -> list[WebhookDeliveryRow]:
        with self.hub.reading(HUB) as work:
            return list(work.session.scalars(sa.select(WebhookDeliveryRow).order_by(WebhookDeliveryRow.id)))

    def attempts(self) -> list[WebhookAttemptRow]:
        with self.hub.reading(HUB) as work:
            return list(work.session.scalars(sa.select(WebhookAttemptRow).order_by(WebhookAttemptRow.id)))

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(each.body) for each in self.there.got]
