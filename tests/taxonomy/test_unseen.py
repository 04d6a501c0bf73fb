"""A tag that somebody does not see is unknown to them, also where they tag."""

from __future__ import annotations

from typing import Any

import pytest

from domain.hub import Hub
from domain.work import Viewer
from tests.acting import member, organisation
from tests.asking import Client
from tests.assets.acts import unchanged
from tests.taxonomy.test_story import tag

TAGS = "asset { id revision tags { name } }"


@pytest.fixture
def agency(hub: Hub, admin: Viewer) -> Viewer:
    """Who brings assets and makes no tags."""
    return member(hub, "agency", org_id=organisation(hub, "South"))


@pytest.fixture
def theirs(hub: Hub, agency: Viewer) -> dict[str, Any]:
    return Client(hub, agency).create(b"A letter of ours. " * 50, "letter.txt")


@pytest.mark.parametrize("spelling", ["takeover", "Project Zeus", "project hera"])
def test_a_tag_that_is_not_seen_is_refused_exactly_like_one_that_is_not_there(
    hub: Hub, client: Client, agency: Viewer, theirs: dict[str, Any], spelling: str
) -> None:
    tag(client, "Takeover", synonyms=("project zeus",))
    outsider = Client(hub, agency)
    upload = outsider.upload(b"Another letter. " * 50, "another.txt")
    changed = {"asset": theirs["id"], "expectedRevision": theirs["revision"]}
    with unchanged(hub):
        refusals = [
            outsider.mutate("assetUpdate", TAGS, **changed, addTags=[spelling]),
            outsider.mutate("assetUpdate", TAGS, **changed, tags=[spelling]),
            outsider.mutate("assetCreate", TAGS, upload=upload, tags=[spelling]),
        ]
    for refusal in refusals:
        (error,) = refusal["errors"]
        told = (refusal["asset"], error["code"], error["message"], error["path"])
        assert told == (None, "NOT_ALLOWED", "This needs the permission tag.create.", None)


def test_a_tag_that_is_seen_is_given_by_any_spelling(
    hub: Hub, client: Client, agency: Viewer, theirs: dict[str, Any]
) -> None:
    tag(client, "Beach", synonyms=("Strand",))
    first = client.mutate(
        "assetUpdate", TAGS, asset=theirs["id"], expectedRevision=theirs["revision"], addTags=["beach"]
    )["asset"]
    outsider = Client(hub, agency)
    second = outsider.create(b"Another letter. " * 50, "another.txt", tags=["strand"])
    seen = outsider.ask("query ($id: ID!) { asset(id: $id) { tags { name } } }", id=second["id"])
    assert first["tags"] == seen["asset"]["tags"] == [{"name": "Beach"}]
