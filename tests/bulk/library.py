"""A small library to change at once, and what is known of it: through GraphQL, and down to its rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from domain.assets import standing
from domain.global_ids import decode, encode
from domain.hub import Hub
from domain.work import HUB
from storage.tables import AssetRow
from tests.asking import Client
from tests.assets import acts
from tests.assets.acts import accepted, picture
from tests.fields.brand import every_field

WHOLE = """id state total changed unchanged refused reason finishedAt
  undoes { id } undoneBy { id } job { state done total }
  items(first: 100) { totalCount nodes { state code message asset { id } changes { what before after } } }"""
OPERATION = f"operation {{ {WHOLE} }}"
PREVIEW = """query ($selection: AssetSelectionInput!, $changes: AssetBulkChangesInput!) {
  assetBulkPreview(selection: $selection, changes: $changes) {
    total changed unchanged refused refusals { code message count examples { id } }
    examples { asset { id } changes { what before after } } } }"""


@dataclass
class Library:
    """Some pictures that differ in everything that can be changed of many, and two tags and a brand."""

    client: Client
    ids: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, client: Client, count: int = 4) -> Library:
        every_field(client)
        made = cls(client)
        for number in range(count):
            made.add(number)
        found = client.ask("{ tags { nodes { id name } } }")["tags"]["nodes"]
        made.tags = {tag["name"]: tag["id"] for tag in found}
        return made

    def add(self, number: int) -> None:
        fields = [
            {"key": "note", "value": {"text": f"note {number}"}},
            {"key": "seasons", "value": {"choices": ["spring", "winter"][: 1 + number % 2]}},
        ]
        texts: dict[str, Any] = {
            "altTexts": [{"locale": "de", "text": f"Bild {number}"}],
            "titles": [{"locale": "de", "text": f"Titel {number}"}],
        }
        more: dict[str, Any] = {"title": f"asset {number}"} if number % 2 else {}
        made = acts.created(self.client, picture(number), tags=["old", f"tag {number}"], fields=fields, **texts, **more)
        self.ids.append(made["id"])

    def update(self, assets: list[str] | None = None, **changes: Any) -> dict[str, Any]:
        """The payload of `assetBulkUpdate` for these assets, or all."""
        given = {"assets": self.ids if assets is None else assets, "changes": changes}
        return self.client.mutate("assetBulkUpdate", OPERATION, **given)

    def done(self, assets: list[str] | None = None, **changes: Any) -> dict[str, Any]:
        found: dict[str, Any] = accepted(self.update(assets, **changes))["operation"]
        return found

    def undo(self, operation: dict[str, Any], **more: Any) -> dict[str, Any]:
        found: dict[str, Any] = accepted(
            self.client.mutate("bulkOperationUndo", OPERATION, operation=operation["id"], **more)
        )["operation"]
        return found

    def preview(self, selection: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
        asked = {"assets": self.ids} if selection is None else selection
        found: dict[str, Any] = self.client.ask(PREVIEW, selection=asked, changes=changes)["assetBulkPreview"]
        return found

    def standing(self) -> dict[str, Any]:
        """All that is said of each asset, by its id, down to where it came from."""
        return standing_of(self.client.hub)

    def brand(self, name: str = "Acme") -> str:
        given = {"organisation": encode("Organisation", 1), "name": name}
        made: dict[str, Any] = accepted(self.client.ask(_BRAND, input=given)["brandCreate"])["brand"]
        return str(made["id"])


_BRAND = "mutation ($input: BrandCreateInput!) { brandCreate(input: $input) { brand { id } errors { message } } }"


def standing_of(hub: Hub) -> dict[str, Any]:
    with hub.reading(HUB) as work:
        rows = list(work.session.scalars(sa.select(AssetRow)))
        return {encode("Asset", number): said for number, said in standing.of(work, rows).items()}


def look(client: Client, operation: dict[str, Any]) -> dict[str, Any]:
    """The operation as it stands now."""
    query = f"query ($id: ID!) {{ node(id: $id) {{ ... on BulkOperation {{ {WHOLE} }} }} }}"
    found: dict[str, Any] = client.ask(query, id=operation["id"])["node"]
    return found


def states(operation: dict[str, Any]) -> list[str]:
    return [item["state"] for item in operation["items"]["nodes"]]


def number_of(id_: str) -> int:
    return decode(id_)[1]
