"""A preset that changes: its versions, what a change would do, and how it is rolled out without anybody waiting."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa

from domain import asking, presets, renditions
from domain.global_ids import decode
from domain.hub import Hub
from domain.refreshing import RefreshRenditions
from domain.refusals import Invalid
from domain.work import HUB
from storage.tables import AssetVersionRow, JobRow, RenditionPresetRow, RenditionRow
from tests.asking import Client
from tests.assets.acts import unchanged
from tests.imaging import made
from tests.working import mutate, refused, work_off

CHANGED = """preset { revision versions { number madeAt recipe } } rolloutJob { id kind state done total }"""
FORESEE = """query ($input: RenditionPresetUpdateInput!) {
  renditionPresetForesee(input: $input) { affected renders } }"""
ROLLOUT = "query ($id: ID!) { renditionPresetRollout(preset: $id) { ready waiting failed outdated } }"


def picture(number: int) -> bytes:
    return made.encoded(made.solid((number, 9, 9), size=(60, 60)), "PNG")


def preset(client: Client, name: str) -> dict[str, Any]:
    found = client.ask("{ renditionPresets { id name revision quality width watermark metadata } }")["renditionPresets"]
    return next(dict(each) for each in found if each["name"] == name)


def change(client: Client, of: str, /, **fields: Any) -> dict[str, Any]:
    row = preset(client, of)
    payload = mutate(
        client, "renditionPresetUpdate", CHANGED, preset=row["id"], expectedRevision=row["revision"], **fields
    )
    assert payload["errors"] == []
    return payload


def shown(client: Client, asset: dict[str, Any], name: str) -> dict[str, Any]:
    query = """query ($id: ID!, $name: String!) { asset(id: $id) { current {
      rendition(preset: $name) { state sha256 width url { url } } } } }"""
    found: dict[str, Any] = client.ask(query, id=asset["id"], name=name)["asset"]["current"]["rendition"]
    return found


def rollout(client: Client, name: str) -> dict[str, int]:
    found: dict[str, int] = client.ask(ROLLOUT, id=preset(client, name)["id"])["renditionPresetRollout"]
    return found


def test_every_change_of_what_is_made_is_a_version_and_can_be_gone_back_to(hub: Hub, client: Client) -> None:
    asset = client.create(picture(1))
    work_off(hub)
    before = shown(client, asset, "thumb")
    assert [each["number"] for each in change(client, "thumb", width=30)["preset"]["versions"]] == [2, 1]
    assert [each["number"] for each in change(client, "thumb", name="small")["preset"]["versions"]] == [2, 1]
    work_off(hub)
    assert shown(client, asset, "small")["width"] == 30
    row = preset(client, "small")
    back = mutate(
        client, "renditionPresetRevert", CHANGED, preset=row["id"], number=1, expectedRevision=row["revision"]
    )
    told = [(each["number"], each["recipe"]["width"]) for each in back["preset"]["versions"]]
    assert told == [(3, 320), (2, 30), (1, 320)]
    work_off(hub)
    assert shown(client, asset, "small")["sha256"] == before["sha256"]
    again = {"preset": row["id"], "number": 9, "expectedRevision": row["revision"] + 1}
    assert refused(client, "renditionPresetRevert", CHANGED, **again)["code"] == "NOT_FOUND"


def test_a_preset_from_before_there_were_versions_keeps_what_it_was(hub: Hub, client: Client) -> None:
    with hub.writing(HUB) as work:
        work.session.execute(sa.text("DELETE FROM rendition_preset_version"))
    versions = change(client, "web", quality=40)["preset"]["versions"]
    assert [(each["number"], each["recipe"]["quality"]) for each in versions] == [(2, 40), (1, 82)]


def test_what_a_change_would_do_is_told_without_doing_it(hub: Hub, client: Client) -> None:
    for number in range(3):
        client.create(picture(number))
    work_off(hub)
    row = preset(client, "web")
    asked = {"preset": row["id"], "expectedRevision": row["revision"]}
    with unchanged(hub):
        for fields, expected in (
            ({"quality": 50}, {"affected": 3, "renders": True}),
            ({"name": "other"}, {"affected": 0, "renders": False}),
            ({"isDefault": False}, {"affected": 0, "renders": True}),
        ):
            assert client.ask(FORESEE, input=asked | fields)["renditionPresetForesee"] == expected
        answer = client.answer(FORESEE, input=asked | {"width": 0})
        assert answer["errors"][0]["extensions"]["code"] == "INVALID"
        stale = client.answer(FORESEE, input=asked | {"expectedRevision": 9})
        assert stale["errors"][0]["extensions"]["code"] == "STALE_REVISION"


def test_the_old_stays_until_the_new_is_there_and_the_originals_are_untouched(hub: Hub, client: Client) -> None:
    assets = [client.create(picture(number)) for number in range(3)]
    work_off(hub)
    before = [shown(client, asset, "web")["sha256"] for asset in assets]
    job = change(client, "web", quality=20)["rolloutJob"]
    assert (job["kind"], job["state"], job["done"]) == ("apply_preset", "READY", 0)
    assert rollout(client, "web") == {"ready": 0, "waiting": 0, "failed": 0, "outdated": 3}
    work_off(hub, at_most=1)
    assert rollout(client, "web") == {"ready": 0, "waiting": 3, "failed": 0, "outdated": 0}
    assert [shown(client, asset, "web")["sha256"] for asset in assets] == before
    assert {shown(client, asset, "web")["state"] for asset in assets} == {"READY"}
    told = client.ask("query ($id: ID!) { node(id: $id) { ... on Job { state done total } } }", id=job["id"])["node"]
    assert told == {"state": "DONE", "done": 3, "total": 3}
    work_off(hub)
    assert rollout(client, "web") == {"ready": 3, "waiting": 0, "failed": 0, "outdated": 0}
    assert not set(before) & {shown(client, asset, "web")["sha256"] for asset in assets}
    for asset in assets:
        assert hub.blobs.stat(asset["current"]["sha256"])


def test_a_preset_made_only_on_request_is_made_anew_where_it_was_made_before(hub: Hub, client: Client) -> None:
    one, _ = client.create(picture(1)), client.create(picture(2))
    square = preset(client, "instagram-square")
    mutate(client, "renditionRequest", "rendition { id }", version=one["current"]["id"], preset=square["id"])
    work_off(hub)
    assert shown(client, one, "instagram-square")["width"] == 60
    asked = {"preset": square["id"], "expectedRevision": square["revision"], "width": 20, "height": 20}
    assert client.ask(FORESEE, input=asked)["renditionPresetForesee"] == {"affected": 1, "renders": True}
    change(client, "instagram-square", width=20, height=20)
    work_off(hub)
    assert shown(client, one, "instagram-square")["width"] == 20
    assert rollout(client, "instagram-square") == {"ready": 1, "waiting": 0, "failed": 0, "outdated": 0}


def test_a_change_falls_due_at_the_pace_that_the_operator_allows(hub: Hub, client: Client) -> None:
    for number in range(4):
        client.create(picture(number))
    work_off(hub)
    change(client, "web", quality=20)
    slow = hub.settings.model_copy(update={"rerenders_per_minute": 2})
    object.__setattr__(hub, "settings", slow)
    work_off(hub, at_most=1)
    due = sa.select(JobRow.run_at).where(JobRow.kind == "render_version_again").order_by(JobRow.run_at)
    with hub.reading(client.viewer) as work:
        moments = list(work.session.scalars(due))
    steps = {round((later - earlier) / timedelta(seconds=1)) for earlier, later in pairwise(moments)}
    assert (len(moments), steps) == (4, {30})


def test_what_is_asked_for_now_does_not_wait_for_the_pace(hub: Hub, client: Client) -> None:
    asset = client.create(picture(1))
    work_off(hub)
    change(client, "web", quality=20)
    object.__setattr__(hub, "settings", hub.settings.model_copy(update={"rerenders_per_minute": 1}))
    with hub.writing(HUB) as work:
        row = work.session.scalars(sa.select(RenditionPresetRow).where(RenditionPresetRow.name == "web")).one()
        later = presets.Pace(work.now + timedelta(hours=1), 1)
        presets.queue_after(work, row.id, row.params_digest, 0, 10, later)
    square = preset(client, "instagram-square")
    mutate(client, "renditionRequest", "rendition { id }", version=asset["current"]["id"], preset=square["id"])
    work_off(hub)
    assert shown(client, asset, "instagram-square")["state"] == "READY"


@pytest.mark.parametrize(
    "fields",
    [{"format": "PNG", "colour": "CMYK"}, {"profile": "SWOP"}, {"watermark": "x" * 61}, {"dpi": 9999}, {"page": -1},
     {"colour": "GREY", "proof": "FOGRA39L"}, {"watermark": "two\nlines"}],
)  # fmt: skip
def test_what_cannot_be_made_is_refused_by_name(client: Client, fields: dict[str, Any]) -> None:
    row = preset(client, "web")
    asked = {"preset": row["id"], "expectedRevision": row["revision"], **fields}
    assert refused(client, "renditionPresetUpdate", CHANGED, **asked)["code"] == "INVALID"


def test_a_watermark_is_taken_back_by_an_empty_text(client: Client) -> None:
    change(client, "web", watermark="DRAFT", metadata="ALL")
    assert (preset(client, "web")["watermark"], preset(client, "web")["metadata"]) == ("DRAFT", "ALL")
    change(client, "web", watermark="")
    assert preset(client, "web")["watermark"] is None


def test_a_recipe_and_its_preset_speak_alike_of_what_is_refused(hub: Hub) -> None:
    with hub.writing(HUB) as work, pytest.raises(Invalid) as refusal:
        presets.create(work, presets.Wish(name="UPPER", width=1, height=1))
    assert refusal.value.path == ("name",)


def test_a_finished_rendition_is_only_replaced_by_another(hub: Hub, client: Client) -> None:
    asset = client.create(picture(1))
    work_off(hub)
    before = shown(client, asset, "thumb")
    with hub.writing(HUB) as work:
        rows = list(work.session.scalars(sa.select(RenditionRow)))
        version = work.session.get_one(AssetVersionRow, rows[0].version_id)
        failed = renditions.Failure("DAMAGED", "The file is damaged and cannot be read.")
        renditions.replace_stale(work, version, {row.id: failed for row in rows})
    assert shown(client, asset, "thumb")["sha256"] == before["sha256"]


def test_what_would_come_out_the_same_is_not_made_again(hub: Hub, client: Client) -> None:
    asset = client.create(picture(1))
    work_off(hub)
    number = decode(asset["current"]["id"])[1]
    with hub.writing(HUB) as work:
        assert renditions.stale(work, number)[1] == {}
        work.session.execute(sa.update(RenditionRow).where(RenditionRow.preset_id == 1).values(made_digest="0" * 64))
    with hub.writing(HUB) as work:
        assert [each.bare.preset for each in renditions.stale(work, number)[1].values()] == ["thumb"]
        asking.ask(work, RefreshRenditions(number))
    work_off(hub)
    with hub.writing(HUB) as work:
        assert renditions.stale(work, number)[1] == {}
