"""Files over HTTP: whole and in ranges, asked for again, named in every script, and safe to open."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx
import pytest

from domain import assets, delivery, workflow
from domain.hub import Hub
from domain.work import Viewer
from server.app import make_app
from server.files import disposition
from storage.tables import AssetVersionRow, RenditionRow
from tests.delivery.brand import TEXT, Brand
from tests.server.caller import Caller, listening, wait_until

SIZE = len(TEXT)


@pytest.fixture
def anybody(ask: Caller) -> Caller:
    """Addresses are opened without a token."""
    return ask.as_("")


@pytest.fixture
def version(brand: Brand) -> AssetVersionRow:
    return brand.asset()


@pytest.fixture
def address(hub: Hub, admin: Viewer, version: AssetVersionRow) -> str:
    with hub.reading(admin) as work:
        return urlsplit(delivery.original_url(work, version).url).path


def shown(hub: Hub, admin: Viewer, rendition: RenditionRow) -> str:
    with hub.reading(admin) as work:
        url = delivery.rendition_url(work, rendition)
    assert url is not None
    return urlsplit(url.url).path


def test_an_original_comes_whole_to_be_saved_and_is_never_run(
    anybody: Caller, address: str, version: AssetVersionRow
) -> None:
    answer = anybody("GET", address)
    assert (answer.status_code, answer.content) == (200, TEXT)
    assert answer.headers["content-length"] == str(SIZE)
    assert answer.headers["content-type"] == "text/plain"
    assert answer.headers["etag"] == f'"{version.sha256}"'
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-disposition"] == 'attachment; filename="slogans.txt"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"


def test_a_rendition_is_shown_in_place(hub: Hub, admin: Viewer, anybody: Caller, brand: Brand) -> None:
    answer = anybody("GET", shown(hub, admin, brand.render(brand.asset(), "thumb", b"small picture")))
    assert answer.content == b"small picture"
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["content-disposition"] == 'inline; filename="slogans-thumb.webp"'


def test_a_shared_cache_keeps_a_rendition_only_of_what_is_approved_now(
    hub: Hub, admin: Viewer, anybody: Caller, brand: Brand, version: AssetVersionRow, address: str
) -> None:
    path = shown(hub, admin, brand.render(version, "thumb", b"small picture"))

    def who_may_keep(path: str) -> str:
        who, *rest = anybody("GET", path).headers["cache-control"].split(", ")
        assert rest[0].startswith("max-age=")
        assert rest[1:] == (["s-maxage=60"] if who == "public" else []) + ["immutable"]
        return str(who)

    assert who_may_keep(path) == "private"
    brand.approve(version)
    assert (who_may_keep(path), who_may_keep(address)) == ("public", "private")
    with hub.writing(admin) as work:
        revision = assets.by_id(work, [version.asset_id])[version.asset_id].revision
        assets.archive(work, version.asset_id, revision)
    assert who_may_keep(path) == "private"
    with hub.writing(admin) as work:
        revision = assets.by_id(work, [version.asset_id])[version.asset_id].revision
        assets.restore(work, version.asset_id, revision)
    assert who_may_keep(path) == "public"
    with hub.writing(admin) as work:
        workflow.revoke(work, version.id)
    assert who_may_keep(path) == "private"


def test_asking_for_the_head_tells_the_same_without_the_bytes(anybody: Caller, address: str) -> None:
    told, got = anybody("HEAD", address), anybody("GET", address)
    volatile = {"x-request-id", "cache-control"}
    assert {k: v for k, v in told.headers.items() if k not in volatile} == {
        k: v for k, v in got.headers.items() if k not in volatile
    }
    assert (told.status_code, told.content) == (200, b"")


def test_a_range_answers_exactly_its_bytes(anybody: Caller, address: str) -> None:
    for asked, start, stop in (
        ("bytes=0-0", 0, 1),
        ("bytes=5-9", 5, 10),
        ("bytes=100-", 100, SIZE),
        ("bytes=-7", SIZE - 7, SIZE),
        (f"bytes=-{SIZE * 2}", 0, SIZE),
        (f"bytes=10-{SIZE * 9}", 10, SIZE),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        ("Bytes=1-2", 1, 3),
    ):
        answer = anybody("GET", address, {"Range": asked})
        assert (answer.status_code, answer.content) == (206, TEXT[start:stop])
        assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{SIZE}"
        assert answer.headers["content-length"] == str(stop - start)


def test_a_range_beyond_the_end_is_refused_with_the_size(anybody: Caller, address: str) -> None:
    for asked in (f"bytes={SIZE}-", "bytes=-0", f"bytes={SIZE + 5}-{SIZE + 9}", f"bytes={'9' * 18}-"):
        answer = anybody("GET", address, {"Range": asked})
        assert answer.status_code == 416
        assert answer.headers["content-range"] == f"bytes */{SIZE}"


def test_ranges_that_are_several_or_unreadable_are_answered_with_everything(anybody: Caller, address: str) -> None:
    for asked in (
        "bytes=0-1,5-6",
        "bytes=9-5",
        "bytes=-",
        "bytes=a-b",
        "lines=0-1",
        "0-1",
        "bytes=1-2-3",
        "bytes=１-２",
        f"bytes={'9' * 30}-",
    ):
        answer = anybody("GET", address, {"Range": asked.encode()})
        assert (answer.status_code, answer.content) == (200, TEXT)


def test_a_range_of_other_bytes_than_these_is_answered_with_everything(
    anybody: Caller, address: str, version: AssetVersionRow
) -> None:
    same = anybody("GET", address, {"Range": "bytes=0-1", "If-Range": f'"{version.sha256}"'})
    assert same.status_code == 206
    for other in ('"another"', f'W/"{version.sha256}"', "Sun, 22 Nov 2026 00:00:00 GMT"):
        assert anybody("GET", address, {"Range": "bytes=0-1", "If-Range": other}).status_code == 200


def test_a_head_knows_no_ranges(anybody: Caller, address: str) -> None:
    answer = anybody("HEAD", address, {"Range": "bytes=0-1"})
    assert (answer.status_code, answer.headers["content-length"]) == (200, str(SIZE))


def test_bytes_that_the_client_has_are_not_sent_again(anybody: Caller, address: str, version: AssetVersionRow) -> None:
    tag = f'"{version.sha256}"'
    for told in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        answer = anybody("GET", address, {"If-None-Match": told})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == tag
        assert "max-age" in answer.headers["cache-control"]
    assert anybody("GET", address, {"If-None-Match": '"x"'}).status_code == 200


def test_a_condition_on_other_bytes_fails(anybody: Caller, address: str, version: AssetVersionRow) -> None:
    assert anybody("GET", address, {"If-Match": f'"{version.sha256}"'}).status_code == 200
    assert anybody("GET", address, {"If-Match": "*"}).status_code == 200
    for told in ('"x"', f'W/"{version.sha256}"'):
        assert anybody("GET", address, {"If-Match": told}).status_code == 412


def test_conditions_on_dates_change_nothing_since_no_date_is_told(anybody: Caller, address: str) -> None:
    answer = anybody("GET", address, {"If-Modified-Since": "Sun, 22 Nov 2099 00:00:00 GMT"})
    assert answer.status_code == 200
    assert "last-modified" not in answer.headers


def test_no_cache_keeps_a_file_longer_than_its_address(hub: Hub, admin: Viewer, version: AssetVersionRow) -> None:
    with hub.reading(admin) as work:
        url = delivery.original_url(work, version)
    for before in (timedelta(minutes=30), timedelta(seconds=90), timedelta(seconds=1)):
        moment = url.valid_until - before
        late = replace(hub, clock=partial(_same, moment))
        answer = Caller(make_app(late))("GET", urlsplit(url.url).path)
        assert answer.headers["cache-control"] == f"private, max-age={int(before.total_seconds())}, immutable"
    over = replace(hub, clock=lambda: url.valid_until)
    answer = Caller(make_app(over))("GET", urlsplit(url.url).path)
    assert answer.status_code == 410
    assert answer.headers["cache-control"] == "no-store"


def test_an_address_nobody_signed_is_not_found(anybody: Caller, address: str) -> None:
    for path in ("/files/x", address + "x", "/latest/x", address.replace("/files/", "/latest/")):
        answer = anybody("GET", path)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


def test_the_stable_address_redirects_to_what_is_approved_now(
    hub: Hub, admin: Viewer, anybody: Caller, brand: Brand, version: AssetVersionRow
) -> None:
    brand.render(version, "thumb", b"small picture")
    with hub.reading(admin) as work:
        stable = urlsplit(delivery.latest_url(work, version.asset_id, "thumb")).path
    assert anybody("GET", stable).status_code == 404
    brand.approve(version)
    answer = anybody("GET", stable)
    assert answer.status_code == 302
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert anybody("GET", urlsplit(answer.headers["location"]).path).content == b"small picture"


def test_missing_bytes_are_an_honest_error_that_tells_nothing(
    anybody: Caller, hub: Hub, address: str, version: AssetVersionRow
) -> None:
    hub.blobs.remove(version.sha256)
    answer = anybody("GET", address)
    assert answer.status_code == 500
    assert version.sha256 not in answer.text
    assert answer.json()["requestId"] in answer.json()["detail"]


@pytest.mark.parametrize(
    "name",
    [
        "plain.jpg",
        "Плакат осень.png",
        "🎉 party.gif",
        'say "cheese".jpg',
        "50% off; now.pdf",
        "ümläut.tif",
        "日本語.txt",
    ],
)
def test_a_name_in_any_script_survives_as_a_header(name: str) -> None:
    told = disposition("attachment", name)
    told.encode("ascii")
    simple = re.fullmatch(r'attachment; filename="([^"\\]*)"(?:; filename\*=UTF-8\'\'(\S+))?', told)
    assert simple is not None
    assert (unquote(simple[2]) if simple[2] else simple[1]) == name


def test_a_large_file_arrives_whole_over_a_real_connection(hub: Hub, admin: Viewer, brand: Brand) -> None:
    content = bytes(range(256)) * 12_345
    with hub.reading(admin) as work:
        version = brand.asset(content, "large.bin")
        path = urlsplit(delivery.original_url(work, version).url).path
    with listening(hub) as base:
        assert httpx.get(base + path).content == content
        part = httpx.get(base + path, headers={"Range": "bytes=1000000-2000000"})
        assert part.content == content[1_000_000:2_000_001]


def test_a_client_that_leaves_in_the_middle_leaves_nothing_open(hub: Hub, admin: Viewer, brand: Brand) -> None:
    with hub.reading(admin) as work:
        version = brand.asset(b"\x00\x01" * 4_000_000, "large.bin")
        path = urlsplit(delivery.original_url(work, version).url).path
    with listening(hub) as base, httpx.Client(base_url=base) as client:
        for _ in range(20):
            with client.stream("GET", path) as answer:
                next(answer.iter_raw())
        blob = str(hub.blobs.local_path(version.sha256))
        wait_until(lambda: blob not in open_files())
        assert client.get("/health/live").status_code == 200


def _same(moment: datetime) -> datetime:
    return moment


def open_files() -> set[str]:
    found = set()
    for each in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            found.add(str(each.readlink()))
    return found
