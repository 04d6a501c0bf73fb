"""A picture looked at closely: its document, its tiles, any part of it, and what is written down of that."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image

from domain import iiif
from domain.hub import Hub
from domain.work import HUB
from server import waiting
from storage.tables import EventRow, JobRow, TransformRow
from tests.asking import Client
from tests.assets.acts import accepted
from tests.iiif.conftest import SIZE, Gallery
from tests.imaging import made

JSON_LD = 'application/ld+json;profile="http://iiif.io/api/image/3/context.json"'


def picture(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def likeness(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of the channels."""
    assert one.size == other.size
    pair = (np.asarray(each.convert("RGB"), np.int16) for each in (one, other))
    return float(np.abs(np.subtract(*pair)).mean())


def test_the_document_says_what_may_be_asked(gallery: Gallery) -> None:
    base = gallery.iiif()
    answer = gallery.ask(f"{base}/info.json")
    assert answer.status_code == 200
    told = answer.json()
    assert told == iiif.information(gallery.hub.settings.public_url + base, *SIZE)
    assert (told["width"], told["height"], told["profile"], told["type"]) == (*SIZE, "level2", "ImageService3")
    assert told["tiles"] == [{"width": 512, "scaleFactors": [1, 2, 4]}]
    assert told["sizes"][0] == {"width": 375, "height": 275}
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"].startswith("private, max-age=")


def test_the_document_comes_as_plain_json_to_whoever_wants_that(gallery: Gallery) -> None:
    path = f"{gallery.iiif()}/info.json"
    for accept, expected in (
        ("application/json", "application/json"),
        ("text/html,*/*", "application/json"),
        ("application/ld+json", JSON_LD),
    ):
        answer = gallery.ask(path, accept=accept)
        assert answer.headers["content-type"] == expected
        assert answer.headers["vary"] == "Accept"
    assert '<http://iiif.io/api/image/3/level2.json>;rel="profile"' in answer.headers["link"]


def test_the_base_leads_to_the_document_and_pages_may_ask_beforehand(gallery: Gallery) -> None:
    base = gallery.iiif()
    answer = gallery.ask(base)
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"{gallery.hub.settings.public_url}{base}/info.json",
    )
    for path in (f"{base}/info.json", f"{base}/full/max/0/default.jpg"):
        asked = gallery.ask(path, "OPTIONS", origin="https://shop.example")
        assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (204, "*")


def test_tiles_are_cut_once_and_put_together_are_the_picture(gallery: Gallery) -> None:
    base = gallery.iiif()
    whole = Image.new("RGB", SIZE)
    for left in range(0, SIZE[0], 512):
        for top in range(0, SIZE[1], 512):
            wide, high = min(512, SIZE[0] - left), min(512, SIZE[1] - top)
            answer = gallery.get(f"{base}/{left},{top},{wide},{high}/{wide},{high}/0/default.jpg")
            assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
            assert int(answer.headers["content-length"]) == len(answer.content)
            whole.paste(picture(answer.content), (left, top))
    assert likeness(whole, made.photo_like(*SIZE)) < 4
    with gallery.hub.reading(HUB) as work:
        (row,) = work.session.scalars(sa.select(TransformRow))
        assert (row.kind, row.state, row.width, row.height) == ("PYRAMID", "READY", *SIZE)
        jobs = work.session.scalars(sa.select(JobRow).where(JobRow.kind == "build_pyramid"))
        assert len(list(jobs)) == 1


def test_reading_the_document_asks_for_the_tiles_already(gallery: Gallery) -> None:
    gallery.ask(f"{gallery.iiif()}/info.json")
    with gallery.hub.reading(HUB) as work:
        (row,) = work.session.scalars(sa.select(TransformRow))
        assert (row.kind, row.state) == ("PYRAMID", "QUEUED")


@pytest.mark.parametrize(
    ("path", "size", "media_type", "mode"),
    [
        ("full/max/0/default.jpg", SIZE, "image/jpeg", "RGB"),
        ("square/200,/0/color.png", (200, 200), "image/png", "RGB"),
        ("300,200,600,400/300,/90/default.jpg", (200, 300), "image/jpeg", "RGB"),
        ("pct:10,10,40,40/!100,100/180/gray.jpg", (100, 73), "image/jpeg", "L"),
        ("full/pct:10/270/default.webp", (110, 150), "image/webp", "RGB"),
        ("full/50,/0/bitonal.png", (50, 37), "image/png", "L"),
    ],
)
def test_any_part_in_any_size(gallery: Gallery, path: str, size: tuple[int, int], media_type: str, mode: str) -> None:
    answer = gallery.get(f"{gallery.iiif()}/{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type), answer.text
    shown = picture(answer.content)
    assert (shown.size, shown.mode) == (size, mode)
    asked = iiif.asked(*SIZE, *path.split("/"))
    left, top, wide, high = asked.region
    expected = made.photo_like(*SIZE).resize(asked.size, Image.Resampling.LANCZOS, (left, top, left + wide, top + high))
    expected = expected.rotate(-asked.rotation, expand=True)
    if asked.quality == "bitonal":
        assert {colour for _, colour in shown.getcolors() or ()} == {0, 255}
        return
    assert likeness(shown, expected.convert("L") if mode == "L" else expected) < 6


def test_an_answer_names_its_canonical_address_and_is_kept_by_whoever_asked(gallery: Gallery) -> None:
    base = gallery.iiif()
    answer = gallery.get(f"{base}/0,0,1500,1100/pct:10/0/color.jpg")
    canonical = f"<{gallery.hub.settings.public_url}{base}/full/150,110/0/default.jpg>"
    assert f'{canonical};rel="canonical"' in answer.headers["link"]
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"].startswith("private, max-age=")
    assert answer.headers["cache-control"].endswith(", immutable")
    again = gallery.ask(f"{base}/full/150,110/0/default.jpg", if_none_match=answer.headers["etag"])
    assert again.status_code == 304
    tile = gallery.ask(f"{base}/0,0,512,512/512,512/0/default.jpg")
    part = gallery.ask(f"{base}/0,0,512,512/512,512/0/default.jpg", range="bytes=2-9")
    assert (part.status_code, part.content) == (206, tile.content[2:10])


def test_caches_may_share_what_is_approved(gallery: Gallery) -> None:
    parts = ["/info.json", "/0,0,512,512/512,512/0/default.jpg", "/full/60,/0/default.jpg"]
    paths = [gallery.iiif() + part for part in parts] + [gallery.transform("width: 60")]

    def who_may_keep() -> set[str]:
        return {gallery.get(path).headers["cache-control"].split(",")[0] for path in paths}

    assert who_may_keep() == {"private"}
    current = gallery.asset["current"]
    told = {"version": current["id"], "sha256": current["sha256"]}
    accepted(Client(gallery.hub, gallery.viewer).mutate("assetVersionApprove", "asset { id }", ownWork=True, **told))
    assert who_may_keep() == {"public"}


def test_too_many_do_not_wait_at_once(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MOST_WAITING", 0)
    answer = gallery.ask(f"{gallery.iiif()}/full/60,/0/default.jpg")
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "BUSY", "2")
    assert answer.headers["access-control-allow-origin"] == "*"


def test_requests_that_cannot_be_answered_say_why_to_pages_of_any_origin(gallery: Gallery) -> None:
    base = gallery.iiif()
    for path, status in (
        ("full/full/0/default.jpg", 400),
        ("9999,0,1,1/max/0/default.jpg", 400),
        ("full/max/45/default.jpg", 501),
        ("full/^3000,/0/default.jpg", 501),
        ("full/max/0/default.tif", 501),
        ("full/max/0/default.jpg?size=10", 400),
    ):
        answer = gallery.ask(f"{base}/{path}")
        assert answer.status_code == status, path
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.json()["status"] == status


def test_every_answer_is_written_down_before_it_leaves(gallery: Gallery) -> None:
    base = gallery.iiif()
    tile = gallery.get(f"{base}/512,512,512,512/512,512/0/default.jpg")
    gallery.get(f"{base}/full/100,/0/default.png")
    gallery.ask(f"{base}/full/100,/0/default.png", "HEAD")  # no bytes
    gallery.ask(f"{base}/info.json")
    with gallery.hub.reading(HUB) as work:
        told = list(work.session.scalars(sa.select(EventRow).where(EventRow.type == "delivery.served")))
        kept = {row.kind: row.sha256 for row in work.session.scalars(sa.select(TransformRow))}
    assert [event.payload["sha256"] for event in told] == [kept["PYRAMID"], kept["PART"]]
    first = told[0].payload
    assert int(first["stop"]) - int(first["start"]) == len(tile.content)
    assert {event.actor_id for event in told} == {gallery.viewer.principal_id}
    with gallery.hub.blobs.open(kept["PYRAMID"] or "", int(first["start"]), int(first["stop"])) as reader:
        assert reader.read() == tile.content


def test_what_is_no_picture_cannot_be_looked_at(hub: Hub, gallery: Gallery) -> None:
    text = Client(hub, gallery.viewer).create(b"Slogans of the house.", "slogans.txt")
    query = "query ($id: ID!) { asset(id: $id) { current { iiif { url } } } }"
    assert Client(hub, gallery.viewer).ask(query, id=text["id"]) == {"asset": {"current": {"iiif": None}}}


def test_a_picture_that_gives_no_tiles_says_why(hub: Hub, gallery: Gallery) -> None:
    base = gallery.iiif()
    gallery.ask(f"{base}/info.json")
    with hub.writing(HUB) as work:
        (row,) = work.session.scalars(sa.select(TransformRow))
        row.state, row.failure_code, row.failure_message = "FAILED", "DAMAGED", "The file is damaged."
    answer = gallery.ask(f"{base}/full/100,/0/default.jpg")
    assert (answer.status_code, answer.json()["detail"]) == (422, "The file is damaged.")
    assert json.loads(gallery.ask(f"{base}/info.json").content)["status"] == 422
