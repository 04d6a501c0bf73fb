"""Pictures made when their address is opened: what is asked for, by whom, once, and for as long as there is room."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from PIL import Image

from domain import asking, blobs, transforms
from domain.global_ids import decode
from domain.hub import Hub
from domain.recipes import FailureCode
from domain.transforms import Failed
from domain.work import HUB, Viewer
from server import waiting
from storage.tables import AssetVersionRow, EventRow, GrantRow, JobRow, TransformRow
from tests import acting
from tests.asking import Client
from tests.iiif.conftest import SIZE, Gallery
from tests.imaging import made
from tests.working import work_off, workers
from workers.transforms import SweepTransforms


def picture(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def rows(hub: Hub) -> list[TransformRow]:
    with hub.reading(HUB) as work:
        return list(work.session.scalars(sa.select(TransformRow).order_by(TransformRow.id)))


@pytest.mark.parametrize(
    ("wish", "size", "media_type", "mode"),
    [
        ("width: 300", (300, 220), "image/jpeg", "RGB"),
        ("height: 110, format: WEBP", (150, 110), "image/webp", "RGB"),
        ("width: 200, height: 200, fit: COVER, format: PNG", (200, 200), "image/png", "RGB"),
        ('width: 200, height: 200, fit: PAD, background: "#ff0000"', (200, 200), "image/jpeg", "RGB"),
        ("width: 90, height: 300, fit: EXACT", (90, 300), "image/jpeg", "RGB"),
        ("region: {x: 100, y: 100, width: 60, height: 40}, rotation: 90", (40, 60), "image/jpeg", "RGB"),
        ("width: 100, colour: GREY", (100, 73), "image/jpeg", "L"),
        ("width: 9000", SIZE, "image/jpeg", "RGB"),
    ],
)
def test_a_picture_is_made_as_it_is_wanted(
    gallery: Gallery, wish: str, size: tuple[int, int], media_type: str, mode: str
) -> None:
    answer = gallery.get(gallery.transform(wish))
    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type), answer.text
    shown = picture(answer.content)
    assert (shown.size, shown.mode) == (size, mode)
    assert f"-{size[0]}x{size[1]}." in answer.headers["content-disposition"]


def test_it_is_made_once_whoever_asks_and_through_whichever_version(gallery: Gallery, hub: Hub) -> None:
    first = gallery.get(gallery.transform("width: 120"))
    designer = acting.member(hub, "designer")
    other = gallery.transform("width: 120", designer)
    assert other != gallery.transform("width: 120")
    again = gallery.ask(other)
    assert (again.status_code, again.content, again.headers["etag"]) == (200, first.content, first.headers["etag"])
    assert len(rows(hub)) == 1
    with hub.reading(HUB) as work:
        assert len(list(work.session.scalars(sa.select(JobRow).where(JobRow.kind == "make_transform")))) == 1


def test_an_asset_gives_what_its_current_version_gives(gallery: Gallery) -> None:
    found = gallery.field("rendition(transform: {width: 50}) { url validUntil }")["rendition"]
    assert found["url"].endswith(gallery.transform("width: 50"))
    assert gallery.get(gallery.transform("width: 50")).status_code == 200


def test_nobody_adds_to_what_was_signed(gallery: Gallery, hub: Hub) -> None:
    path = gallery.transform("width: 50")
    assert gallery.ask(f"{path}?width=500").json()["code"] == "UNSIGNED"
    assert gallery.ask(f"{path}/500").status_code == 404
    for at in (12, 60, len(path) - 2):
        changed = path[:at] + ("A" if path[at] != "A" else "B") + path[at + 1 :]
        assert gallery.ask(changed).status_code == 404
    assert rows(hub) == []


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ("width: 0", "width"),
        ("width: 99999", "width"),
        ("height: -1", "height"),
        ("quality: 0", "quality"),
        ("rotation: 45", "rotation"),
        ('background: "red"', "background"),
        ("fit: COVER, width: 10", "width"),
        ("fit: PAD, width: 16000, height: 16000", "width"),
        ("colour: CMYK, format: PNG", "colour"),
        ("region: {x: -1, y: 0, width: 1, height: 1}", "region"),
        ("page: 0", "page"),
    ],
)
def test_what_no_picture_can_be_is_refused_before_it_is_signed(gallery: Gallery, wish: str, field: str) -> None:
    query = f"query ($id: ID!) {{ asset(id: $id) {{ current {{ transform(to: {{{wish}}}) {{ url }} }} }} }}"
    (error,) = Client(gallery.hub, gallery.viewer).answer(query, id=gallery.asset["id"])["errors"]
    assert (error["extensions"]["code"], error["extensions"].get("path", [field])[-1]) == ("INVALID", field)


def test_only_who_may_take_the_original_away_is_given_an_address(gallery: Gallery, hub: Hub) -> None:
    viewer = Client(hub, acting.member(hub, "viewer"))
    box = acting.guest(hub, gallery.viewer, asset_id=decode(gallery.asset["id"])[1])
    query = """query ($id: ID!) { asset(id: $id) {
      rendition(transform: {width: 9}) { url } current { transform(to: {width: 9}) { url } iiif { url } } } }"""
    assert viewer.ask(query, id=gallery.asset["id"]) == {"asset": None}
    answer = Client(hub, box).answer(query, id=gallery.asset["id"])
    assert answer["data"]["asset"] == {"rendition": None, "current": {"transform": None, "iiif": None}}
    assert {each["permission"] for each in answer["extensions"]["denied"]} == {"asset.download"}


def test_an_address_opens_nothing_once_its_holder_lost_what_they_had(gallery: Gallery, hub: Hub) -> None:
    designer = acting.member(hub, "designer")
    path, base = gallery.transform("width: 40", designer), gallery.iiif(designer)
    parts = [path, f"{base}/info.json", f"{base}/full/40,/0/default.jpg", f"{base}/0,0,512,512/512,512/0/default.jpg"]
    assert [gallery.get(each).status_code for each in parts] == [200, 200, 200, 200]
    with hub.writing(HUB) as work:
        mine = sa.update(GrantRow).where(GrantRow.principal_id == designer.principal_id)
        work.session.execute(mine.values(revoked_at=work.now))
    before = served(hub)
    assert [gallery.ask(each).status_code for each in parts] == [404, 404, 404, 404]
    assert served(hub) == before


def test_what_is_taken_away_while_it_is_made_is_not_delivered(
    gallery: Gallery, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    designer = acting.member(hub, "designer")
    path = gallery.transform("width: 41", designer)
    real = waiting.ask

    async def ask(at: object, wanted: object) -> int:
        number = await real(at, wanted)  # type: ignore[arg-type]  # handed on as they came
        work_off(hub)
        with hub.writing(HUB) as work:
            mine = sa.update(GrantRow).where(GrantRow.principal_id == designer.principal_id)
            work.session.execute(mine.values(revoked_at=work.now))
        return number

    monkeypatch.setattr(waiting, "ask", ask)
    monkeypatch.setattr(waiting, "PATIENCE", 60.0)
    assert gallery.ask(path).status_code == 404
    assert [row.state for row in rows(hub)] == ["READY"]
    assert served(hub) == 0


def test_every_delivery_is_written_down(gallery: Gallery, hub: Hub) -> None:
    gallery.get(gallery.transform("width: 42"))
    with hub.reading(HUB) as work:
        (event,) = work.session.scalars(sa.select(EventRow).where(EventRow.type == "delivery.served"))
        (row,) = work.session.scalars(sa.select(TransformRow))
    assert (event.payload["sha256"], event.actor_id) == (row.sha256, gallery.viewer.principal_id)


def test_what_is_stated_of_the_asset_stands_in_what_leaves(gallery: Gallery) -> None:
    revise = """mutation ($input: AssetStatementSetInput!) { assetStatementSet(input: $input) {
      errors { message } } }"""
    told = {"asset": gallery.asset["id"], "credit": "Ada Lovelace / House", "expectedRevision": 0}
    Client(gallery.hub, gallery.viewer).ask(revise, input=told)
    content = gallery.get(gallery.transform("width: 43")).content
    assert b"Ada Lovelace / House" in content


def test_a_file_that_cannot_be_shown_says_why(hang: Callable[..., Gallery], admin: Viewer) -> None:
    broken = made.encoded(made.photo_like(*SIZE), "JPEG")[:5_000]
    gallery = hang(admin, broken, "broken.jpg")
    answer = gallery.get(gallery.transform("width: 44"))
    assert (answer.status_code, answer.json()["code"]) == (422, "FILE_REFUSED")
    (row,) = rows(gallery.hub)
    assert row.failure_code in {code.value for code in FailureCode}


def test_what_failed_for_want_of_time_is_tried_again_later(gallery: Gallery, hub: Hub) -> None:
    path = gallery.transform("width: 45")
    assert gallery.ask(path).status_code == 503
    (row,) = rows(hub)
    with hub.writing(HUB) as work:
        transforms.finish(work, row.id, Failed("TIMEOUT", "It took too long."))
    assert gallery.ask(path).status_code == 422
    with hub.writing(HUB) as work:
        work.session.get_one(TransformRow, row.id).updated_at = work.now - timedelta(minutes=11)
    assert gallery.get(path).status_code == 200


def test_what_was_asked_for_longest_ago_makes_room(gallery: Gallery, hub: Hub) -> None:
    paths = [gallery.transform(f"width: {width}") for width in (100, 101, 102)]
    kept = [gallery.get(path).content for path in paths]
    first, second, third = rows(hub)
    with hub.writing(HUB) as work:
        for row, days in ((first, 2), (second, 3), (third, 1)):
            work.session.get_one(TransformRow, row.id).used_at = work.now - timedelta(days=days)
    gallery.ask(paths[0])  # still asked for: that is written down
    budget = len(kept[0]) + len(kept[2])
    with hub.writing(HUB) as work:
        freed, there_is_more = transforms.sweep(work, budget)
    assert (freed, there_is_more) == ([second.sha256], False)
    with hub.writing(HUB) as work:
        assert blobs.remove(work, freed[0])
    assert hub.blobs.stat(freed[0]) is None
    assert [row.id for row in rows(hub)] == [first.id, third.id]
    assert gallery.ask(paths[0]).content == kept[0]
    assert gallery.get(paths[1]).content == kept[1]  # nothing was lost


def test_bytes_that_something_else_points_at_stay(gallery: Gallery, hub: Hub) -> None:
    gallery.get(gallery.transform("width: 103"))
    (row,) = rows(hub)
    with hub.blobs.open(row.sha256 or "") as reader:
        content = reader.read()
    Client(hub, gallery.viewer).create(content, "saved.jpg")
    with hub.writing(HUB) as work:
        assert transforms.sweep(work, 0) == ([], False)
    assert rows(hub) == []
    assert hub.blobs.stat(row.sha256 or "") == len(content)


def test_the_chore_keeps_within_its_budget(gallery: Gallery, hub: Hub) -> None:
    gallery.get(gallery.transform("width: 104"))
    small = replace(hub, settings=hub.settings.model_copy(update={"transform_cache_mb": 0}))
    with small.writing(HUB) as work:
        asking.ask(work, SweepTransforms())
    work_off(small)
    assert rows(hub) == []


def test_what_nobody_holds_any_more_is_forgotten(gallery: Gallery, hub: Hub) -> None:
    gallery.get(gallery.transform("width: 105"))
    (row,) = rows(hub)
    with hub.writing(HUB) as work:
        work.session.get_one(TransformRow, row.id).source_sha256 = "0" * 64
    with hub.writing(HUB) as work:
        transforms.sweep(work, 10**12)
    assert rows(hub) == []


def test_real_workers_make_it_while_the_request_waits(
    gallery: Gallery, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "PATIENCE", 60.0)
    path, base = gallery.transform("width: 106"), gallery.iiif()
    with workers(hub.settings, tmp_path / "log"):
        assert gallery.ask(path).status_code == 200
        assert gallery.ask(f"{base}/square/64,/0/gray.jpg").status_code == 200


def served(hub: Hub) -> int:
    with hub.reading(HUB) as work:
        told = sa.select(sa.func.count()).select_from(EventRow).where(EventRow.type == "delivery.served")
        return work.session.scalar(told) or 0


def test_versions_with_the_same_bytes_share_what_is_made(hub: Hub, gallery: Gallery) -> None:
    with hub.reading(HUB) as work:
        digests = set(work.session.scalars(sa.select(AssetVersionRow.sha256)))
    gallery.get(gallery.transform("width: 107"))
    assert {row.source_sha256 for row in rows(hub)} == digests
