"""The integrity check finds every kind of damage it promises to find, and nothing where there is none."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain import integrity, search
from domain.hub import Hub
from domain.integrity import Finding, Tally
from domain.work import Viewer
from storage.tables import RenditionRow
from tests.delivery.brand import TEXT, Brand


@pytest.fixture
def brand(hub: Hub, admin: Viewer) -> Brand:
    """An asset with a finished rendition, indexed."""
    brand = Brand(hub, admin)
    brand.render(brand.asset(), "thumb", b"small picture")
    search.rebuild(hub)
    return brand


def found(hub: Hub, *, deep: bool = False) -> list[Finding]:
    return list(integrity.check(hub, Tally(), deep=deep))


def kinds(hub: Hub, *, deep: bool = False) -> list[str]:
    return [finding.kind for finding in found(hub, deep=deep)]


def test_a_whole_hub_has_no_findings_and_is_counted(brand: Brand) -> None:
    tally = Tally()
    assert list(integrity.check(brand.hub, tally, deep=True)) == []
    assert (tally.blobs, tally.bytes, tally.keys) == (2, len(TEXT) + len(b"small picture"), 2)


def test_missing_bytes_are_found_with_those_who_need_them(brand: Brand) -> None:
    digest = brand.asset(b"other bytes", "other.bin").sha256
    brand.hub.blobs.remove(digest)
    (finding,) = [each for each in found(brand.hub) if each.kind == "MISSING_BLOB"]
    assert finding.subject == digest
    assert "1 versions and 0 renditions" in finding.sentence


def test_truncated_and_changed_bytes_are_found(brand: Brand) -> None:
    for file_name, spoilt, kind, deep in (
        ("a.bin", b"short", "WRONG_SIZE", False),
        ("b.bin", b"!" * 11, "DAMAGED_BLOB", True),
    ):
        digest = brand.asset(b"eleven " + file_name[:4].encode(), file_name).sha256
        path = brand.hub.blobs.local_path(digest)
        if path is None:
            pytest.skip("the bytes of this hub are not on this machine")
        spoil(path, spoilt)
        assert (kind, digest) in [(each.kind, each.subject) for each in found(brand.hub, deep=deep)]
    assert "DAMAGED_BLOB" not in kinds(brand.hub)


def test_bytes_that_no_row_knows_are_found(brand: Brand) -> None:
    stored = brand.hub.blobs.put(io.BytesIO(b"left behind by a crash"))
    assert [(each.kind, each.subject) for each in found(brand.hub)] == [("ORPHAN", stored.sha256)]


def test_a_row_that_tells_another_size_is_found(brand: Brand) -> None:
    with brand.hub.writing(brand.viewer) as work:
        work.session.execute(sa.update(RenditionRow).where(RenditionRow.state == "READY").values(byte_size=1))
    assert kinds(brand.hub) == ["WRONG_RECORD"]


def test_an_index_that_waits_too_long_is_found(brand: Brand) -> None:
    brand.asset(b"not indexed yet", "new.bin")
    assert kinds(brand.hub) == []
    hub = brand.hub
    later = replace(hub, clock=lambda: hub.clock() + integrity.PATIENCE + timedelta(seconds=1))
    assert kinds(later) == ["INDEX_BEHIND"]


def test_an_index_of_another_database_is_found(brand: Brand) -> None:
    with brand.hub.index.writer_lock():
        brand.hub.index.apply([], 10_000)
    assert kinds(brand.hub) == ["INDEX_AHEAD"]


def spoil(path: Path, content: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(content)
