"""Acceptable inputs for fields of the brand's own, templates, and operations on many assets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from tests.schema import samples_people

if TYPE_CHECKING:
    from tests.schema.samples import Brand


#: Why they do without `expectedRevision`.
UNREVISED: Final = {
    "assetBulkUpdate": "it is about many assets, each at the revision at which it stands",
    "bulkOperationUndo": "it takes back what nobody changed since, and tells the rest",
    "bulkOperationCancel": "an operation has a state instead of a revision",
}
LABEL: Final = [{"locale": "en", "text": "A label"}]


def key(brand: Brand, word: str) -> str:
    brand.made[0] += 1
    return f"{word}{brand.made[0]}"


def field(brand: Brand) -> dict[str, Any]:
    made: dict[str, Any] = brand.one("customFieldCreate", "field", **_new_field(brand))
    return made


def vocabulary(brand: Brand) -> dict[str, Any]:
    made: dict[str, Any] = brand.one("vocabularyCreate", "vocabulary", **_new_vocabulary(brand))
    return made


def template(brand: Brand) -> dict[str, Any]:
    """The one that there is for its kind, if there is one."""
    found = brand.client.ask("{ metadataTemplates { id revision } }")["metadataTemplates"]
    made: dict[str, Any] = found[0] if found else brand.one("metadataTemplateCreate", "template", **_TEMPLATE)
    return made


def operation(brand: Brand) -> str:
    """One that is done."""
    return _operation(brand, 1)


def waiting(brand: Brand) -> str:
    """One of so many assets that it waits for a worker; it is the last one that waited, if one did."""
    found = brand.client.ask("{ bulkOperations(first: 100) { nodes { id state } } }")["bulkOperations"]["nodes"]
    queued = [each["id"] for each in found if each["state"] == "QUEUED"]
    return queued[0] if queued else _operation(brand, 26)


def _operation(brand: Brand, count: int) -> str:
    assets = [brand.asset()["id"] for _ in range(count)]
    query = "mutation ($input: AssetBulkUpdateInput!) { assetBulkUpdate(input: $input) { operation { id } } }"
    given = {"assets": assets, "changes": {"title": "A new title"}}
    made: str = brand.client.ask(query, input=given)["assetBulkUpdate"]["operation"]["id"]
    return made


def _new_field(brand: Brand) -> dict[str, Any]:
    return {"key": key(brand, "field"), "type": "CHOICE", "names": LABEL, "vocabulary": vocabulary(brand)["id"]}


def _new_vocabulary(brand: Brand) -> dict[str, Any]:
    return {"name": key(brand, "Words "), "terms": [{"key": "first", "labels": LABEL}]}


_TEMPLATE: Final = {"name": "A template", "kind": "FONT", "items": [{"property": "TITLE"}]}


def _new_template(brand: Brand) -> dict[str, Any]:
    """For an organisation that has none: of the brand there may be one already."""
    return {**_TEMPLATE, "organisation": samples_people.organisation(brand)["id"]}


def _archived(brand: Brand) -> dict[str, Any]:
    made = field(brand)
    given = {"field": made["id"], "expectedRevision": made["revision"]}
    found: dict[str, Any] = brand.one("customFieldArchive", "field", **given)
    return found


def _named(name: str, row: dict[str, Any]) -> dict[str, Any]:
    return {name: row["id"], "expectedRevision": row["revision"]}


SAMPLES: Final[dict[str, Callable[[Brand], dict[str, Any]]]] = {
    "customFieldCreate": _new_field,
    "customFieldUpdate": lambda brand: {**_named("field", field(brand)), "names": LABEL},
    "customFieldArchive": lambda brand: _named("field", field(brand)),
    "customFieldRestore": lambda brand: _named("field", _archived(brand)),
    "vocabularyCreate": _new_vocabulary,
    "vocabularyUpdate": lambda brand: {
        **_named("vocabulary", vocabulary(brand)),
        "add": [{"key": "second", "labels": LABEL}],
    },
    "metadataTemplateCreate": _new_template,
    "metadataTemplateUpdate": lambda brand: {**_named("template", template(brand)), "gate": 50},
    "metadataTemplateArchive": lambda brand: _named("template", template(brand)),
    "assetBulkUpdate": lambda brand: {"assets": [brand.asset()["id"]], "changes": {"title": "A new title"}},
    "bulkOperationUndo": lambda brand: {"operation": operation(brand)},
    "bulkOperationCancel": lambda brand: {"operation": waiting(brand)},
}
