"""What a signed address says, how long it holds, and what it can never be bent to."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain import assets, delivery, workflow
from domain.delivery import SignedUrl
from domain.hub import Hub
from domain.refusals import Gone, NotFound
from domain.work import Viewer
from storage.tables import AssetVersionRow
from tests.delivery.brand import TEXT, Brand

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def at(hub: Hub, moment: datetime) -> Hub:
    return replace(hub, clock=lambda: moment)


def signed(hub: Hub, viewer: Viewer, version: AssetVersionRow) -> SignedUrl:
    with hub.reading(viewer) as work:
        return delivery.original_url(work, version)


def token_of(url: str) -> str:
    return url.rsplit("/", 1)[1]


def opened(hub: Hub, viewer: Viewer, token: str) -> delivery.Delivery:
    with hub.reading(viewer) as work:
        return delivery.open_door(work, token)


def test_an_original_is_delivered_under_its_own_name_to_be_saved(hub: Hub, admin: Viewer, brand: Brand) -> None:
    version = brand.asset()
    found = opened(hub, admin, token_of(signed(hub, admin, version).url))
    assert (found.sha256, found.byte_size, found.file_name) == (version.sha256, len(TEXT), "slogans.txt")
    assert (found.media_type, found.inline) == ("text/plain", False)


QUARTER = timedelta(minutes=15)


def test_addresses_made_within_a_quarter_of_an_hour_are_the_same(hub: Hub, admin: Viewer, brand: Brand) -> None:
    version = brand.asset()
    first = signed(at(hub, NOON), admin, version)
    last = signed(at(hub, NOON + QUARTER - timedelta(seconds=1)), admin, version)
    later = signed(at(hub, NOON + QUARTER), admin, version)
    assert first == last != later
    assert [delivery.minted_since(NOON + each) for each in (0 * QUARTER, QUARTER / 2, QUARTER)] == [
        *(NOON, NOON),
        NOON + QUARTER,
    ]


@pytest.mark.parametrize("hours", [1, 24])
def test_an_address_lasts_the_configured_hours_at_most_one_if_nobody_said(
    hub: Hub, admin: Viewer, brand: Brand, hours: int
) -> None:
    version = brand.asset()
    if hours != 1:
        hub = replace(hub, settings=hub.settings.model_copy(update={"url_hours": hours}))
    for minutes in range(0, 61, 7):
        now = NOON + timedelta(minutes=minutes, seconds=minutes)
        lasts = signed(at(hub, now), admin, version).valid_until - now
        assert timedelta(hours=hours) - QUARTER < lasts <= timedelta(hours=hours)


def test_an_address_ends_at_the_second_it_says(hub: Hub, admin: Viewer, brand: Brand) -> None:
    url = signed(at(hub, NOON), admin, brand.asset())
    token = token_of(url.url)
    assert opened(at(hub, url.valid_until - timedelta(seconds=1)), admin, token).valid_until == url.valid_until
    with pytest.raises(Gone):
        opened(at(hub, url.valid_until), admin, token)


def test_no_letter_of_an_address_can_be_changed(hub: Hub, admin: Viewer, brand: Brand) -> None:
    token = token_of(signed(hub, admin, brand.asset()).url)
    for place in range(len(token)):
        other = "A" if token[place] != "A" else "B"
        with pytest.raises(NotFound):
            opened(hub, admin, token[:place] + other + token[place + 1 :])


def test_a_text_we_never_signed_opens_nothing(hub: Hub, admin: Viewer) -> None:
    for token in ("", "A", "=", "ж", "a b", "A" * 43, "A" * 5000, "../../etc/passwd", "-_-_"):
        with pytest.raises(NotFound):
            opened(hub, admin, token)


def test_the_same_address_spelt_otherwise_is_not_the_same(hub: Hub, admin: Viewer, brand: Brand) -> None:
    token = token_of(signed(hub, admin, brand.asset()).url)
    for spelt in (token + "=", token + "==", token + "\n", " " + token, token[:4] + "!" + token[4:]):
        with pytest.raises(NotFound):
            opened(hub, admin, spelt)


def test_another_secret_signs_nothing_that_opens_here(hub: Hub, admin: Viewer, brand: Brand) -> None:
    version = brand.asset()
    forged = signed(replace(hub, secret=b"another"), admin, version)
    with pytest.raises(NotFound):
        opened(hub, admin, token_of(forged.url))


def test_a_signature_for_one_purpose_is_none_for_the_other(hub: Hub, admin: Viewer, brand: Brand) -> None:
    version = brand.asset()
    with hub.reading(admin) as work:
        stable = delivery.latest_url(work, version.asset_id, "thumb")
        with pytest.raises(NotFound):
            delivery.open_door(work, token_of(stable))
        with pytest.raises(NotFound):
            delivery.latest(work, token_of(delivery.original_url(work, version).url))


def test_an_address_tells_neither_the_secret_nor_more_than_it_needs(hub: Hub, admin: Viewer, brand: Brand) -> None:
    token = token_of(signed(hub, admin, brand.asset()).url)
    claims = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))[32:])
    assert set(claims) == {"k", "i", "d", "e", "w"}


def test_an_address_works_only_while_its_row_holds_those_bytes(hub: Hub, admin: Viewer, brand: Brand) -> None:
    version = brand.asset()
    rendition = brand.render(version, "thumb", b"small picture")
    with hub.reading(admin) as work:
        url = delivery.rendition_url(work, rendition)
    assert url is not None
    assert opened(hub, admin, token_of(url.url)).sha256 == rendition.sha256
    with hub.writing(admin) as work:
        row = work.session.get_one(type(rendition), rendition.id)
        row.state, row.sha256, row.byte_size = "QUEUED", None, None
    with pytest.raises(NotFound):
        opened(hub, admin, token_of(url.url))
    again = brand.render(version, "thumb", b"another picture")
    assert again.id == rendition.id
    with pytest.raises(NotFound):
        opened(hub, admin, token_of(url.url))


def test_a_rendition_is_shown_in_place_under_a_name_that_says_what_it_is(hub: Hub, admin: Viewer, brand: Brand) -> None:
    rendition = brand.render(brand.asset(), "thumb", b"small picture")
    with hub.reading(admin) as work:
        url = delivery.rendition_url(work, rendition)
    assert url is not None
    found = opened(hub, admin, token_of(url.url))
    assert (found.file_name, found.media_type, found.inline) == ("slogans-thumb.webp", "image/webp", True)


def test_a_rendition_that_is_not_ready_has_no_address(hub: Hub, admin: Viewer, brand: Brand) -> None:
    rendition = brand.rendition(brand.asset(), "web")
    assert rendition.state == "QUEUED"
    with hub.reading(admin) as work:
        assert delivery.rendition_url(work, rendition) is None


def latest_digest(hub: Hub, viewer: Viewer, asset_id: int, preset: str = "thumb") -> str:
    with hub.writing(viewer) as work:
        found = delivery.latest(work, token_of(delivery.latest_url(work, asset_id, preset)))
        return delivery.open_door(work, token_of(found.url)).sha256


def test_the_stable_address_follows_approval_from_version_to_version(hub: Hub, admin: Viewer, brand: Brand) -> None:
    first = brand.asset()
    of_first = brand.render(first, "thumb", b"first")
    with pytest.raises(NotFound):
        latest_digest(hub, admin, first.asset_id)
    brand.approve(first)
    assert latest_digest(hub, admin, first.asset_id) == of_first.sha256
    with hub.reading(admin) as work:
        revision = assets.by_id(work, [first.asset_id])[first.asset_id].revision
    second = brand.version(first.asset_id, TEXT + b"more", revision)
    of_second = brand.render(second, "thumb", b"second")
    assert latest_digest(hub, admin, first.asset_id) == of_first.sha256
    brand.approve(second)
    assert latest_digest(hub, admin, first.asset_id) == of_second.sha256
    with hub.writing(admin) as work:
        workflow.revoke(work, second.id)
    assert latest_digest(hub, admin, first.asset_id) == of_first.sha256


def test_the_stable_address_opens_nothing_without_a_finished_rendition(hub: Hub, admin: Viewer, brand: Brand) -> None:
    version = brand.asset()
    brand.approve(version)
    for preset in ("thumb", "no-such-preset"):
        with pytest.raises(NotFound):
            latest_digest(hub, admin, version.asset_id, preset)


def test_an_archived_asset_has_no_public_face(hub: Hub, admin: Viewer, brand: Brand) -> None:
    version = brand.asset()
    brand.render(version, "thumb", b"first")
    brand.approve(version)
    with hub.writing(admin) as work:
        revision = assets.by_id(work, [version.asset_id])[version.asset_id].revision
        assets.archive(work, version.asset_id, revision)
    with pytest.raises(NotFound):
        latest_digest(hub, admin, version.asset_id)
