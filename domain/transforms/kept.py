"""What was made of a file by a recipe that somebody asked for by address: rows, and how they come and go.

Always true here:
- The same recipe is made once of the same bytes, whoever asks and through whichever version: whether they may is asked
  before anything is looked for here.
- All that is kept together takes no more room than the budget once the sweep has been: what was asked for longest ago
  goes first. Nothing is lost: it is made anew.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from domain import asking, blobs
from domain.hub import Hub
from domain.recipes import FailureCode, Recipe
from domain.transforms import spelling
from domain.work import BRAND_ORG_ID, Work
from storage.tables import AssetTrashRow, AssetVersionRow, TransformRow

#: How often it is written down that something is still asked for.
TOLD_EVERY: Final = timedelta(hours=1)
#: After this long what failed for want of time or memory may be tried again.
TRIED_AGAIN: Final = timedelta(minutes=10)
#: Rows swept in one transaction.
SWEPT: Final = 100
#: Digests looked up in one statement.
LOOKED_UP: Final = 500
PICTURE, PART, PYRAMID = "PICTURE", "PART", "PYRAMID"
_BITONAL: Final = "bitonal"
_SIGNED: Final = "signed"


@dataclass(frozen=True)
class MakeTransform:
    """Make one picture that somebody waits for."""

    kind: ClassVar[str] = "make_transform"
    queue: ClassVar[str] = "default"
    priority: ClassVar[int] = 10
    max_attempts: ClassVar[int] = 2

    transform_id: int

    def unique_key(self) -> str:
        return f"transform:{self.transform_id}"


@dataclass(frozen=True)
class BuildPyramid:
    """Cut one picture into tiles at every size."""

    kind: ClassVar[str] = "build_pyramid"
    queue: ClassVar[str] = "default"
    priority: ClassVar[int] = 5
    max_attempts: ClassVar[int] = 2

    transform_id: int

    def unique_key(self) -> str:
        return f"transform:{self.transform_id}"


@dataclass(frozen=True)
class Wanted:
    """What has to be made before it can be delivered; `recipe` is None for a pyramid. `is_bitonal`: of black and white
    alone. `is_signed`: with content credentials.
    """

    source_sha256: str
    kind: str
    recipe: Recipe | None = None
    is_bitonal: bool = False
    is_signed: bool = False

    @cached_property
    def params_digest(self) -> str:
        if self.recipe is None:
            return ""
        return "-".join((self.recipe.params_digest, *self._marks))

    def spelt(self) -> dict[str, Any]:
        """As a row keeps it."""
        told = {} if self.recipe is None else spelling.spelt(self.recipe)
        return {**told, **dict.fromkeys(self._marks, True)}

    @property
    def _marks(self) -> tuple[str, ...]:
        marks = ((_BITONAL, self.is_bitonal), (_SIGNED, self.is_signed))
        return tuple(mark for mark, is_so in marks if is_so)


@dataclass(frozen=True)
class Made:
    """A finished one whose bytes already stand in the blob store."""

    sha256: str
    byte_size: int
    media_type: str
    width: int
    height: int
    index_at: int | None = None


@dataclass(frozen=True)
class Failed:
    code: str
    message: str


@dataclass(frozen=True)
class Begun:
    """What a worker is to make of which bytes."""

    wanted: Wanted
    media_type: str
    #: Of a part: the pyramid's own row.
    pyramid: TransformRow | None = None


def find(work: Work, wanted: Wanted) -> TransformRow | None:
    return work.session.scalars(_SAME, _named(wanted)).one_or_none()


def ask(work: Work, wanted: Wanted) -> int:
    """The id of its row; it is made by a job that is asked for unless it is there, on its way, or failed just now."""
    fresh = _added(work, wanted)
    if fresh is not None:
        _ask_for(work, wanted, fresh)
        return fresh
    row = work.session.scalars(_SAME.with_for_update(), _named(wanted)).one()
    if row.state == "FAILED" and may_be_tried(work, row):
        row.state, row.failure_code, row.failure_message, row.updated_at = "QUEUED", None, None, work.now
    if row.state in {"QUEUED", "RUNNING"}:
        _ask_for(work, wanted, row.id)
    work.session.flush()
    return row.id


def is_over(hub: Hub, transform_id: int) -> bool:
    """Whether nothing more is to be waited for: it is there, failed, or gone. Asked without a unit of work."""
    with hub.database.reader.connect() as connection:
        state = connection.scalar(_STATE, {"id": transform_id})
    return state not in {"QUEUED", "RUNNING"}


_STATE: Final = sa.select(TransformRow.state).where(TransformRow.id == sa.bindparam("id"))


def start(work: Work, transform_id: int) -> Begun | None:
    """Marks it RUNNING; None where it is over, or no version holds the bytes any more, and then it is forgotten."""
    row = _locked(work, transform_id)
    if row is None or row.state not in {"QUEUED", "RUNNING"}:
        return None
    media_type = work.session.scalar(_living(row.source_sha256).limit(1))
    wanted = wanted_of(row)
    pyramid = find(work, Wanted(row.source_sha256, PYRAMID)) if row.kind == PART else None
    if media_type is None or (row.kind == PART and (pyramid is None or pyramid.state != "READY")):
        work.session.delete(row)
        return None
    row.state, row.updated_at = "RUNNING", work.now
    return Begun(wanted, media_type, pyramid)


def finish(work: Work, transform_id: int, outcome: Made | Failed) -> None:
    """Writes what became of it; one that is over, or gone, is left as it is."""
    row = _locked(work, transform_id)
    if row is None or row.state not in {"QUEUED", "RUNNING"}:
        return
    row.updated_at = row.used_at = work.now
    if isinstance(outcome, Failed):
        row.state, row.failure_code, row.failure_message = "FAILED", outcome.code, outcome.message
        return
    blobs.keep(work, outcome.sha256, outcome.byte_size)
    row.state, row.sha256, row.byte_size, row.index_at = "READY", outcome.sha256, outcome.byte_size, outcome.index_at
    row.media_type, row.width, row.height = outcome.media_type, outcome.width, outcome.height


def put(work: Work, wanted: Wanted, outcome: Made) -> int | None:
    """Writes down what was made of it without a job: the id of its row; None where there is one already, which stays as
    it is.
    """
    blobs.keep(work, outcome.sha256, outcome.byte_size)
    told = {"sha256": outcome.sha256, "byte_size": outcome.byte_size, "media_type": outcome.media_type}
    fresh = _added(work, wanted, state="READY", width=outcome.width, height=outcome.height, **told)
    if fresh is None:
        row = work.session.scalars(_SAME.with_for_update(), _named(wanted)).one()
        if row.state == "FAILED":
            row.state, row.failure_code, row.failure_message = "QUEUED", None, None
            work.session.flush()
        finish(work, row.id, outcome)
    return fresh


def is_due(work: Work, row: TransformRow) -> bool:
    """Whether it is to be written down that it was asked for."""
    return row.used_at + TOLD_EVERY <= work.now


def may_be_tried(work: Work, row: TransformRow) -> bool:
    """Whether what FAILED may end otherwise by now."""
    known = FailureCode.__members__.get(row.failure_code or "")
    return (known is None or known.is_retryable) and row.updated_at + TRIED_AGAIN <= work.now


def touch(work: Work, transform_id: int) -> None:
    work.session.execute(sa.update(TransformRow).where(TransformRow.id == transform_id).values(used_at=work.now))


def sweep(work: Work, budget: int) -> tuple[list[str], bool]:
    """Forgets some of what nobody can ask for any more, and of what takes more room together than `budget` bytes: the
    digests of bytes to be removed in a transaction of its own (`blobs.remove`), and whether there may be more to do.
    """
    orphans = sa.select(TransformRow).where(
        ~_living(TransformRow.source_sha256).correlate(TransformRow).exists(),
        TransformRow.state.in_(("READY", "FAILED")),
    )
    gone = list(work.session.scalars(orphans.order_by(TransformRow.id).limit(SWEPT).with_for_update()))
    over = used(work) - sum(row.byte_size or 0 for row in gone) - budget
    if over > 0:
        gone += _oldest(work, over, {row.id for row in gone})
    return _dropped(work, gone), len(gone) >= SWEPT


def used(work: Work) -> int:
    """Bytes that all of it takes together."""
    return int(work.session.scalar(sa.select(sa.func.sum(TransformRow.byte_size))) or 0)


def forget(work: Work, source_sha256: str) -> list[str]:
    """Everything that was made of these bytes; the digests to be removed like those of `sweep`."""
    rows = sa.select(TransformRow).where(TransformRow.source_sha256 == source_sha256).with_for_update()
    return _dropped(work, list(work.session.scalars(rows)))


def living(work: Work, digests: Collection[str]) -> set[str]:
    """Of these, the ones that a version still holds which was not purged."""
    wanted, found = sorted(digests), set[str]()
    for start in range(0, len(wanted), LOOKED_UP):
        some = wanted[start : start + LOOKED_UP]
        held = _living(AssetVersionRow.sha256).where(AssetVersionRow.sha256.in_(some))
        found |= set(work.session.scalars(held.with_only_columns(AssetVersionRow.sha256).distinct()))
    return found


def wanted_of(row: TransformRow) -> Wanted:
    told = {name: value for name, value in row.recipe.items() if name not in {_BITONAL, _SIGNED}}
    recipe = None if row.kind == PYRAMID else spelling.recipe(told)
    marks = {"is_bitonal": _BITONAL in row.recipe, "is_signed": _SIGNED in row.recipe}
    return Wanted(row.source_sha256, row.kind, recipe, **marks)


#: Put together once: putting it together costs more than asking it.
_SAME: Final = sa.select(TransformRow).where(
    TransformRow.source_sha256 == sa.bindparam("source_sha256"),
    TransformRow.kind == sa.bindparam("kind"),
    TransformRow.params_digest == sa.bindparam("params_digest"),
)


def _named(wanted: Wanted) -> dict[str, str]:
    return {"source_sha256": wanted.source_sha256, "kind": wanted.kind, "params_digest": wanted.params_digest}


def _added(work: Work, wanted: Wanted, **told: Any) -> int | None:
    """The id of a row made for it; None where there is one, also of whoever asks at the same time."""
    insert = postgresql.insert if work.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values: Mapping[str, Any] = {
        "source_sha256": wanted.source_sha256,
        "kind": wanted.kind,
        "params_digest": wanted.params_digest,
        "recipe": wanted.spelt(),
        "state": "QUEUED",
        "updated_at": work.now,
        "used_at": work.now,
        **told,
    }
    adding = insert(TransformRow).values(values).on_conflict_do_nothing().returning(TransformRow.id)
    return work.session.scalar(adding)


def _ask_for(work: Work, wanted: Wanted, transform_id: int) -> None:
    message = BuildPyramid(transform_id) if wanted.kind == PYRAMID else MakeTransform(transform_id)
    asking.ask(work, message, org_id=BRAND_ORG_ID)


def _locked(work: Work, transform_id: int) -> TransformRow | None:
    return work.session.get(TransformRow, transform_id, with_for_update=True, populate_existing=True)


def _oldest(work: Work, over: int, but: set[int]) -> list[TransformRow]:
    """Of those asked for longest ago as many as take up `over` bytes."""
    rows = sa.select(TransformRow).where(TransformRow.state == "READY").order_by(TransformRow.used_at, TransformRow.id)
    chosen: list[TransformRow] = []
    for row in work.session.scalars(rows.limit(SWEPT).with_for_update()):
        if over <= 0:
            break
        if row.id not in but:
            chosen.append(row)
            over -= row.byte_size or 0
    return chosen


def _dropped(work: Work, rows: list[TransformRow]) -> list[str]:
    for row in rows:
        work.session.delete(row)
    work.session.flush()
    freed = sorted({row.sha256 for row in rows if row.sha256 is not None})
    return [sha256 for sha256 in freed if blobs.let_go(work, sha256)]


def _living(sha256: Any) -> sa.Select[str]:
    """The media type of versions that hold these bytes and were not purged."""
    purged = sa.select(AssetTrashRow.asset_id).where(AssetTrashRow.purged_at.is_not(None))
    held = AssetVersionRow.sha256 == sha256
    return sa.select(AssetVersionRow.media_type).where(held, AssetVersionRow.asset_id.not_in(purged))
