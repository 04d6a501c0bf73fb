"""What a review found wrong between the parts: each stays mended, on both stores."""

from __future__ import annotations

from typing import Any

import pytest

from domain import metadata
from domain.hub import Hub
from domain.work import HUB
from storage.tables import AssetVersionRow, MetadataRow
from tests.asking import Client
from tests.assets.acts import picture, unchanged


def test_a_cursor_of_one_assets_versions_is_refused_on_another(client: Client) -> None:
    one, other = (client.create(picture(number)) for number in (1, 2))
    query = """query ($id: ID!, $after: String) {
      asset(id: $id) { versions(first: 1, after: $after) { pageInfo { endCursor } } } }"""
    cursor = client.ask(query, id=one["id"])["asset"]["versions"]["pageInfo"]["endCursor"]
    (error,) = client.answer(query, id=other["id"], after=cursor)["errors"]
    assert error["extensions"]["code"] == "BAD_CURSOR"
    assert "errors" not in client.answer(query, id=one["id"], after=cursor)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ('{ tags(startingWith: "a\\u0000b") { totalCount } }', None),
        ('{ assets(where: {mediaType: {eq: "a\\u0000b"}}) { totalCount } }', "INVALID"),
        ('{ assets(where: {mediaType: {startsWith: "a\\u0000b"}}) { totalCount } }', "INVALID"),
        ('{ assets { nodes { latestUrl(preset: "a\\u0000b") } } }', "INVALID"),
    ],
)
def test_the_character_nul_is_never_an_error_of_ours(client: Client, hub: Hub, query: str, code: str | None) -> None:
    client.create(picture(1))
    with unchanged(hub):
        answer: dict[str, Any] = client.answer(query)
    assert [error["extensions"]["code"] for error in answer.get("errors", [])] == ([code] if code else [])


def test_metadata_under_a_name_too_long_for_an_index_is_left_out_and_the_rest_is_kept(client: Client, hub: Hub) -> None:
    client.create(picture(1))
    with hub.writing(HUB) as work:
        version = work.session.get_one(AssetVersionRow, 1)
        entries = [("xmp", "n" * 5_000, "lost"), ("xmp", "CreatorTool", "kept")]
        metadata.record(work, version, metadata.Findings(entries=entries))
    with hub.reading(HUB) as work:
        assert [(row.name, row.value) for row in work.session.query(MetadataRow)] == [("CreatorTool", "kept")]
