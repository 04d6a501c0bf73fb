"""Exports over GraphQL: asked for, written by a worker, fetched by whoever asked, thrown away."""

from __future__ import annotations

import dataclasses
import io
import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from domain import delivery, exports
from domain.audit import Served, served
from domain.global_ids import encode, number_of
from domain.hub import Hub
from domain.jobs import RENDERING
from domain.refusals import NotFound
from domain.work import HUB, Viewer, Work
from storage.tables import BlobRow, BulkExportPartRow, BulkExportRow, EventRow
from tests import acting
from tests.asking import Client
from tests.assets import acts
from tests.fields import brand
from tests.sharing.scene import Scene
from tests.working import runner_of, tools_of, work_off
from workers import exports as writing
from workers.registry import Duties, Interrupted

EXPORT = "id state done total cursor byteSize url { url validUntil } failure { code } job { kind state done total }"
#: Nothing is rendered: an export that is asked for comes behind that in the queues.
UNRENDERED = dict.fromkeys(RENDERING, lambda _tools, _job: lambda _work: None)
DUTIES = Duties(handlers={**writing.HANDLERS, **UNRENDERED}, exhausted=writing.EXHAUSTED)


@pytest.fixture
def scene(hub: Hub, admin: Viewer) -> Scene:
    return Scene(hub, admin)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of two."""
    monkeypatch.setattr("domain.exports.writing.BATCH", 2)


def ask(client: Client, **fields: Any) -> str:
    payload = acts.accepted(client.mutate("bulkExportRun", "export { id state }", **fields))
    assert payload["export"]["state"] == "QUEUED"
    export: str = payload["export"]["id"]
    return export


def look(client: Client, export: str) -> dict[str, Any]:
    query = f"query ($id: ID!) {{ node(id: $id) {{ ... on BulkExport {{ {EXPORT} }} }} }}"
    found: dict[str, Any] = client.ask(query, id=export)["node"]
    return found


def fetched(client: Client, export: str) -> list[dict[str, Any]]:
    """Every line of the file, through the door."""
    url = look(client, export)["url"]
    assert url is not None
    with client.hub.reading(HUB) as work:
        opened = delivery.open_door(work, urlsplit(url["url"]).path.split("/")[-1])
    with client.hub.blobs.open(opened.sha256) as reader:
        return [json.loads(line) for line in reader.read().splitlines()]


def written(client: Client, **fields: Any) -> list[dict[str, Any]]:
    export = ask(client, **fields)
    work_off(client.hub, DUTIES)
    return fetched(client, export)


def test_an_export_holds_what_is_shown_and_where_the_feed_goes_on(client: Client) -> None:
    first = acts.created(client, acts.picture(1), tags=["sea"], title="Beach")
    archived = acts.created(client, acts.picture(2))
    acts.accepted(acts.change(client, "assetArchive", archived))
    export = ask(client, what=["ASSET", "TAG"])
    work_off(client.hub, DUTIES)

    done = look(client, export)
    head, tag, asset, tail = fetched(client, export)

    assert (done["state"], done["done"], done["total"]) == ("DONE", 2, 2)
    assert done["job"] == {"kind": "write_export", "state": "DONE", "done": 2, "total": 2}
    assert head == {"type": "Export", "format": 1, "subjects": ["TAG", "ASSET"], "cursor": done["cursor"]} | {
        "mark": head["mark"]
    }
    assert tag == {"type": "Tag", "id": first["tags"][0]["id"], "name": "sea", "parent": None, "synonyms": []}
    assert tail == {"type": "End", "lines": 2}
    assert (asset["type"], asset["id"], asset["title"]) == ("Asset", first["id"], "Beach")
    assert asset["tags"] == [{"id": tag["id"], "name": "sea"}]
    assert (asset["current"]["sha256"], asset["current"]["renditions"]) == (first["current"]["sha256"], [])
    assert asset["approved"] is None
    acts.accepted(acts.change(client, "assetUpdate", first, title="Shore"))
    query = "query ($after: String) { changes(after: $after) { resync nodes { type nodeId } } }"
    later = client.ask(query, after=done["cursor"])["changes"]
    assert later == {"resync": False, "nodes": [{"type": "UPDATED", "nodeId": first["id"]}]}


def test_references_to_other_assets_are_written_down_for_whoever_sees_every_asset(hub: Hub, client: Client) -> None:
    brand.every_field(client)
    first, second = acts.created(client, acts.picture(1)), acts.created(client, acts.picture(2))
    told = acts.accepted(brand.say(client, second, original={"asset": first["id"]}, note={"text": "cut"}))
    fields = {line["id"]: line["fields"] for line in written(client)[1:-1]}
    assert fields == {first["id"]: {}, second["id"]: {"original": first["id"], "note": "cut"}}
    picky = Client(hub, acting.member(hub, "admin", scope="ASSET_KIND", asset_kind="IMAGE"))
    assert [line["fields"] for line in written(picky)[1:-1]] == [{}, {"note": "cut"}]
    acts.accepted(brand.say(client, told["asset"], original=None))
    assert [line["fields"] for line in written(client)[1:-1]] == [{}, {"note": "cut"}]


def test_a_filter_and_fields_narrow_the_assets(client: Client) -> None:
    acts.created(client, acts.picture(1), title="Beach", tags=["sea"])
    wanted = acts.created(client, acts.picture(2), title="Logo", tags=["logo"])
    where = {"tags": {"anyOf": [wanted["tags"][0]["id"]]}, "createdAt": {"from": "2020-01-01T00:00:00Z"}}
    lines = written(client, where=where, fields=["title", "kind"])
    assert lines[1:-1] == [{"type": "Asset", "id": wanted["id"], "title": "Logo", "kind": "IMAGE"}]


def test_a_partner_gets_what_was_shared_as_it_is_shown_to_them(scene: Scene) -> None:
    shared, _hidden = scene.asset(), scene.asset()
    scene.share(asset=shared)
    lines = written(Client(scene.hub, scene.renewed(scene.partner)), what=["ASSET", "LIGHTBOX", "TAG"])
    assert [(line["type"], line.get("id")) for line in lines[1:-1]] == [("Asset", encode("Asset", shared))]


@pytest.mark.usefixtures("small")
def test_an_export_of_many_batches_is_one_file_in_order(client: Client) -> None:
    made = [acts.created(client, acts.picture(number))["id"] for number in range(5)]
    lines = written(client)
    assert [line["id"] for line in lines[1:-1]] == made
    assert lines[-1] == {"type": "End", "lines": 5}


@pytest.mark.usefixtures("small")
def test_what_a_killed_worker_has_written_is_not_written_again(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [acts.created(client, acts.picture(number))["id"] for number in range(5)]
    export = ask(client)
    number = number_of("BulkExport", export)
    tools = tools_of(client.hub)
    with tools.writing() as work:  # as far as a worker came that nobody heard of again
        assert exports.begin(work, number)
    with tools.reading() as work:
        batch = exports.batch(work, number)
    assert batch is not None
    stored = client.hub.blobs.put(io.BytesIO(batch.body))
    with tools.writing() as work:
        assert exports.keep(work, number, batch, stored) == (2, 5)
    with tools.writing() as work:
        assert exports.keep(work, number, batch, stored) is None  # a batch counts once
    asked: list[int] = []
    read = exports.batch

    def noted(work: Work, id_: int) -> Any:
        asked.append(id_)
        return read(work, id_)

    monkeypatch.setattr(exports, "batch", noted)

    work_off(client.hub, DUTIES)

    assert len(asked) == 2
    assert [line["id"] for line in fetched(client, export)[1:-1]] == made


@pytest.mark.usefixtures("small")
def test_a_worker_that_must_stop_gives_the_export_back(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        acts.created(client, acts.picture(number))
    export = ask(client)
    is_written, looks = exports.is_written, list[int]()

    def stopped(work: Work, id_: int) -> bool:
        looks.append(id_)
        if len(looks) == 2:
            raise Interrupted
        return is_written(work, id_)

    monkeypatch.setattr(exports, "is_written", stopped)
    runner = runner_of(client.hub, DUTIES)
    while len(looks) < 2:
        assert runner._run_one()
    monkeypatch.undo()
    assert (look(client, export)["state"], look(client, export)["done"]) == ("RUNNING", 2)
    work_off(client.hub, DUTIES)
    assert len(fetched(client, export)) == 7
    assert looks == [number_of("BulkExport", export)] * 2


@pytest.mark.usefixtures("small")
def test_rights_that_change_while_it_is_written_begin_it_anew(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = [scene.asset() for _ in range(3)]
    for asset in shared:
        scene.share(asset=asset)
    partner = Client(scene.hub, scene.renewed(scene.partner))
    other = scene.asset()
    export = ask(partner)
    keep, turns = exports.keep, list[int]()

    def keep_and_turn(*given: Any) -> Any:
        if not turns:
            turns.append(1)
            with scene.hub.writing(HUB) as work:
                assert scene.partner.principal_id is not None
                acting.give(scene.hub, scene.partner.principal_id, "partner", org_id=scene.north, session=work.session)
        return keep(*given)

    monkeypatch.setattr(exports, "keep", keep_and_turn)
    work_off(scene.hub, DUTIES)
    monkeypatch.undo()

    lines = fetched(Client(scene.hub, scene.renewed(scene.partner)), export)
    assert [line["id"] for line in lines[1:-1]] == [encode("Asset", each) for each in (*shared, other)]


def test_a_file_opens_only_to_whoever_asked_and_while_they_hold_the_same(scene: Scene) -> None:
    asset = scene.asset()
    scene.share(asset=asset)
    partner = Client(scene.hub, scene.renewed(scene.partner))
    export = ask(partner)
    work_off(scene.hub, DUTIES)
    url = look(partner, export)["url"]["url"]
    assert look(Client(scene.hub, scene.admin), export) is None
    token = urlsplit(url).path.split("/")[-1]
    with scene.hub.reading(HUB) as work:
        assert delivery.open_door(work, token).file_name.endswith(".jsonl")
    with scene.hub.writing(HUB) as work:
        assert scene.partner.principal_id is not None
        acting.give(scene.hub, scene.partner.principal_id, "viewer", org_id=scene.north, session=work.session)
    with scene.hub.reading(HUB) as work, pytest.raises(NotFound):
        delivery.open_door(work, token)
    assert look(Client(scene.hub, scene.renewed(scene.partner)), export)["url"] is None


def test_what_is_fetched_is_recorded(client: Client, hub: Hub) -> None:
    export = ask(client)
    work_off(hub, DUTIES)
    token = urlsplit(look(client, export)["url"]["url"]).path.split("/")[-1]
    with hub.reading(HUB) as work:
        opened = delivery.open_door(work, token)
    with hub.writing(HUB) as work:
        served(work, [Served(opened, 0, 10, None, None)])
    with hub.reading(HUB) as work:
        (event,) = work.session.scalars(sa.select(EventRow).where(EventRow.type == "delivery.served"))
    assert (event.subject_type, event.subject_id, event.payload["sha256"]) == (
        "BulkExport",
        number_of("BulkExport", export),
        opened.sha256,
    )
    assert event.actor_id == client.viewer.principal_id


def test_an_export_that_is_given_up_leaves_nothing(client: Client, hub: Hub) -> None:
    acts.created(client, acts.picture(1))
    export = ask(client)
    payload = acts.accepted(client.mutate("bulkExportCancel", "export { state }", export=export))
    assert payload["export"]["state"] == "CANCELLED"
    work_off(hub, DUTIES)
    found = look(client, export)
    assert (found["state"], found["url"], found["done"]) == ("CANCELLED", None, 0)
    error = acts.refusal(client.mutate("bulkExportCancel", "export { state }", export=export))
    assert error["code"] == "CONFLICT"


@pytest.mark.usefixtures("small")
def test_a_worker_lets_go_of_an_export_that_is_given_up(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        acts.created(client, acts.picture(number))
    export = ask(client)
    read, batches = exports.batch, list[int]()

    def given_up(work: Work, id_: int) -> Any:
        batches.append(id_)
        if len(batches) == 2:
            acts.accepted(client.mutate("bulkExportCancel", "export { state }", export=export))
        return read(work, id_)

    monkeypatch.setattr(exports, "batch", given_up)
    work_off(client.hub, DUTIES)
    assert (look(client, export)["state"], look(client, export)["done"]) == ("CANCELLED", 2)


def test_an_organisation_has_three_under_way_at_once(client: Client) -> None:
    for _ in range(exports.MOST_AT_ONCE):
        ask(client)
    with acts.unchanged(client.hub):
        error = acts.refusal(client.mutate("bulkExportRun", "export { id }"))
    assert error["code"] == "CONFLICT"
    work_off(client.hub, DUTIES)
    ask(client)


@pytest.mark.usefixtures("small")
def test_the_sweep_throws_away_parts_at_once_and_files_after_a_week(client: Client, hub: Hub) -> None:
    for number in range(3):
        acts.created(client, acts.picture(number))
    before = set(hub.blobs.keys())
    export = ask(client)
    work_off(hub, DUTIES)
    swept = Duties(handlers=writing.HANDLERS, chores=writing.CHORES)

    def sweep(at: Hub) -> None:
        writing.sweep_exports(tools_of(at), None)  # type: ignore[arg-type]  # it looks at no job

    assert swept.chores
    sweep(hub)
    with hub.reading(HUB) as work:
        assert work.session.scalars(sa.select(BulkExportPartRow)).all() == []
        (sha256,) = work.session.scalars(sa.select(BulkExportRow.sha256))
    assert set(hub.blobs.keys()) - before == {sha256}
    assert len(fetched(client, export)) == 5

    sweep(dataclasses.replace(hub, clock=lambda: hub.clock() + timedelta(days=exports.KEPT_DAYS + 1)))

    assert set(hub.blobs.keys()) == before
    with hub.reading(HUB) as work:
        assert set(work.session.scalars(sa.select(BlobRow.sha256))) == before
    assert look(client, export)["url"] is None


def test_bytes_of_an_export_that_became_an_asset_stay(client: Client, hub: Hub) -> None:
    export = ask(client)
    work_off(hub, DUTIES)
    with hub.reading(HUB) as work:
        sha256 = work.session.scalars(sa.select(BulkExportRow.sha256)).one()
        assert sha256 is not None
    with hub.blobs.open(sha256) as reader:
        body = reader.read()
    client.create(body, "export.txt")
    writing.sweep_exports(
        tools_of(dataclasses.replace(hub, clock=lambda: hub.clock() + timedelta(days=30))),
        None,  # type: ignore[arg-type]  # it looks at no job
    )
    assert look(client, export)["url"] is None
    assert hub.blobs.stat(sha256) == len(body)


def test_whoever_may_take_nothing_away_by_then_gets_no_export(scene: Scene) -> None:
    partner = Client(scene.hub, scene.partner)
    export = ask(partner)
    with scene.hub.writing(HUB) as work:
        row = work.session.get_one(BulkExportRow, number_of("BulkExport", export))
        work.session.execute(
            sa.text("UPDATE principal SET disabled_at = created_at WHERE id = :id"), {"id": row.principal_id}
        )
    work_off(scene.hub, DUTIES)
    assert look(partner, export)["failure"] == {"code": "NOT_ALLOWED"}


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [({"what": []}, "subject"), ({"what": ["TAG"], "fields": ["title"]}, "subject"), ({"fields": []}, "field")],
)
def test_an_export_of_nothing_is_refused(client: Client, fields: dict[str, Any], constraint: str) -> None:
    with acts.unchanged(client.hub):
        error = acts.refusal(client.mutate("bulkExportRun", "export { id }", **fields))
    assert (error["code"], error["constraint"]) == ("INVALID", constraint)
