"""A brand with fields of its own, made through GraphQL, and short ways to say and ask things."""

from __future__ import annotations

from typing import Any

from tests.asking import Client
from tests.assets import acts
from tests.working import mutate

WHOLE_FIELD = "field { id key type revision archived name names { locale text } kinds needs }"
#: Every field with what it says, whatever its type.
SAID = """
  fields {
    __typename field { key }
    ... on TextFieldValue { text { locale text } texts { locale text } }
    ... on NumberFieldValue { number } ... on BooleanFieldValue { boolean } ... on DateFieldValue { date }
    ... on ChoiceFieldValue { choice { key label } } ... on ChoicesFieldValue { choices { key } }
    ... on AssetFieldValue { asset { id } }
  }
"""


def names(text: str, **others: str) -> list[dict[str, str]]:
    return [{"locale": "en", "text": text}, *({"locale": key, "text": value} for key, value in others.items())]


def vocabulary(client: Client, name: str = "Seasons", *keys: str) -> dict[str, Any]:
    terms = [{"key": key, "labels": names(key.title())} for key in keys or ("spring", "summer", "winter")]
    payload = mutate(client, "vocabularyCreate", "vocabulary { id revision name }", name=name, terms=terms)
    found: dict[str, Any] = acts.accepted(payload)["vocabulary"]
    return found


def new_field(client: Client, key: str, type_: str, **more: Any) -> dict[str, Any]:
    given = {"key": key, "type": type_, "names": names(key.title()), **more}
    found: dict[str, Any] = acts.accepted(mutate(client, "customFieldCreate", WHOLE_FIELD, **given))["field"]
    return found


def every_field(client: Client) -> dict[str, dict[str, Any]]:
    """A field of each type, by its key."""
    seasons = vocabulary(client)["id"]
    made = [
        new_field(client, "note", "TEXT"),
        new_field(client, "caption", "TEXT", localised=True),
        new_field(client, "price", "NUMBER", decimals=2, minimum="0", maximum="1000"),
        new_field(client, "cleared", "BOOLEAN"),
        new_field(client, "shot", "DATE"),
        new_field(client, "season", "CHOICE", vocabulary=seasons),
        new_field(client, "seasons", "CHOICES", vocabulary=seasons),
        new_field(client, "original", "ASSET"),
    ]
    return {each["key"]: each for each in made}


def say(client: Client, asset: dict[str, Any], **values: Any) -> dict[str, Any]:
    """The payload of `assetUpdate` with these fields, at the revision that `asset` shows."""
    fields = [{"key": key, "value": value} for key, value in values.items()]
    return client.mutate(
        "assetUpdate",
        f"asset {{ {acts.WHOLE_ASSET} {SAID} }}",
        asset=asset["id"],
        expectedRevision=asset["revision"],
        fields=fields,
    )


def said(client: Client, asset: dict[str, Any]) -> dict[str, Any]:
    """What fields say of the asset, by their keys and simply."""
    query = f"query ($id: ID!) {{ asset(id: $id) {{ {SAID} }} }}"
    return simply(client.ask(query, id=asset["id"])["asset"]["fields"])


def simply(fields: list[dict[str, Any]]) -> dict[str, Any]:
    found = {}
    for each in fields:
        key, sort = each["field"]["key"], each["__typename"]
        match sort:
            case "TextFieldValue":
                texts = {text["locale"]: text["text"] for text in each["texts"]}
                found[key] = texts.get(None, texts)
            case "ChoiceFieldValue":
                found[key] = each["choice"]["key"]
            case "ChoicesFieldValue":
                found[key] = [choice["key"] for choice in each["choices"]]
            case "AssetFieldValue":
                found[key] = each["asset"] and each["asset"]["id"]
            case _:
                found[key] = each[{"NumberFieldValue": "number", "BooleanFieldValue": "boolean"}.get(sort, "date")]
    return found


def listed(client: Client, *filters: dict[str, Any], search: str | None = None, **more: Any) -> set[str]:
    """Titles of the assets that a list shows."""
    query = """query ($where: AssetWhere, $search: String) {
      assets(first: 100, where: $where, search: $search) { totalCount nodes { title } } }"""
    found = client.ask(query, where={"fields": list(filters), **more}, search=search)["assets"]
    titles = {node["title"] for node in found["nodes"]}
    assert found["totalCount"] == len(titles)
    return titles
