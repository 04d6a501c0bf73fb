"""What pictures look like, and which of them look alike: found by workers, kept by digest.

It is known of bytes, whoever holds them: versions of any age and state, and uploads that nothing was made of yet. Who
may hear of it is decided where it is told (`domain.likeness`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects import postgresql, sqlite

from domain import asking
from domain.work import Work
from storage import likeness
from storage.likeness import Alike, LikenessIndex, Looks
from storage.tables import (
    AlikeRow,
    AssetTrashRow,
    AssetVersionRow,
    LikenessHeadRow,
    LikenessRow,
    NearDuplicateRow,
    UploadRow,
)

#: Raise it when the same picture begins to have other hashes: all are then looked at anew, by and by.
ALGORITHM: Final = 1
#: Pictures that are kept as looking like one: the nearest.
MOST_ALIKE: Final = 100
#: Pictures compared with all others in one transaction.
STEP: Final = 50
#: Digests that a sweep looks at.
SWEPT_AT_ONCE: Final = 500


@dataclass(frozen=True)
class Likeness:
    """Of the whole picture and eight crops nine hashes of 16 bytes and nine proofs of 32; and of the mirror image."""

    hashes: bytes
    proofs: bytes
    mirrored_hashes: bytes
    mirrored_proofs: bytes
    is_page: bool


@dataclass(frozen=True)
class Unseen:
    """Why there is nothing to compare by; without a code there is no picture, or a plain one."""

    code: str | None = None
    message: str | None = None


@dataclass(frozen=True)
class LookAtBytes:
    """Find out what the picture in these bytes looks like: somebody waits to hear what is like it."""

    kind: ClassVar[str] = "look_at_bytes"
    queue: ClassVar[str] = "media"
    priority: ClassVar[int] = 10
    max_attempts: ClassVar[int] = 3

    sha256: str

    def unique_key(self) -> str:
        return f"look_at:{self.sha256}"


@dataclass(frozen=True)
class LookAtBytesAgain:
    """The same where nobody waits: of what came before pictures were compared, or was looked at by other rules."""

    kind: ClassVar[str] = "look_at_bytes_again"
    queue: ClassVar[str] = "upkeep"
    priority: ClassVar[int] = 0
    max_attempts: ClassVar[int] = 3

    sha256: str

    def unique_key(self) -> str:
        return f"look_at:{self.sha256}"


@dataclass(frozen=True)
class CompareLooks:
    """Compare the pictures that were looked at since with all others."""

    kind: ClassVar[str] = "compare_looks"
    queue: ClassVar[str] = "default"
    priority: ClassVar[int] = 0
    max_attempts: ClassVar[int] = 5

    def unique_key(self) -> str:
        return self.kind


@dataclass(frozen=True)
class Compared:
    """Pictures up to a number, each with what looks like it."""

    up_to: int
    found: Sequence[tuple[str, list[Alike]]]


def ask(work: Work, sha256: str) -> None:
    """Has these bytes looked at, unless they were or will be."""
    values = {"sha256": sha256, "state": "LOOKING", "algorithm": ALGORITHM, "is_page": False, "updated_at": work.now}
    fresh = _insert(work, LikenessRow).values(values).on_conflict_do_nothing().returning(LikenessRow.sha256)
    if work.session.execute(fresh).first() is not None:
        asking.ask(work, LookAtBytes(sha256))


def is_wanted(work: Work, sha256: str) -> bool:
    """Whether nobody has looked yet, by the present rules."""
    row = work.session.get(LikenessRow, sha256)
    return row is None or row.state == "LOOKING" or row.algorithm != ALGORITHM


def file_name(work: Work, sha256: str) -> str:
    """What a file with these bytes was called; "" where nothing holds them."""
    version = sa.select(AssetVersionRow.file_name).where(AssetVersionRow.sha256 == sha256).limit(1)
    upload = sa.select(UploadRow.file_name).where(UploadRow.sha256 == sha256).limit(1)
    return work.session.scalar(version) or work.session.scalar(upload) or ""


def record(work: Work, sha256: str, seen: Likeness | Unseen) -> None:
    """Keeps what somebody saw in these bytes; what was known by the present rules already stays."""
    if not is_wanted(work, sha256):
        return
    known = work.session.get(LikenessRow, sha256)
    work.session.execute(sa.delete(AlikeRow).where((AlikeRow.sha256 == sha256) | (AlikeRow.other == sha256)))
    values: dict[str, Any] = dict.fromkeys(_FACTS) | {"is_page": False, "failure_code": None, "failure_message": None}
    values |= {"sha256": sha256, "algorithm": ALGORITHM, "number": None, "updated_at": work.now}
    if isinstance(seen, Likeness):
        values |= {"state": "READY"} | {name: getattr(seen, name) for name in (*_FACTS, "is_page")}
        # Last, as everybody else who looked waits for this transaction from here on.
        values["number"] = likeness.next_number(work.session)
    elif seen.code is not None:
        values |= {"state": "FAILED", "failure_code": seen.code, "failure_message": seen.message}
    else:
        values["state"] = "NOTHING"
    kept = _insert(work, LikenessRow).values(values)
    work.session.execute(kept.on_conflict_do_update(index_elements=["sha256"], set_=values))
    if known is not None:
        work.session.expire(known)
    if isinstance(seen, Likeness):
        asking.ask(work, CompareLooks())


def compare(work: Work, index: LikenessIndex) -> Compared | None:
    """Compares the next pictures that were not; None where all were. Writes nothing."""
    done = work.session.scalars(sa.select(LikenessHeadRow.compared)).one()
    rows = sa.select(LikenessRow).where(LikenessRow.number > done).order_by(LikenessRow.number).limit(STEP)
    waiting = list(work.session.scalars(rows))
    if not waiting:
        return None
    likeness.refresh(work.session, index, ALGORITHM)
    found = [
        (row.sha256, likeness.alike(work.session, index, Looks.of(row), row.sha256)[:MOST_ALIKE]) for row in waiting
    ]
    number = waiting[-1].number
    assert number is not None
    return Compared(number, found)


def keep(work: Work, compared: Compared) -> None:
    """Writes down what looks alike, and the assets that do: twice does no harm."""
    pairs = [
        {"sha256": one, "other": other, "distance": each.distance, "is_mirrored": each.is_mirrored}
        for sha256, found in compared.found
        for each in found
        for one, other in ((sha256, each.sha256), (each.sha256, sha256))
    ]
    pairs.sort(key=lambda pair: (str(pair["sha256"]), str(pair["other"])))  # so that nobody waits in a circle
    if pairs:
        work.session.execute(_insert(work, AlikeRow).on_conflict_do_nothing(), pairs)
    notice(work, [sha256 for sha256, _ in compared.found])
    further = sa.update(LikenessHeadRow).where(LikenessHeadRow.compared < compared.up_to)
    work.session.execute(further.values(compared=compared.up_to).execution_options(synchronize_session=False))


def notice(work: Work, digests: Iterable[str]) -> None:
    """Puts assets with versions that look like these bytes before whoever decides about near-duplicates.

    Assets that hold the same bytes are none: whoever made the second said why.
    """
    one, other = orm.aliased(AssetVersionRow), orm.aliased(AssetVersionRow)
    rows = (
        sa.select(one.asset_id, other.asset_id)
        .select_from(AlikeRow)
        .join(one, one.sha256 == AlikeRow.sha256)
        .join(other, other.sha256 == AlikeRow.other)
        .where(AlikeRow.sha256.in_(set(digests)), one.asset_id != other.asset_id)
    )
    pairs = sorted({(min(pair), max(pair)) for pair in work.session.execute(rows)})
    if pairs:
        values = [{"low_asset_id": low, "high_asset_id": high, "found_at": work.now} for low, high in pairs]
        work.session.execute(_insert(work, NearDuplicateRow).on_conflict_do_nothing(), values)


def unlooked(work: Work, after: str) -> list[str]:
    """The next digests of versions and finished uploads that nobody looked at by the present rules, in order."""
    known = sa.select(LikenessRow.sha256).where(LikenessRow.algorithm == ALGORITHM)
    analysed = _of_versions().where(AssetVersionRow.analysis_state.in_(("READY", "FAILED")))
    held: Any = sa.union(analysed, _of_uploads()).subquery()
    rows = sa.select(held.c.sha256).where(held.c.sha256 > after, held.c.sha256.not_in(known))
    return list(work.session.scalars(rows.order_by(held.c.sha256).limit(SWEPT_AT_ONCE)))


def forget(work: Work) -> int:
    """Forgets what nothing holds any more; how many, of which there may be more."""
    held: Any = sa.union_all(_of_versions(), _of_uploads())
    stray = sa.select(LikenessRow.sha256).where(LikenessRow.sha256.not_in(held)).limit(SWEPT_AT_ONCE)
    digests = list(work.session.scalars(stray))
    gone = (AlikeRow.sha256.in_(digests)) | (AlikeRow.other.in_(digests))
    work.session.execute(sa.delete(AlikeRow).where(gone))
    work.session.execute(sa.delete(LikenessRow).where(LikenessRow.sha256.in_(digests)))
    return len(digests)


def _of_versions() -> sa.Select[str]:
    """Digests of versions whose bytes were not purged."""
    purged = sa.select(AssetTrashRow.asset_id).where(AssetTrashRow.purged_at.is_not(None))
    return sa.select(AssetVersionRow.sha256).where(AssetVersionRow.asset_id.not_in(purged))


def _of_uploads() -> sa.Select[str | None]:
    return sa.select(UploadRow.sha256).where(UploadRow.sha256.is_not(None))


_FACTS: Final = ("hashes", "proofs", "mirrored_hashes", "mirrored_proofs")


def _insert(work: Work, table: Any) -> Any:
    is_postgres = work.session.get_bind().dialect.name == "postgresql"
    return postgresql.insert(table) if is_postgres else sqlite.insert(table)
