"""Content credentials: who made a rendition, of what, and that nobody has touched it since."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from domain import credentials as certificates
from domain.hub import Hub
from domain.recipes import FailureCode, Format, Recipe
from tests.asking import Client
from tests.formats import made_files
from tests.imaging import made
from tests.servers import npm
from tests.working import work_off
from workers.imaging import credentials, safely
from workers.imaging.credentials import Original

ROOT = Path(__file__).parents[2]
READER = Path(__file__).parent / "npm" / "read.mjs"
HUB = certificates.of_hub(b"a secret", "http://hub.test")
OTHER = certificates.of_hub(b"another secret", "http://other.test:8000")
EVERY = tuple(Recipe(f"as-{form.value}", form, 120, 120) for form in Format)
FILM_ONLY = frozenset({Format.MP4})


def rendition(folder: Path, recipe: Recipe, source: Path | None = None, kind: str = "image/jpeg") -> tuple[Path, Any]:
    """A signed one, and what was told of it when it was made."""
    source = source or made.photograph("coffee.jpg")
    out = folder / "out"
    out.mkdir(exist_ok=True)
    (one,) = safely.rendered(source, kind, [recipe], out).made
    assert credentials.signed(Original(source, kind, "ab" * 32), [one], out, HUB) == {}
    return out / one.file_name, one


def actions(told: dict[str, Any]) -> list[str]:
    manifest = told["manifests"][told["active_manifest"]]
    (said,) = [one for one in manifest["assertions"] if one["label"].startswith("c2pa.actions")]
    return [action["action"] for action in said["data"]["actions"]]


def test_a_hub_s_certificates_are_always_the_same_and_only_its_own() -> None:
    certificates.of_hub.cache_clear()
    assert certificates.of_hub(b"a secret", "http://hub.test") == HUB
    assert OTHER.key != HUB.key
    own, root = x509.load_pem_x509_certificates(HUB.chain.encode())
    own.verify_directly_issued_by(root)
    with pytest.raises(Exception, match=r"."):
        own.verify_directly_issued_by(x509.load_pem_x509_certificate(OTHER.root.encode()))


@pytest.mark.parametrize("form", [form for form in Format if form not in FILM_ONLY])
def test_a_rendition_of_every_format_says_which_hub_made_it_of_what(form: Format, tmp_path: Path) -> None:
    path, one = rendition(tmp_path, Recipe("web", form, 120, 120))
    told = credentials.read(path, one.media_type, HUB.root)
    assert told["validation_state"] == "Trusted"
    assert actions(told) == ["c2pa.opened", "c2pa.resized", "c2pa.transcoded"]
    manifest = told["manifests"][told["active_manifest"]]
    assert manifest["signature_info"]["common_name"] == "hub.test"
    (parent,) = manifest["ingredients"]
    assert (parent["relationship"], parent["instance_id"]) == ("parentOf", "sha256:" + "ab" * 32)
    assert "thumbnail" not in manifest
    assert "coffee" not in str(told)


def test_a_film_carries_them_too(tmp_path: Path) -> None:
    source = made.kept(tmp_path, "a.mp4", made_files.film(3))
    path, one = rendition(tmp_path, Recipe("web", Format.MP4, 100, 100), source, "video/mp4")
    assert credentials.read(path, one.media_type, HUB.root)["validation_state"] == "Trusted"


def test_they_cost_a_few_kilobytes(tmp_path: Path) -> None:
    path, one = rendition(tmp_path, Recipe("web", Format.JPEG, 600, 600))
    assert path.stat().st_size - one.byte_size < 5_000


def test_a_changed_picture_is_found_out(tmp_path: Path) -> None:
    path, one = rendition(tmp_path, Recipe("web", Format.PNG, 120, 120))
    content = bytearray(path.read_bytes())
    content[content.rindex(b"IDAT") + 40] ^= 1
    path.write_bytes(content)
    assert credentials.read(path, one.media_type, HUB.root)["validation_state"] == "Invalid"


def test_another_hub_s_root_does_not_vouch_for_it(tmp_path: Path) -> None:
    path, one = rendition(tmp_path, Recipe("web", Format.JPEG, 120, 120))
    assert credentials.read(path, one.media_type, OTHER.root)["validation_state"] != "Trusted"


def test_what_the_original_says_of_its_past_is_handed_on(tmp_path: Path) -> None:
    """A rendition of a rendition: the chain leads back over both."""
    first, _ = rendition(tmp_path, Recipe("first", Format.JPEG, 400, 400))
    second, one = rendition(tmp_path, Recipe("second", Format.WEBP, 100, 100), first)
    told = credentials.read(second, one.media_type, HUB.root)
    assert len(told["manifests"]) == 2
    manifest = told["manifests"][told["active_manifest"]]
    assert manifest["ingredients"][0]["active_manifest"] in told["manifests"]


@pytest.mark.parametrize("name", ["a.psb", "a.jxl", "a.ttf"])
def test_an_original_that_carries_none_is_known_by_its_digest(name: str, tmp_path: Path) -> None:
    kind, content = made_files.every_kind()[name]
    path, one = rendition(tmp_path, Recipe("web", Format.JPEG, 100, 100), made.kept(tmp_path, name, content), kind)
    told = credentials.read(path, one.media_type, HUB.root)
    assert told["validation_state"] == "Trusted"
    (parent,) = told["manifests"][told["active_manifest"]]["ingredients"]
    assert parent["instance_id"] == "sha256:" + "ab" * 32


def test_a_file_without_any_says_so(tmp_path: Path) -> None:
    assert credentials.read(made.photograph("coffee.jpg"), "image/jpeg") == {}


def test_without_the_extra_nothing_is_passed_off_as_signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "c2pa", None)
    source = made.photograph("coffee.jpg")
    made_ones = safely.rendered(source, "image/jpeg", EVERY[:1], tmp_path).made
    failed = credentials.signed(Original(source, "image/jpeg", "ab" * 32), made_ones, tmp_path, HUB)
    assert failed["as-jpeg"].code == FailureCode.NOT_INSTALLED
    assert "“provenance”" in failed["as-jpeg"].sentence


@pytest.fixture(scope="session")
def browsers_reader(request: pytest.FixtureRequest) -> Path:
    """The packages of the reader that web pages use, at the versions of `npm/package-lock.json`."""
    return npm.required(request.config, READER.parent)


def test_the_reader_of_browsers_trusts_a_rendition_and_no_changed_one(browsers_reader: Path, tmp_path: Path) -> None:
    path, one = rendition(tmp_path, Recipe("web", Format.JPEG, 200, 200))
    root = made.kept(tmp_path, "root.pem", HUB.root.encode())
    content = bytearray(path.read_bytes())
    content[-200] ^= 1
    changed = made.kept(tmp_path, "changed.jpg", bytes(content))
    states = []
    for file in (path, changed):
        command = ["node", READER, browsers_reader, file, one.media_type, root]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        states.append(json.loads(done.stdout)["validation_state"])
    assert states == ["Trusted", "Invalid"]


def test_the_root_that_others_are_to_trust_is_printed(tmp_path: Path) -> None:
    known = {"IMPRIMATUR_DATA_DIR": str(tmp_path), "IMPRIMATUR_SECRET_KEY": "a secret"}
    command = [sys.executable, "-m", "server", "certificate"]
    surroundings = {**os.environ, **known, "IMPRIMATUR_PUBLIC_URL": "http://hub.test"}
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=surroundings).stdout
    assert said == HUB.root


def test_a_hub_that_is_told_so_signs_what_it_makes(hub: Hub, client: Client, tmp_path: Path) -> None:
    object.__setattr__(hub.settings, "content_credentials", True)
    asset = client.create(made.photograph("coffee.jpg").read_bytes(), "coffee.jpg")
    work_off(hub)
    renditions = client.ask(
        "query ($id: ID!) { asset(id: $id) { current { renditions { preset sha256 mediaType } } } }", id=asset["id"]
    )["asset"]["current"]["renditions"]
    root = certificates.of_hub(hub.secret, "http://hub.test").root
    assert len(renditions) == 3
    for one in renditions:
        with hub.blobs.open(one["sha256"]) as stream:
            path = made.kept(tmp_path, one["preset"], stream.read())
        assert credentials.read(path, one["mediaType"], root)["validation_state"] == "Trusted"
