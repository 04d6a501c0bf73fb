"""Changing many assets at once: what is foreseen, what is done, what is refused, and by whom."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import sqlalchemy as sa

from domain import bulk
from domain.hub import Hub
from storage.tables import EventRow
from tests import acting
from tests.asking import Client
from tests.assets import acts
from tests.assets.acts import accepted, created, picture, refusal
from tests.bulk.library import OPERATION, Library, look, number_of, states
from tests.fields.brand import new_field
from tests.working import at_once, jobs_of, tools_of, work_off
from workers import registry
from workers.runner import Runner


@pytest.fixture
def library(client: Client) -> Library:
    return Library.of(client)


def test_a_preview_tells_what_would_be_done_and_refused_and_changes_nothing(hub: Hub, library: Library) -> None:
    client = library.client
    new_field(client, "runtime", "NUMBER", kinds=["VIDEO"])
    accepted(acts.change(client, "assetArchive", acts.look(client, {"id": library.ids[0]})))
    accepted(acts.change(client, "assetUpdate", acts.look(client, {"id": library.ids[1]}), title="Same"))
    with acts.unchanged(hub):
        found = library.preview(title="Same", addTags=["brand new"])
        wrong = library.preview(fields=[{"key": "runtime", "value": {"number": "1"}}])
    assert (found["total"], found["changed"], found["unchanged"], found["refused"]) == (4, 3, 0, 1)
    (reason,) = found["refusals"]
    assert (reason["code"], reason["count"]) == ("CONFLICT", 1)
    assert reason["message"] == "This asset is archived: restore it first."
    assert [each["id"] for each in reason["examples"]] == [library.ids[0]]
    first = found["examples"][0]
    assert first["changes"] == [{"what": "tags", "before": [], "after": ["brand new"]}]
    assert found["examples"][1]["changes"][0] == {"what": "title", "before": "picture", "after": "Same"}
    assert (wrong["changed"], wrong["refused"]) == (0, 4)

    done = library.done(title="Same", addTags=["brand new"])
    assert [done[each] for each in ("total", "changed", "unchanged", "refused")] == [4, 3, 0, 1]
    assert states(done) == ["REFUSED", "CHANGED", "CHANGED", "CHANGED"]


def test_a_filter_chooses_assets_and_their_number_must_be_as_expected(library: Library) -> None:
    where = {"fields": [{"key": "seasons", "choice": {"anyOf": ["winter"]}}]}
    assert library.preview({"where": where}, title="Cold")["total"] == 2
    asked = f"assetBulkUpdate(input: $input) {{ {OPERATION} errors {{ code }} }}"
    query = f"mutation ($input: AssetBulkUpdateInput!) {{ {asked} }}"
    given = {"where": where, "changes": {"title": "Cold"}, "expected": 3}
    with acts.unchanged(library.client.hub):
        answer = library.client.ask(query, input=given)["assetBulkUpdate"]
    assert [error["code"] for error in answer["errors"]] == ["CONFLICT"]
    done = library.client.ask(query, input={**given, "expected": 2})["assetBulkUpdate"]["operation"]
    assert [item["asset"]["id"] for item in done["items"]["nodes"]] == [library.ids[1], library.ids[3]]


def test_what_no_asset_would_take_is_refused_as_a_whole(library: Library) -> None:
    client = library.client
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"changes": {}}, "INVALID"),
        ({"changes": {"title": " "}}, "INVALID"),
        ({"changes": {"tags": ["a"], "addTags": ["b"]}}, "INVALID"),
        ({"changes": {"removeTags": ["nothing"]}}, "NOT_FOUND"),
        ({"changes": {"fields": [{"key": "price", "value": {"number": "-1"}}]}}, "INVALID"),
        ({"changes": {"fields": [{"key": "nothing", "value": None}]}}, "INVALID"),
        ({"changes": {"title": "x"}, "assets": []}, "INVALID"),
        ({"changes": {"title": "x"}, "assets": None}, "INVALID"),
        ({"changes": {"title": "x"}, "where": {"width": {"eq": 3}}}, "INVALID"),
        ({"changes": {"title": "x"}, "assets": [library.ids[0], "QXNzZXQ6OTk5"]}, "NOT_FOUND"),
        ({"changes": {"brand": "QnJhbmQ6OTk"}}, "NOT_FOUND"),
    ]
    for given, code in wrong:
        with acts.unchanged(client.hub):
            payload = client.mutate("assetBulkUpdate", "operation { id }", **{"assets": library.ids, **given})
        assert refusal(payload)["code"] == code, given


def test_many_assets_are_a_jobs_work_with_progress_and_go_on_where_it_was_left(hub: Hub, client: Client) -> None:
    library = Library.of(client, 1)
    for number in range(1, bulk.AT_ONCE + 1):
        library.ids.append(created(client, picture(number))["id"])
    work_off(hub)
    operation = library.done(title="Same", addTags=["fresh"])
    assert (operation["state"], operation["changed"]) == ("QUEUED", 0)
    assert operation["job"] == {"state": "READY", "done": 0, "total": None}
    killed = dataclasses.replace(registry.collect(), handlers={"run_bulk_operation": _killed_after_one_batch})
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("domain.bulk.running.BATCH", 10)
        assert Runner(tools_of(hub), killed, registry.Stop())._run_one()
        half = look(client, operation)
        assert (half["state"], half["changed"]) == ("RUNNING", 10)
        with acts.unchanged(hub):
            payload = client.mutate("bulkOperationUndo", "operation { id }", operation=operation["id"])
        assert refusal(payload)["code"] == "CONFLICT"
        _make_due(hub)
        work_off(hub)
    found = look(client, operation)
    assert [found[each] for each in ("state", "total", "changed", "refused")] == ["DONE", 26, 26, 0]
    assert {job["state"] for job in jobs_of(hub) if job["kind"] == "run_bulk_operation"} == {"DONE"}
    assert len(acts.events(hub, "bulk_operation.done")) == 1


def test_every_event_carries_the_operations_id_and_reason(hub: Hub, library: Library) -> None:
    payload = library.client.mutate(
        "assetBulkUpdate", OPERATION, assets=library.ids, changes={"title": "Same"}, reason="Spring clean"
    )
    operation = accepted(payload)["operation"]
    with hub.database.reading() as session:
        rows = list(session.scalars(sa.select(EventRow).where(EventRow.request_id == operation["id"])))
    assert {row.type for row in rows} == {"asset.updated", "bulk_operation.done"}
    assert {row.reason for row in rows} == {"Spring clean"}
    assert {row.actor_id for row in rows} == {library.client.viewer.principal_id}
    assert sorted(row.subject_id for row in rows if row.subject_type == "Asset") == sorted(map(number_of, library.ids))


def test_an_operation_is_done_with_the_rights_of_whoever_asked(hub: Hub, library: Library) -> None:
    org_id = acting.organisation(hub, "Studio", kind="AGENCY")
    agency = Client(hub, acting.member(hub, "agency", org_id=org_id))
    mine = created(agency, picture(50))["id"]
    with acts.unchanged(hub):
        payload = agency.mutate(
            "assetBulkUpdate", "operation { id }", assets=[mine, library.ids[0]], changes={"title": "x"}
        )
    assert refusal(payload)["code"] == "NOT_FOUND"
    theirs = Library(agency, [mine])
    assert theirs.preview({"where": {}}, title="x")["total"] == 1
    done = theirs.done(title="x")
    assert done["changed"] == 1
    designer = Client(hub, acting.member(hub, "designer"))
    assert designer.ask("{ bulkOperations { totalCount } }") == {"bulkOperations": {"totalCount": 0}}
    assert library.client.ask("{ bulkOperations { totalCount } }") == {"bulkOperations": {"totalCount": 1}}
    payload = designer.mutate("bulkOperationUndo", "operation { id }", operation=done["id"])
    assert refusal(payload)["code"] == "NOT_FOUND"
    looking = Client(hub, acting.member(hub, "viewer"))
    answer = looking.answer('{ assetBulkPreview(selection: {where: {}}, changes: {title: "x"}) { total } }')
    assert answer["errors"][0]["extensions"]["code"] == "NOT_ALLOWED"


def test_of_two_who_take_an_operation_back_at_once_one_does(hub: Hub, library: Library) -> None:
    before = library.standing()
    operation = library.done(title="Same")

    def undo() -> list[Any]:
        client = Client(hub, library.client.viewer)
        errors: list[Any] = client.mutate("bulkOperationUndo", "operation { id }", operation=operation["id"])["errors"]
        return errors

    answers = at_once([undo, undo, undo])
    assert sorted(len(errors) for errors in answers) == [0, 1, 1]
    assert library.standing() == before


def test_operations_on_the_same_assets_at_once_leave_every_one_of_them_whole(hub: Hub, library: Library) -> None:
    def run(number: int) -> Any:
        client = Client(hub, library.client.viewer)
        ids = library.ids if number % 2 else list(reversed(library.ids))
        given = {"title": f"title {number}", "description": f"text {number}", "addTags": [f"of {number}"]}
        return client.mutate("assetBulkUpdate", "operation { id changed }", assets=ids, changes=given)

    payloads = at_once([lambda number=number: run(number) for number in range(4)])  # type: ignore[misc]  # a default
    assert [payload["errors"] for payload in payloads] == [[]] * 4
    for said in library.standing().values():
        number = said["title"][0].removeprefix("title ")
        assert said["description"][0] == f"text {number}"
    assert sum(payload["operation"]["changed"] for payload in payloads) == 16


def test_a_cancelled_operation_leaves_the_rest_alone_and_is_taken_back(hub: Hub, client: Client) -> None:
    library = Library.of(client, 1)
    for number in range(1, bulk.AT_ONCE + 1):
        library.ids.append(created(client, picture(number))["id"])
    before = library.standing()
    operation = library.done(title="Same")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("domain.bulk.running.BATCH", 5)
        with hub.writing(client.viewer) as work:
            bulk.batch(work, number_of(operation["id"]), client.viewer)
    cancelled = accepted(client.mutate("bulkOperationCancel", OPERATION, operation=operation["id"]))["operation"]
    assert (cancelled["state"], cancelled["changed"]) == ("CANCELLED", 5)
    work_off(hub)
    undone = library.undo(operation)
    assert (undone["changed"], undone["state"]) == (5, "DONE")
    assert library.standing() == before


def _killed_after_one_batch(tools: registry.Tools, job: Any) -> registry.Write:
    operation_id = int(job.payload["operation_id"])
    with tools.writing() as work:
        bulk.batch(work, operation_id, bulk.owner(work, operation_id))
    raise registry.JobFailed("KILLED", "The worker died.", retryable=True)


def _make_due(hub: Hub) -> None:
    with hub.database.writing() as session:
        session.execute(sa.text("UPDATE job SET run_at = created_at WHERE kind = 'run_bulk_operation'"))
