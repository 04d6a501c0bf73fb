"""The index follows the rows: what changed is found, what was taken away never shows, and it can always be rebuilt."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
import sqlalchemy as sa

from domain import history
from domain import search as searching
from domain.hub import Hub
from domain.work import HUB
from storage.index.whoosh_index import paging
from storage.tables import EventRow
from tests.asking import Client, rows_everywhere, statements
from tests.imaging import made
from tests.listing.rows import Facts, insert, some
from tests.working import index_all, mutate, reads, work_off


def asset(client: Client, number: int, title: str, *tags: str) -> dict[str, Any]:
    data = made.encoded(made.solid((number, 5, 5), size=(20, 20)), "PNG")
    return client.create(data, f"{number}.png", title=title, tags=list(tags))


def found(client: Client, text: str, arguments: str = "") -> list[str]:
    page = client.ask(f"query ($t: String) {{ assets(search: $t{arguments}) {{ nodes {{ title }} }} }}", t=text)
    return sorted(node["title"] for node in page["assets"]["nodes"])


def update(client: Client, id_: str, mutation: str = "assetUpdate", **fields: Any) -> None:
    asked = "query ($id: ID!) { asset(id: $id) { revision } }"
    revision = client.ask(asked, id=id_)["asset"]["revision"]
    payload = client.mutate(mutation, "asset { id }", asset=id_, expectedRevision=revision, **fields)
    assert payload["errors"] == []


def tag(client: Client, spelling: str) -> dict[str, Any]:
    nodes = client.ask("query ($s: String) { tags(startingWith: $s) { nodes { id revision } } }", s=spelling)
    first: dict[str, Any] = nodes["tags"]["nodes"][0]
    return first


def lag(client: Client) -> int:
    value: int = client.ask("{ assets { indexLagMs } }")["assets"]["indexLagMs"]
    return value


def test_a_committed_change_is_found_after_one_catching_up(hub: Hub, client: Client) -> None:
    index_all(hub)
    assert lag(client) == 0
    one = asset(client, 1, "Lighthouse")
    assert found(client, "lighthouse") == []
    assert lag(client) > 0
    index_all(hub)
    assert (found(client, "lighthouse"), lag(client)) == (["Lighthouse"], 0)
    update(client, one["id"], title="Windmill", tags=["tall"], description="Turning arms.")
    index_all(hub)
    assert found(client, "lighthouse") == []
    assert found(client, "windmill") == found(client, "tall") == found(client, "arm") == ["Windmill"]


def test_what_analysis_finds_out_is_found_too(hub: Hub, client: Client) -> None:
    asset(client, 1, "Lighthouse")
    work_off(hub)
    index_all(hub)
    assert found(client, "width:20") == ["Lighthouse"]


def test_catching_up_twice_changes_nothing(hub: Hub, client: Client) -> None:
    asset(client, 1, "Lighthouse", "tall")
    assert index_all(hub) > 0
    assert index_all(hub) == 0
    assert found(client, "tall") == ["Lighthouse"]


def test_what_was_taken_away_since_it_was_indexed_never_shows(hub: Hub, client: Client) -> None:
    one, two = asset(client, 1, "Old lighthouse", "tall"), asset(client, 2, "New lighthouse", "tall")
    index_all(hub)
    update(client, one["id"], "assetArchive")
    update(client, two["id"], tags=["small"])
    number = tag(client, "tall")["id"]
    assert found(client, "lighthouse") == ["New lighthouse"]
    assert found(client, "lighthouse", ", where: {lifecycle: {eq: ARCHIVED}}") == []  # not known as archived yet
    assert found(client, "lighthouse", f', where: {{tags: {{anyOf: ["{number}"]}}}}') == []
    assert found(client, "lighthouse", ", stage: APPROVED") == []
    index_all(hub)
    assert found(client, "lighthouse") == ["New lighthouse"]
    assert found(client, "lighthouse", ", where: {lifecycle: {eq: ARCHIVED}}") == ["Old lighthouse"]


def test_an_approval_taken_back_takes_the_asset_out_of_the_approved_stage_at_once(hub: Hub, client: Client) -> None:
    one = asset(client, 1, "Lighthouse")
    version = one["current"]
    approved = client.mutate(
        "assetVersionApprove", "version { id }", ownWork=True, version=version["id"], sha256=version["sha256"]
    )
    assert approved["errors"] == []
    index_all(hub)
    assert found(client, "lighthouse", ", stage: APPROVED") == ["Lighthouse"]
    client.mutate("assetVersionApprovalRevoke", "version { id }", version=version["id"])
    assert found(client, "lighthouse", ", stage: APPROVED") == []
    index_all(hub)
    assert found(client, "lighthouse", ", stage: APPROVED") == []
    assert found(client, "lighthouse") == ["Lighthouse"]


def test_texts_that_changed_since_they_were_indexed_are_not_quoted(hub: Hub, client: Client) -> None:
    one = asset(client, 1, "Secret lighthouse")
    index_all(hub)
    update(client, one["id"], title="Public lighthouse")
    page = client.ask('{ assets(search: "lighthouse") { edges { node { title } textMatches { field } } } }')["assets"]
    assert page["edges"] == [{"node": {"title": "Public lighthouse"}, "textMatches": []}]


def test_a_renamed_and_a_merged_tag_are_found_under_their_new_words(hub: Hub, client: Client) -> None:
    asset(client, 1, "One", "coast")
    asset(client, 2, "Two", "beach")
    index_all(hub)
    coast = tag(client, "coast")
    changed = mutate(
        client,
        "tagUpdate",
        "tag { revision }",
        tag=coast["id"],
        expectedRevision=coast["revision"],
        name="seaside",
        synonyms=["Küste"],
    )
    index_all(hub)
    assert (found(client, "coast"), found(client, "seaside"), found(client, "küste")) == ([], ["One"], ["One"])
    mutate(
        client,
        "tagMerge",
        "tag { id }",
        into=coast["id"],
        expectedRevision=changed["tag"]["revision"],
        **{"from": [tag(client, "beach")["id"]]},
    )
    index_all(hub)
    assert found(client, "seaside") == found(client, "tag:beach") == ["One", "Two"]


QUESTIONS = ("asset", "beta OR мост", "red -blue", "kind:VIDEO", "width:100..", "gam*", '"delta asset"')


def answers(client: Client) -> list[Any]:
    asked = """query ($t: String) { assets(search: $t, first: 100) { totalCount nodes { id } edges { score }
                 facets(by: [KIND, TAG, MEDIA_TYPE, YEAR]) { values { label count } } } }"""
    return [client.ask(asked, t=text) for text in QUESTIONS]


def test_a_rebuilt_index_answers_as_the_old_one(hub: Hub, client: Client) -> None:
    insert(hub, some(5, 50))
    index_all(hub)
    before, rows = answers(client), rows_everywhere(hub)
    assert searching.rebuild(hub) == 50
    assert answers(client) == before
    assert rows_everywhere(hub) == rows
    assert lag(client) == 0


def test_an_index_whose_files_were_deleted_is_made_again_from_the_rows(hub: Hub, client: Client) -> None:
    insert(hub, some(6, 50))
    index_all(hub)
    before = answers(client)
    shutil.rmtree(hub.settings.index_dir)
    hub.settings.index_dir.mkdir()
    searching.rebuild(hub)
    assert answers(client) == before


def test_changes_that_arrive_after_a_rebuild_are_followed(hub: Hub, client: Client) -> None:
    insert(hub, some(7, 5))
    searching.rebuild(hub)
    asset(client, 1, "Lighthouse")
    index_all(hub)
    assert found(client, "lighthouse") == ["Lighthouse"]


def test_following_a_ranking_too_far_is_refused_with_a_way_out(
    hub: Hub, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a limit of four hits instead of ten thousand."""
    monkeypatch.setattr(paging, "MAX_RANK", 4)
    insert(hub, [Facts("Lighthouse") for _ in range(9)])
    index_all(hub)
    asked = """query ($after: String, $order: [AssetOrder!]) { assets(search: "lighthouse", first: 3, after: $after,
                 orderBy: $order) { nodes { id } pageInfo { endCursor hasNextPage } } }"""
    first = client.ask(asked)["assets"]
    second = client.ask(asked, after=first["pageInfo"]["endCursor"])["assets"]
    assert len(second["nodes"]) == 3
    (error,) = client.answer(asked, after=second["pageInfo"]["endCursor"])["errors"]
    assert error["extensions"] == {"code": "BAD_SEARCH", "argument": "search"}
    assert "order" in error["message"] or "sort" in error["message"]
    cursor, seen, more = None, 0, True
    while more:
        page = client.ask(asked, after=cursor, order=[{"field": "CREATED_AT", "direction": "DESC"}])["assets"]
        cursor, seen, more = page["pageInfo"]["endCursor"], seen + len(page["nodes"]), page["pageInfo"]["hasNextPage"]
    assert seen == 9


def test_a_page_of_hits_takes_a_constant_number_of_statements(hub: Hub, client: Client) -> None:
    query = """{ assets(search: "asset", first: 50) { totalCount nodes { title tags { name }
                 current { mediaType renditions { state } } } } }"""
    counts = []
    for size in (5, 30):
        insert(hub, some(size, size))
        index_all(hub)
        with statements(hub) as sent:
            client.ask(query)
        counts.append(len(reads(sent)))
    assert counts == [4, 4]  # hits looked up again, tags, current versions, renditions


@pytest.mark.parametrize("count", [1_200])
def test_a_tag_on_very_many_assets_is_renamed_for_all_of_them(hub: Hub, client: Client, count: int) -> None:
    insert(hub, [Facts(f"Asset {number}", tags=("old",)) for number in range(count)])
    index_all(hub)
    old = tag(client, "old")
    mutate(client, "tagUpdate", "tag { id }", tag=old["id"], expectedRevision=old["revision"], name="fresh")
    index_all(hub)
    totals = client.ask('{ a: assets(search: "tag:old") { totalCount } b: assets(search: "fresh") { totalCount } }')
    assert totals == {"a": {"totalCount": 0}, "b": {"totalCount": count}}


def test_deliveries_wait_to_be_numbered_until_many_are_and_changes_do_not(hub: Hub, client: Client) -> None:
    def waiting() -> int:
        with hub.reading(HUB) as work:
            return len(list(work.session.scalars(sa.select(EventRow.id).where(EventRow.seq.is_(None)))))

    def deliver() -> None:
        with hub.writing(HUB) as work:
            history.record(work, "delivery.served", ("AssetVersion", 1), {})

    def caught_up(watch: searching.Watch) -> bool:
        with hub.index.writer_lock():
            return watch.catch_up() > 0

    watch = searching.Watch(hub)
    asset(client, 1, "one")
    assert caught_up(watch)
    assert (waiting(), caught_up(watch)) == (0, False)
    deliver()
    assert (caught_up(watch), waiting()) == (False, 1)
    asset(client, 2, "two")
    assert caught_up(watch)
    assert (waiting(), caught_up(watch)) == (0, False)
    assert client.ask('{ assets(search: "two") { totalCount } }') == {"assets": {"totalCount": 1}}
    deliver()
    later = searching.Watch(hub)  # to this one it has waited for ever
    assert (caught_up(later), waiting()) == (False, 0)


def test_deliveries_alone_neither_write_the_index_nor_count_as_lag(hub: Hub, client: Client) -> None:
    asset(client, 1, "one")
    index_all(hub)
    before = hub.index.checkpoint()
    with hub.writing(HUB) as work:
        history.record(work, "delivery.served", ("AssetVersion", 1), {})
    assert searching.catch_up(hub) == 0
    with hub.reading(HUB) as work:
        assert (hub.index.checkpoint(), searching.lag_ms(work)) == (before, 0)
    asset(client, 2, "two")
    assert index_all(hub) > 0
    assert hub.index.checkpoint() > before + 1
