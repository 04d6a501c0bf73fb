"""Assets written straight into the tables, for lists long enough to be worth listing."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from domain import history, taxonomy
from domain.hub import Hub
from domain.texts import fold
from domain.work import HUB, Work
from storage.tables import (
    ApprovalRow,
    AssetRow,
    AssetTagRow,
    AssetVersionRow,
    BlobRow,
    PrincipalRow,
)
from tests import assessed

START = datetime(2020, 1, 1, tzinfo=UTC)
KINDS = ("IMAGE", "VIDEO", "DOCUMENT")
LIFECYCLES = ("DRAFT", "APPROVED", "ARCHIVED", "PUBLISHED")
MEDIA_TYPES = ("image/png", "image/jpeg", "video/mp4", "application/pdf")
TAGS = ("red", "green", "blue", "море")
WORDS = ("alpha", "beta", "gamma", "delta", "Beta", "мост", "река")


@dataclass(frozen=True)
class Facts:
    """One asset; without `media_type` it has no version yet."""

    title: str
    kind: str = "IMAGE"
    lifecycle: str = "DRAFT"
    created_at: datetime = START
    updated_at: datetime = START
    tags: tuple[str, ...] = ()
    media_type: str | None = "image/png"
    byte_size: int = 100
    width: int | None = None
    height: int | None = None
    captured_at: datetime | None = None
    approved: bool = False
    description: str | None = None
    file_name: str = "file.bin"

    @property
    def year(self) -> int:
        return (self.captured_at if self.media_type and self.captured_at else self.created_at).year


def insert(hub: Hub, wanted: Sequence[Facts]) -> list[int]:
    """Writes them with the events that the index follows; their ids, in order."""
    with hub.writing(HUB) as work:
        by = work.session.scalars(sa.select(PrincipalRow.id).order_by(PrincipalRow.id)).first()
        assert by is not None, "somebody must be there to bring assets"
        tags = _tags(work, wanted)
        return [_insert(work, facts, by, tags) for facts in wanted]


def some(seed: int, count: int) -> list[Facts]:
    """Assets of every sort, many alike in what they are ordered by; all their titles say “asset”."""
    chance = random.Random(seed)

    def maybe(value: Any) -> Any:
        return value if chance.random() < 0.7 else None

    def moment(days: int) -> datetime:
        return START + timedelta(days=chance.randrange(-days, days), microseconds=chance.choice((0, 1, 999_999)))

    made = []
    for _ in range(count):
        media_type = maybe(chance.choice(MEDIA_TYPES))
        made.append(
            Facts(
                title=f"{chance.choice(WORDS)} asset",
                kind=chance.choice(KINDS),
                lifecycle=chance.choice(LIFECYCLES),
                created_at=moment(3),
                updated_at=moment(400),
                tags=tuple(chance.sample(TAGS, chance.randrange(4))),
                media_type=media_type,
                byte_size=chance.choice((1, 50, 50, 3_000_000_000)),
                width=maybe(chance.choice((1, 100, 4000))) if media_type else None,
                height=maybe(chance.choice((1, 100, 4000))) if media_type else None,
                captured_at=maybe(chance.choice((moment(3000), datetime(1965, 7, 1, tzinfo=UTC))))
                if media_type
                else None,
                approved=media_type is not None and chance.random() < 0.3,
            )
        )
    return made


def _tags(work: Work, wanted: Sequence[Facts]) -> dict[str, int]:
    words = sorted({word for facts in wanted for word in facts.tags})
    return {word: taxonomy.named(work, [word])[0] for word in words}


def _insert(work: Work, facts: Facts, by: int, tags: dict[str, int]) -> int:
    asset = AssetRow(
        org_id=1,
        kind=facts.kind,
        title=facts.title,
        title_folded=fold(facts.title),
        title_origin="USER",
        description=facts.description,
        description_origin="USER",
        lifecycle=facts.lifecycle,
        created_at=facts.created_at,
        created_by=by,
        updated_at=facts.updated_at,
    )
    work.session.add(asset)
    work.session.flush()
    if facts.media_type is not None:
        _version(work, asset, facts, by)
    for word in facts.tags:
        work.session.add(AssetTagRow(asset_id=asset.id, tag_id=tags[word], origin="USER", created_at=START))
    history.record(work, "asset.created", ("Asset", asset.id))
    return asset.id


def _version(work: Work, asset: AssetRow, facts: Facts, by: int) -> None:
    sha256 = hashlib.sha256(f"{asset.id}".encode()).hexdigest()
    work.session.add(BlobRow(sha256=sha256, byte_size=facts.byte_size, created_at=START))
    work.session.flush()
    version = AssetVersionRow(
        asset_id=asset.id,
        number=1,
        sha256=sha256,
        byte_size=facts.byte_size,
        file_name=facts.file_name,
        media_type=facts.media_type,
        created_at=START,
        created_by=by,
        analysis_state="READY",
        width=facts.width,
        height=facts.height,
        captured_at=facts.captured_at,
    )
    work.session.add(version)
    work.session.flush()
    work.session.execute(sa.update(AssetRow).where(AssetRow.id == asset.id).values(current_version_id=version.id))
    if facts.approved:
        assessed.own(work, asset, by=by)
        approval = ApprovalRow(
            org_id=1, asset_id=asset.id, version_id=version.id, sha256=sha256, approved_at=START, approved_by=by
        )
        work.session.add(approval)
        work.session.flush()
        pointed = sa.update(AssetRow).where(AssetRow.id == asset.id).values(approved_version_id=version.id)
        work.session.execute(pointed)
