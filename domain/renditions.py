"""Renditions of a version: what is made of it, in which state each is, and why one failed.

A rendition is asked for when its version arrives or its preset changes, never by being read. One job makes all that
a version lacks, from one decoding. Renditions of the same bytes by the same recipe are shared, not made again; one
that stands is replaced only by one that is finished.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa

from domain import asking, blobs, focal, history, identity, reads, tailoring
from domain.permissions import Permission
from domain.reads import Below, By
from domain.recipes import FailureCode, Format, suits
from domain.refusals import Conflict, NotFound
from domain.tailoring import Asked
from domain.work import BRAND_ORG_ID, Work
from storage.tables import AssetRow, AssetVersionRow, RenditionPresetRow, RenditionRow


def _of_versions() -> Below:
    present = RenditionRow.params_digest == RenditionPresetRow.params_digest
    rows = (
        sa.select(RenditionRow)
        .join(RenditionPresetRow, RenditionPresetRow.id == RenditionRow.preset_id)
        .where(present | (RenditionRow.state == "READY"), RenditionPresetRow.archived_at.is_(None))
    )
    ended = sa.and_(present, RenditionRow.state.in_(("READY", "FAILED")))
    rank = sa.case((ended, 0), (RenditionRow.state == "READY", 1), else_=2)
    order = (RenditionRow.preset_id, rank, RenditionRow.id.desc())
    return Below(rows, RenditionRow.version_id, order, once=RenditionRow.preset_id)


def _owner_of_marked() -> sa.ColumnElement[int | None]:
    version, asset = sa.orm.aliased(AssetVersionRow), sa.orm.aliased(AssetRow)
    owner = sa.select(asset.org_id).join(version, version.asset_id == asset.id)
    found = owner.where(version.id == RenditionRow.version_id).correlate(RenditionRow).scalar_subquery()
    return sa.case((RenditionRow.marked_sha256.is_(None), None), else_=found)


#: What `of_versions` answers, as a read.
OF_VERSIONS: Final = _of_versions()
#: The name of the preset that made a rendition, where these reads join it.
MADE_BY: Final = sa.case((RenditionPresetRow.org_id == BRAND_ORG_ID, RenditionPresetRow.name), else_="")
#: The organisation whose rendition has a marked twin; NULL where it has none, so that nobody looks for it.
OWNER_OF_MARKED: Final = _owner_of_marked()


@dataclass(frozen=True)
class RenderVersion:
    """Make whatever is queued for this version, and read its metadata if that was not done."""

    kind: ClassVar[str] = "render_version"
    queue: ClassVar[str] = "media"
    priority: ClassVar[int] = 0
    max_attempts: ClassVar[int] = 4

    version_id: int

    def unique_key(self) -> str:
        return f"render_version:{self.version_id}"


@dataclass(frozen=True)
class RenderVersionAgain:
    """The same for a preset that changed: nobody waits for it, so that fresh uploads overtake it, and what somebody
    asks for now does not wait until it is due.
    """

    kind: ClassVar[str] = "render_version_again"
    queue: ClassVar[str] = "upkeep"
    priority: ClassVar[int] = 0
    max_attempts: ClassVar[int] = 4

    version_id: int

    def unique_key(self) -> str:
        return f"render_version_again:{self.version_id}"


@dataclass(frozen=True)
class Kept:
    """Bytes that already stand in the blob store."""

    sha256: str
    byte_size: int


@dataclass(frozen=True)
class Made:
    """A finished rendition: its bytes, those with the watermark where there is one, and the digest of what was asked;
    without a digest it is the preset's own. `focal` is what a crop was laid around where nobody had said anything.
    """

    sha256: str
    byte_size: int
    media_type: str
    width: int
    height: int
    digest: str | None = None
    marked: Kept | None = None
    focal: tuple[float, float] | None = None


@dataclass(frozen=True)
class Failure:
    code: str
    message: str


Outcome = Made | Failure


def queue_for(
    work: Work,
    version: AssetVersionRow,
    presets: Sequence[RenditionPresetRow],
    *,
    again: bool = False,
    run_at: datetime | None = None,
) -> None:
    """Queues what `version` lacks of `presets` that suit its kind; what was made of the same bytes already is shared.

    `again` says that nobody waits for it, and then `run_at` when it is due.
    """
    there = set(
        work.session.execute(
            sa.select(RenditionRow.preset_id, RenditionRow.params_digest).where(RenditionRow.version_id == version.id),
        ),
    )
    fitting = [preset for preset in presets if suits(Format[preset.format], version.media_type)]
    lacking = [preset for preset in fitting if (preset.id, preset.params_digest) not in there]
    ready = _ready_elsewhere(work, version, lacking)
    for preset in lacking:
        row = _queued(work, version, preset)
        if preset.id in ready:
            _share(row, ready[preset.id])
        work.session.add(row)
    work.session.flush()
    if lacking:
        payload = {"asset": version.asset_id, "presets": [preset.id for preset in lacking]}
        _record(work, "rendition.queued", version, payload)
    if version.analysis_state == "QUEUED" or any(preset.id not in ready for preset in lacking):
        wanted = RenderVersionAgain(version.id) if again else RenderVersion(version.id)
        asking.ask(work, wanted, run_at=run_at, org_id=_owner(work, version))


def retry(work: Work, rendition_id: int) -> RenditionRow:
    """Puts a failed rendition back into the queue; any other state is a conflict."""
    row = visible(work, [rendition_id]).get(rendition_id)
    if row is None:
        raise NotFound("There is no rendition with this id.", ("rendition",))
    version = work.session.get_one(AssetVersionRow, row.version_id)
    _check_allowed(work, version)
    changed = work.session.execute(
        sa.update(RenditionRow)
        .where(RenditionRow.id == row.id, RenditionRow.state == "FAILED")
        .values(state="QUEUED", failure_code=None, failure_message=None, updated_at=work.now)
        .returning(RenditionRow.id),
    ).all()
    if not changed:
        raise Conflict("Only a failed rendition can be retried.", ("rendition",))
    work.session.refresh(row)
    _record(work, "rendition.queued", version, {"presets": [row.preset_id]})
    asking.ask(work, RenderVersion(row.version_id), org_id=_owner(work, version))
    return row


def request(work: Work, version_id: int, preset: RenditionPresetRow) -> RenditionRow:
    """The rendition of a version by a preset, asked for now if nobody did before."""
    seen = sa.select(AssetVersionRow).join(AssetRow, AssetRow.id == AssetVersionRow.asset_id)
    found = seen.where(AssetVersionRow.id == version_id, identity.sees_version(work))
    version = work.session.scalars(found).one_or_none()
    if version is None:
        raise NotFound("There is no version with this id.", ("version",))
    _check_allowed(work, version)
    if preset.archived_at is not None:
        raise Conflict("This preset is archived.", ("preset",))
    if not suits(Format[preset.format], version.media_type):
        raise Conflict("This preset makes films, and the file is none.", ("preset",))
    queue_for(work, version, [preset])
    wanted = (preset.id, preset.params_digest)
    return next(row for row in _of_version(work, version_id) if (row.preset_id, row.params_digest) == wanted)


def revive(work: Work, version_id: int) -> None:
    """Puts back into the queue what of a version failed in a way that another try may mend; the caller asks for it."""
    for row in _of_version(work, version_id):
        if row.state == "FAILED" and is_retryable(row.failure_code):
            row.state, row.failure_code, row.failure_message, row.updated_at = "QUEUED", None, None, work.now


def seen(work: Work) -> By:
    """Renditions by id that the viewer may see, with their versions and assets."""
    rows = (
        sa.select(RenditionRow)
        .join(RenditionPresetRow, RenditionPresetRow.id == RenditionRow.preset_id)
        .join(AssetVersionRow, AssetVersionRow.id == RenditionRow.version_id)
        .join(AssetRow, AssetRow.id == AssetVersionRow.asset_id)
    )
    return By(rows.where(identity.sees_version(work)), RenditionRow.id)


def visible(work: Work, ids: Iterable[int]) -> dict[int, RenditionRow]:
    return reads.by_id(work, seen(work), ids)


def of_versions(work: Work, version_ids: Iterable[int]) -> dict[int, list[RenditionRow]]:
    """Per version one rendition of each living preset, in the presets' order: by its present parameters.

    Where these were never asked of a version, the newest finished one by earlier parameters stands in.
    """
    return defaultdict(list, reads.grouped(work, OF_VERSIONS, version_ids))


def start(work: Work, version_id: int) -> tuple[AssetVersionRow, dict[int, Asked]] | None:
    """Marks all that waits on this version RUNNING: the version and what is asked per rendition id.

    What an earlier attempt left RUNNING is taken up again. None where nothing waits.
    """
    version = work.session.get_one(AssetVersionRow, version_id)
    waiting = (
        sa.select(RenditionRow, RenditionPresetRow)
        .join(RenditionPresetRow, RenditionPresetRow.id == RenditionRow.preset_id)
        .where(RenditionRow.version_id == version_id, RenditionRow.state.in_(("QUEUED", "RUNNING")))
    )
    there = {(row.preset_id, row.params_digest) for row in _of_version(work, version_id)}
    wanted: dict[int, RenditionPresetRow] = {}
    for row, preset in work.session.execute(waiting):
        if row.params_digest != preset.params_digest:  # the preset has changed while this one waited
            if preset.archived_at is not None or (preset.id, preset.params_digest) in there:
                work.session.delete(row)
                continue
            row.params_digest = preset.params_digest
        elif preset.archived_at is not None:
            work.session.delete(row)
            continue
        row.state, row.updated_at = "RUNNING", work.now
        wanted[row.id] = preset
    if version.analysis_state != "READY":
        version.analysis_state = "RUNNING"
    elif not wanted:
        return None
    asked = tailoring.of(work, version, wanted.values()) if wanted else {}
    return version, {row_id: asked[preset.id] for row_id, preset in wanted.items()}


def stale(work: Work, version_id: int) -> tuple[AssetVersionRow, dict[int, Asked]]:
    """What of this version is finished and would come out otherwise today, by rendition id."""
    version = work.session.get_one(AssetVersionRow, version_id)
    finished = (
        sa.select(RenditionRow, RenditionPresetRow)
        .join(RenditionPresetRow, RenditionPresetRow.id == RenditionRow.preset_id)
        .where(
            RenditionRow.version_id == version_id,
            RenditionRow.state == "READY",
            RenditionRow.params_digest == RenditionPresetRow.params_digest,
            RenditionPresetRow.archived_at.is_(None),
        )
    )
    rows = list(work.session.execute(finished))
    asked = tailoring.of(work, version, [preset for _, preset in rows]) if rows else {}
    return version, {row.id: asked[preset.id] for row, preset in rows if _made_of(row) != asked[preset.id].digest}


def replace_stale(work: Work, version: AssetVersionRow, outcomes: Mapping[int, Outcome]) -> None:
    """Puts the new bytes in the place of the old; where they could not be made, the old ones stay."""
    made = {row_id: outcome for row_id, outcome in outcomes.items() if isinstance(outcome, Made)}
    rows = sa.select(RenditionRow).where(RenditionRow.id.in_(made), RenditionRow.state == "READY")
    for row in work.session.scalars(rows):
        _write(work, row, made[row.id])
    _record_ends(work, version, made)


def finish(work: Work, version: AssetVersionRow, outcomes: Mapping[int, Outcome]) -> None:
    """Writes what became of each rendition id; one that is no longer RUNNING is left as it is."""
    rows = sa.select(RenditionRow).where(RenditionRow.id.in_(outcomes), RenditionRow.state == "RUNNING")
    for row in work.session.scalars(rows):
        outcome = outcomes[row.id]
        row.updated_at = work.now
        if isinstance(outcome, Made):
            _write(work, row, outcome)
        else:
            row.state, row.failure_code, row.failure_message = "FAILED", outcome.code, outcome.message
    _record_ends(work, version, outcomes)


def give_up(work: Work, version_id: int, code: str, message: str) -> None:
    """The job for this version died for good: everything that still waited on it FAILED with this reason."""
    version = work.session.get_one(AssetVersionRow, version_id)
    waiting = sa.select(RenditionRow.id).where(
        RenditionRow.version_id == version_id,
        RenditionRow.state.in_(("QUEUED", "RUNNING")),
    )
    ids = list(work.session.scalars(waiting))
    work.session.execute(sa.update(RenditionRow).where(RenditionRow.id.in_(ids)).values(state="RUNNING"))
    finish(work, version, dict.fromkeys(ids, Failure(code, message)))
    if version.analysis_state != "READY":
        version.analysis_state, version.failure_code, version.failure_message = "FAILED", code, message


def is_retryable(code: str | None) -> bool:
    """Whether trying the same bytes again may end otherwise."""
    known = FailureCode.__members__.get(code or "")
    return known is None or known.is_retryable


def _record(work: Work, type_: str, version: AssetVersionRow, payload: dict[str, Any]) -> None:
    history.record(work, type_, ("AssetVersion", version.id), payload, org_id=_owner(work, version))


def _owner(work: Work, version: AssetVersionRow) -> int:
    """The organisation of the asset, whoever works on it."""
    return work.session.get_one(AssetRow, version.asset_id).org_id


def _check_allowed(work: Work, version: AssetVersionRow) -> None:
    identity.require(work, Permission.RENDITION_REQUEST, work.session.get_one(AssetRow, version.asset_id))


def _of_version(work: Work, version_id: int) -> list[RenditionRow]:
    return list(work.session.scalars(sa.select(RenditionRow).where(RenditionRow.version_id == version_id)))


def _queued(work: Work, version: AssetVersionRow, preset: RenditionPresetRow) -> RenditionRow:
    return RenditionRow(
        org_id=preset.org_id,
        version_id=version.id,
        preset_id=preset.id,
        params_digest=preset.params_digest,
        state="QUEUED",
        updated_at=work.now,
    )


def _ready_elsewhere(
    work: Work, version: AssetVersionRow, presets: Sequence[RenditionPresetRow]
) -> dict[int, RenditionRow]:
    """By the preset's id what was made of the same bytes and would come out the same of this version."""
    rows = (
        sa.select(RenditionRow)
        .join(AssetVersionRow, AssetVersionRow.id == RenditionRow.version_id)
        .where(
            AssetVersionRow.sha256 == version.sha256,
            RenditionRow.params_digest.in_({preset.params_digest for preset in presets}),
            RenditionRow.state == "READY",
        )
    )
    made = {_made_of(row): row for row in work.session.scalars(rows)}
    if not made:
        return {}
    focal.take_over(work, version.id, {row.version_id for row in made.values()})
    asked = tailoring.of(work, version, presets)
    return {preset_id: made[each.digest] for preset_id, each in asked.items() if each.digest in made}


def _made_of(row: RenditionRow) -> str:
    return row.made_digest or row.params_digest


def _write(work: Work, row: RenditionRow, made: Made) -> None:
    blobs.keep(work, made.sha256, made.byte_size)
    row.state, row.sha256, row.byte_size = "READY", made.sha256, made.byte_size
    row.media_type, row.width, row.height = made.media_type, made.width, made.height
    row.made_digest, row.updated_at = made.digest, work.now
    if made.focal is not None:
        focal.propose(work, row.version_id, *made.focal)
    if made.marked is not None:
        blobs.keep(work, made.marked.sha256, made.marked.byte_size)
    row.marked_sha256 = None if made.marked is None else made.marked.sha256
    row.marked_byte_size = None if made.marked is None else made.marked.byte_size


def _share(row: RenditionRow, other: RenditionRow) -> None:
    row.state = "READY"
    for name in ("media_type", "width", "height", "byte_size", "sha256", "made_digest"):
        setattr(row, name, getattr(other, name))
    row.marked_sha256, row.marked_byte_size = other.marked_sha256, other.marked_byte_size


def _record_ends(work: Work, version: AssetVersionRow, outcomes: Mapping[int, Outcome]) -> None:
    for type_, made in (("rendition.ready", Made), ("rendition.failed", Failure)):
        ids = [rendition_id for rendition_id, outcome in outcomes.items() if isinstance(outcome, made)]
        if ids:
            payload = {"asset": version.asset_id, "renditions": ids}
            _record(work, type_, version, payload)
