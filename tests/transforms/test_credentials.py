"""Pictures made by address say in themselves which hub made them, where the hub is told to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domain import credentials as certificates
from domain.hub import Hub
from tests.iiif.conftest import Gallery
from tests.imaging import made
from tests.transforms.test_story import rows
from workers.imaging import credentials


@pytest.fixture
def signing(gallery: Gallery, hub: Hub) -> Gallery:
    object.__setattr__(hub.settings, "content_credentials", True)
    return gallery


def read(gallery: Gallery, path: str, folder: Path) -> tuple[dict[str, Any], Any]:
    """What the answer's credentials say, and the answer."""
    answer = gallery.get(path)
    assert answer.status_code == 200, answer.text
    root = certificates.of_hub(gallery.hub.secret, "http://hub.test").root
    kept = made.kept(folder, "picture", answer.content)
    return credentials.read(kept, answer.headers["content-type"], root), answer


def parent(told: dict[str, Any]) -> dict[str, Any]:
    (found,) = told["manifests"][told["active_manifest"]]["ingredients"]
    return dict(found)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_a_transform_is_signed_like_a_rendition(signing: Gallery, form: str, tmp_path: Path) -> None:
    told, _ = read(signing, signing.transform(f"width: 200, format: {form}"), tmp_path)
    assert told["validation_state"] == "Trusted"
    sha256 = signing.field("current { sha256 }")["current"]["sha256"]
    assert (parent(told)["relationship"], parent(told)["instance_id"]) == ("parentOf", f"sha256:{sha256}")


def test_the_chain_leads_back_over_what_the_original_says(
    signing: Gallery, hub: Hub, hang: Callable[..., Gallery], tmp_path: Path
) -> None:
    first = signing.get(signing.transform("width: 400"))
    second = hang(signing.viewer, first.content, "again.jpg")
    told, _ = read(second, second.transform("width: 100"), tmp_path)
    assert (told["validation_state"], len(told["manifests"])) == ("Trusted", 2)
    assert parent(told)["active_manifest"] in told["manifests"]


@pytest.mark.parametrize(
    "asked", ["100,100,500,400/250,/0/default.jpg", "full/300,/90/gray.png", "full/64,/0/color.webp"]
)
def test_a_part_of_a_picture_is_signed_and_knows_its_original_by_its_digest(
    signing: Gallery, asked: str, tmp_path: Path
) -> None:
    told, _ = read(signing, f"{signing.iiif()}/{asked}", tmp_path)
    assert told["validation_state"] == "Trusted"
    sha256 = signing.field("current { sha256 }")["current"]["sha256"]
    assert parent(told)["instance_id"] == f"sha256:{sha256}"


def test_a_tile_is_cut_once_and_carries_none(signing: Gallery, tmp_path: Path) -> None:
    told, answer = read(signing, f"{signing.iiif()}/0,0,512,512/512,512/0/default.jpg", tmp_path)
    assert told == {}
    assert len(answer.content) > 1_000


def test_what_was_kept_unsigned_is_not_passed_off_as_signed(gallery: Gallery, hub: Hub, tmp_path: Path) -> None:
    path = gallery.transform("width: 120")
    assert read(gallery, path, tmp_path)[0] == {}
    object.__setattr__(hub.settings, "content_credentials", True)
    assert read(gallery, path, tmp_path)[0]["validation_state"] == "Trusted"
    assert len(rows(hub)) == 2
    object.__setattr__(hub.settings, "content_credentials", False)
    assert read(gallery, path, tmp_path)[0] == {}
    assert len(rows(hub)) == 2


def test_without_the_extra_it_fails_and_says_what_is_missing(
    signing: Gallery, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "c2pa", None)
    answer = signing.get(signing.transform("width: 77"))
    assert answer.status_code >= 400
    (row,) = rows(hub)
    assert (row.state, row.failure_code) == ("FAILED", "NOT_INSTALLED")
    assert "“provenance”" in (row.failure_message or "")
