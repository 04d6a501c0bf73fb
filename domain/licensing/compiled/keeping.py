"""What was compiled is kept: for every asset that is listed as due, as of a moment, unless more has changed since.

Reading and compiling hold no lock; what is written is written in short transactions, each of some assets.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from domain.licensing import clearing, facts, territories
from domain.licensing.compiled import alphabet, compiling
from domain.licensing.compiled.compiling import Part, Reach
from domain.licensing.terms import Facts, Subject
from domain.work import Work
from storage.tables import (
    AssetRow,
    DeliverableDueRow,
    DeliverablePartRow,
    DeliverableReachRow,
    DeliverableVersionRow,
)

#: Assets that are compiled from one snapshot, and written in one transaction.
AT_ONCE: Final = 200
#: Key of PostgreSQL's advisory lock that numbers reaches: "reaching" in ASCII.
LOCK: Final = int.from_bytes(b"reaching")
#: Assets that are listed as due in one transaction.
LISTED_AT_ONCE: Final = 2_000


@dataclass(frozen=True)
class Compiled:
    """As of one snapshot."""

    #: Per asset how often it had been listed as due.
    times: Mapping[int, int]
    #: Per shown version of these assets.
    versions: Mapping[int, Version]


@dataclass(frozen=True)
class Version:
    asset_id: int
    epoch: int
    listed_at: datetime
    reach: Reach


def compiled(work: Work, beyond: int = 0) -> Compiled | None:
    """The next assets that are due, by their ids; None where there are none beyond that one. Writes nothing."""
    due = sa.select(DeliverableDueRow.asset_id, DeliverableDueRow.times).where(DeliverableDueRow.asset_id > beyond)
    times = dict(work.session.execute(due.order_by(DeliverableDueRow.asset_id).limit(AT_ONCE)).all())
    if not times:
        return None
    told = (AssetRow.id, AssetRow.rights_epoch, AssetRow.created_at)
    shown = sa.select(*told, AssetRow.current_version_id, AssetRow.approved_version_id)
    rows = work.session.execute(shown.where(AssetRow.id.in_(times))).all()
    of_version = {each: (row[0], row[1], row[2]) for row in rows for each in row[3:] if each is not None}
    known, reaches = facts.of_versions(work, of_version), _Reaches()
    versions = {key: Version(*asset, reaches.of(known[key])) for key, asset in of_version.items()}
    return Compiled(times, versions)


def keep(work: Work, found: Compiled) -> int:
    """Of how many of the assets it was kept: of those of which nothing has changed meanwhile, and which nobody is
    changing now.
    """
    asked = sa.select(DeliverableDueRow.asset_id, DeliverableDueRow.times)
    asked = asked.where(DeliverableDueRow.asset_id.in_(found.times)).order_by(DeliverableDueRow.asset_id)
    rows = work.session.execute(asked.with_for_update(skip_locked=True))
    still = {asset_id for asset_id, times in rows if found.times[asset_id] == times}
    versions = {key: each for key, each in sorted(found.versions.items()) if each.asset_id in still}
    ids = _reaches(work, {each.reach for each in versions.values()} - {()})
    values = [
        {
            "version_id": version_id,
            "asset_id": each.asset_id,
            "epoch": each.epoch,
            "rules": alphabet.RULES,
            "reach_id": ids.get(each.reach),
            "listed_at": each.listed_at,
        }
        for version_id, each in versions.items()
    ]
    if values:
        _upsert(work, values)
    done = sa.delete(DeliverableDueRow).where(DeliverableDueRow.asset_id.in_(still))
    work.session.execute(done.execution_options(synchronize_session=False))
    return len(still)


def list_astray(work: Work, beyond: int = 0) -> int | None:
    """Lists as due what is not listed and yet not as it should be, which no change can bring about but that of the
    rules. Looks at some assets beyond that one, and answers with the last of them; None after the last.
    """
    some = sa.select(AssetRow.id).where(AssetRow.id > beyond).order_by(AssetRow.id).limit(LISTED_AT_ONCE)
    ids = list(work.session.scalars(some))
    if not ids:
        return None
    kept = DeliverableVersionRow
    missing = [
        sa.and_(
            shown.is_not(None),
            ~sa.exists().where(
                kept.version_id == shown,
                kept.asset_id == AssetRow.id,
                kept.epoch == AssetRow.rights_epoch,
                kept.rules == alphabet.RULES,
                kept.listed_at == AssetRow.created_at,
            ),
        )
        for shown in (AssetRow.current_version_id, AssetRow.approved_version_id)
    ]
    astray = sa.select(AssetRow.id, sa.literal(1)).where(AssetRow.id.in_(ids), AssetRow.rights_epoch > 0)
    astray = astray.where(sa.or_(*missing)).order_by(AssetRow.id)
    insert = postgresql.insert if _is_postgres(work) else sqlite.insert
    listed = insert(DeliverableDueRow).from_select(["asset_id", "times"], astray).on_conflict_do_nothing()
    work.session.execute(listed)
    return ids[-1]


def has_other_rules(work: Work) -> bool:
    """Whether anything was compiled by other rules than today's."""
    rules = DeliverableVersionRow.rules
    found = (sa.select(rules).where(end).limit(1) for end in (rules < alphabet.RULES, rules > alphabet.RULES))
    return any(work.session.scalar(each) is not None for each in found)


def forget_unused(work: Work) -> int:
    """Removes some of the reaches that no version has any more, and says how many. The newest stays: SQLite would give
    its number again.
    """
    used = sa.exists().where(DeliverableVersionRow.reach_id == DeliverableReachRow.id)
    newest = sa.select(sa.func.max(DeliverableReachRow.id)).scalar_subquery()
    unused = sa.select(DeliverableReachRow.id).where(~used, DeliverableReachRow.id < newest)
    ids = list(work.session.scalars(unused.limit(LISTED_AT_ONCE)))
    for column in (DeliverablePartRow.reach_id, DeliverableReachRow.id):
        gone = sa.delete(column.class_).where(column.in_(ids))
        work.session.execute(gone.execution_options(synchronize_session=False))
    return len(ids)


class _Reaches:
    """Each compiled once among the versions of one snapshot, where what they stand under is the same."""

    def __init__(self) -> None:
        self._known: dict[Any, Reach] = {}

    def of(self, known: Facts) -> Reach:
        versions = clearing.subjects(known, known.version_id)
        key = frozenset(map(_under, versions))
        if key not in self._known:
            self._known[key] = compiling.reach_of(known, territories.all_groups(known.groups))
        return self._known[key]


def _under(subject: Subject) -> Any:
    """What of a subject tells what is allowed, in one snapshot."""
    return (
        frozenset(
            (each.license_id, each.release_id, each.coverage, each.people, each.property) for each in subject.rights
        ),
        frozenset((each.starts_at, each.ends_at) for each in subject.embargoes),
        frozenset(each.status for each in subject.takedowns),
        subject.exclusivities,
        subject.held,
    )


def _reaches(work: Work, wanted: Collection[Reach]) -> dict[Reach, int]:
    """Their ids; those that are new are written."""
    digests = {compiling.digest(each): each for each in wanted}
    found = _ids(work, digests)
    new = sorted(digests.keys() - found.keys())
    if new:
        _take_turn(work)
        insert = postgresql.insert if _is_postgres(work) else sqlite.insert
        added = insert(DeliverableReachRow).values([{"digest": each} for each in new]).on_conflict_do_nothing()
        rows = work.session.execute(added.returning(DeliverableReachRow.id, DeliverableReachRow.digest)).all()
        parts = [_row(id_, at, part) for id_, digest in rows for at, part in enumerate(digests[digest])]
        work.session.execute(sa.insert(DeliverablePartRow), parts)
        found = _ids(work, digests)
    return {digests[digest]: id_ for digest, id_ in found.items()}


def _take_turn(work: Work) -> None:
    """Until the end of the transaction nobody else gets a number for a reach, so that they are committed in the order
    of these. SQLite's writers take turns anyway.
    """
    if _is_postgres(work):
        work.session.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))


def _ids(work: Work, digests: Iterable[str]) -> dict[str, int]:
    rows = sa.select(DeliverableReachRow.digest, DeliverableReachRow.id)
    found = work.session.execute(rows.where(DeliverableReachRow.digest.in_(sorted(digests))))
    return dict(cast("Iterable[tuple[str, int]]", found.all()))


def _row(reach_id: int, number: int, part: Part) -> dict[str, Any]:
    return {
        "reach_id": reach_id,
        "number": number,
        "party": part.party,
        "uses": part.uses,
        **{f"channels_{at}": word for at, word in enumerate(part.channels)},
        **dict(zip(("first", "first_to", "last"), part.box, strict=True)),
        **{f"places_{at}": word for at, word in enumerate(part.places)},
        "subdivisions": part.subdivisions,
    }


def _upsert(work: Work, values: list[dict[str, Any]]) -> None:
    insert = postgresql.insert if _is_postgres(work) else sqlite.insert
    added = insert(DeliverableVersionRow).values(values)
    moved = {name: added.excluded[name] for name in ("asset_id", "epoch", "rules", "reach_id", "listed_at")}
    work.session.execute(added.on_conflict_do_update(index_elements=[DeliverableVersionRow.version_id], set_=moved))


def _is_postgres(work: Work) -> bool:
    return work.session.get_bind().dialect.name == "postgresql"
