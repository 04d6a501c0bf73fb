"""What leaves by address says whose it is: tiles, parts and transforms, read back by exiftool where there is one."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image

from domain.global_ids import decode
from domain.hub import Hub
from domain.licensing import activating, assessing, licenses, parties
from domain.licensing.codes import ANY, WORLDWIDE, Effect, LicenseKind
from domain.licensing.terms import Grant
from domain.work import HUB, Viewer
from storage.tables import EventRow, TransformRow
from tests.asking import Client
from tests.iiif.conftest import SIZE, Gallery
from tests.imaging import made, made_metadata

TILE = "0,0,512,512/512,512/0/default.jpg"
SAID: dict[str, Any] = {
    "creator": "Ada Lens",
    "credit": "Ada Lens / House",
    "notice": "© House",
    "terms": "Only in spring.",
    "webStatement": "https://house.example/rights",
    "expires": "2031-05-01",
    "dataMining": "PROHIBITED",
}
EXPECTED = {
    "XMP-dc:Creator": ["Ada Lens"],
    "XMP-photoshop:Credit": "Ada Lens / House",
    "XMP-dc:Rights": "© House",
    "XMP-xmpRights:UsageTerms": "Only in spring.",
    "XMP-xmpRights:WebStatement": "https://house.example/rights",
    "XMP-plus:LicenseEndDate": "2031:05:01",
}
needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")


def state(gallery: Gallery, revision: int = 0, **fields: Any) -> None:
    revise = "mutation ($input: AssetStatementSetInput!) { assetStatementSet(input: $input) { errors { message } } }"
    told = {"asset": gallery.asset["id"], "expectedRevision": revision, **fields}
    answer = Client(gallery.hub, gallery.viewer).ask(revise, input=told)
    assert answer["assetStatementSet"]["errors"] == []


def told_by_exiftool(content: bytes, folder: Path) -> dict[str, Any]:
    path = made.kept(folder, "fetched", content)
    command = ["exiftool", "-json", "-G1", "-struct", str(path)]
    (found,) = json.loads(subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout)
    return dict(found)


@needs_exiftool
def test_tiles_parts_and_transforms_say_whose_they_are_and_on_what_terms(gallery: Gallery, tmp_path: Path) -> None:
    state(gallery, **SAID)
    base = gallery.iiif()
    addresses = [
        f"{base}/{TILE}",
        f"{base}/full/100,/0/default.jpg",
        f"{base}/full/100,/90/gray.png",
        f"{base}/full/100,/0/default.webp",
        gallery.transform("width: 90"),
        gallery.transform("width: 90, format: AVIF"),
    ]
    for address in addresses:
        found = told_by_exiftool(gallery.get(address).content, tmp_path)
        assert {name: found.get(name) for name in EXPECTED} == EXPECTED, address
        assert "PROHIBITED" in str(found["XMP-plus:DataMining"]).upper()
        assert "XMP-dc:Title" not in found
        assert not [name for name in found if name.startswith("ExifTool:") and "Version" not in name], found


def test_a_tile_shows_the_same_whatever_is_said_of_it(gallery: Gallery) -> None:
    address = f"{gallery.iiif()}/{TILE}"
    bare = gallery.get(address)
    state(gallery, **SAID)
    said = gallery.ask(address)
    assert said.headers["etag"] != bare.headers["etag"]
    assert int(said.headers["content-length"]) == len(said.content) > len(bare.content)
    assert b"Ada Lens / House" not in bare.content
    with Image.open(io.BytesIO(bare.content)) as one, Image.open(io.BytesIO(said.content)) as other:
        assert one.tobytes() == other.tobytes()
    again = gallery.ask(address, if_none_match=said.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    state(gallery, 1, credit="Somebody else")
    assert b"Somebody else" in gallery.ask(address).content


@pytest.mark.parametrize(
    "wanted", [(0, 0), (0, 1), (1, 2), (0, 99), (2, 10), (700, 900), (1_500, 3_000), (0, None), (5, None), (None, 7)]
)
def test_any_range_of_a_tile_is_that_part_of_it(gallery: Gallery, wanted: tuple[int | None, int | None]) -> None:
    state(gallery, **SAID)
    address = f"{gallery.iiif()}/{TILE}"
    whole = gallery.get(address)
    first, last = ("" if each is None else str(each) for each in wanted)
    part = gallery.ask(address, range=f"bytes={first}-{last}", if_range=whole.headers["etag"])
    start, stop = wanted[0] or 0, len(whole.content) if wanted[1] is None else wanted[1] + 1
    if wanted[0] is None:
        start, stop = len(whole.content) - 7, len(whole.content)
    assert (part.status_code, part.content) == (206, whole.content[start:stop])
    assert part.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(whole.content)}"


def test_what_is_written_down_of_a_tile_is_where_its_bytes_stand(gallery: Gallery) -> None:
    state(gallery, **SAID)
    address = f"{gallery.iiif()}/{TILE}"
    whole = gallery.get(address)
    gallery.ask(address, range="bytes=5-9")
    with gallery.hub.reading(HUB) as work:
        (row,) = work.session.scalars(sa.select(TransformRow))
        order = sa.select(EventRow).where(EventRow.type == "delivery.served").order_by(EventRow.id)
        told, within = (event.payload for event in work.session.scalars(order))
    with gallery.hub.blobs.open(row.sha256 or "", int(told["start"]), int(told["stop"])) as reader:
        tile = reader.read()
    assert tile[:2] == whole.content[:2]
    assert whole.content.endswith(tile[2:])
    # Nothing of the pyramid left but what stands before what is said.
    assert (int(within["start"]), int(within["stop"])) == (int(told["start"]) + 2,) * 2


def test_two_assets_with_the_same_bytes_do_not_say_each_others_words(gallery: Gallery, hub: Hub, admin: Viewer) -> None:
    content = made.encoded(made.photo_like(*SIZE), "JPEG", quality=92)
    twin = Client(hub, admin).create(content, "again.jpg", onDuplicate="DISTINCT", reason="Another campaign.")
    state(gallery, credit="Secret client")
    other = Gallery(hub, admin, twin)
    for part in (TILE, "full/100,/0/default.jpg"):
        assert b"Secret client" in gallery.get(f"{gallery.iiif()}/{part}").content
        assert b"Secret client" not in other.get(f"{other.iiif()}/{part}").content
    with hub.reading(HUB) as work:
        rows = list(work.session.scalars(sa.select(TransformRow.kind).order_by(TransformRow.kind)))
    assert rows == ["PART", "PART", "PYRAMID"]


def test_where_nobody_stated_anything_tiles_say_what_the_file_claims(
    hang: Callable[..., Gallery], admin: Viewer
) -> None:
    packet = made_metadata.xmp(
        "<photoshop:Credit>Lens Agency, a@lens.example</photoshop:Credit>"
        "<xmpRights:WebStatement>https://lens.example/rights</xmpRights:WebStatement>"
        "<plus:DataMining>http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED</plus:DataMining>"
        "<plus:LicenseEndDate>2027-01-31</plus:LicenseEndDate>",
        'xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/" xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/"',
    )
    gallery = hang(admin, made_metadata.jpeg(xmp=packet), "claimed.jpg")
    content = gallery.get(f"{gallery.iiif()}/full/max/0/default.jpg").content
    for said in (b"Lens Agency", b"https://lens.example/rights", b"DMI-PROHIBITED"):
        assert said in content
    # Whose term that is nobody has looked at, and how to reach somebody is nobody's affair.
    assert b"2027" not in content
    assert b"a@lens" not in content


@needs_exiftool
def test_a_licence_stands_in_what_leaves_by_address_as_soon_as_it_counts(gallery: Gallery, tmp_path: Path) -> None:
    addresses = [f"{gallery.iiif()}/{TILE}", gallery.transform("width: 90, format: PNG")]
    for address in addresses:
        assert "XMP-plus:LicenseEndDate" not in told_by_exiftool(gallery.get(address).content, tmp_path)
    grant = Grant(0, Effect.PERMIT, (ANY,), (ANY,), (WORLDWIDE,))
    with gallery.hub.writing(gallery.viewer) as work:
        agency = parties.create(work, parties.Kind.ORGANISATION, {"name": "Agency", "url": "https://agency.example/"})
        said = {
            "title": "Harbour",
            "starts_on": date(2026, 1, 1),
            "ends_on": date(2027, 1, 31),
            "licensor_id": agency.id,
        }
        row = licenses.create(work, LicenseKind.RIGHTS_MANAGED, said, [grant])
        activating.activate(work, row.id, row.revision)
        assessing.assess(work, decode(gallery.asset["id"])[1], None, assessing.Wish(license_ids=[row.id]))
    for address in addresses:
        told = told_by_exiftool(gallery.get(address).content, tmp_path)
        assert told["XMP-plus:LicenseEndDate"] == "2027:01:31"
        assert told["XMP-plus:Licensor"] == [{"LicensorName": "Agency", "LicensorURL": "https://agency.example/"}]
