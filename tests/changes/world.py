"""A hub whose clock is turned by hand, people who see very different parts of it, and everything that can happen there.

What happens is done by the domain itself; what it refuses did not happen. Readers hold lines as `domain.exports` writes
them, and do what the feed says; beside each line stands why nothing leaves of it now.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import sqlalchemy as sa

from domain import (
    assets,
    changes,
    grants,
    guests,
    identity,
    inbox,
    lightboxes,
    relations,
    renditions,
    sharing,
    taxonomy,
    trash,
    workflow,
)
from domain.assets import Changes as AssetChanges
from domain.assets import NewAsset
from domain.assets.contents import Content
from domain.assets.creating import add_version
from domain.changes import Change, ChangeType, rights
from domain.exports import lines
from domain.grants import Holder, Where
from domain.guests import Opens
from domain.hub import Hub
from domain.refusals import Refusal
from domain.sharing import Access, Subject
from domain.work import HUB, Viewer, Work
from storage import events
from storage.tables import (
    AssetRow,
    AssetVersionRow,
    GrantRow,
    LightboxRow,
    RoleRow,
    ShareRow,
    TagRow,
)
from tests.acting import member, organisation

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
LONG = timedelta(days=80)
SPELL: dict[str, Callable[..., list[lines.Line]]] = {
    "ASSET": lines.of_assets,
    "LIGHTBOX": lines.of_lightboxes,
    "TAG": lines.of_tags,
}

Held = dict[tuple[str, int], lines.Line]


@dataclass
class Copy:
    """What somebody holds, and where they read on."""

    cursor: str
    held: Held
    digest: str


@dataclass
class World:
    hub: Hub
    names: Iterator[int] = field(default_factory=lambda: count(1))
    people: dict[str, int] = field(default_factory=dict)
    #: What each has ever been shown, by subject and id.
    known: dict[str, set[tuple[str, int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.moment = BEGUN
        self.hub = dataclasses.replace(self.hub, clock=self.clock)
        with self.hub.writing(HUB) as work:
            self.people["admin"] = identity.administrator(work).principal_id or 0
        self.north, self.south = organisation(self.hub, "North"), organisation(self.hub, "South")
        for name, role, org_id in (
            ("partner", "partner", self.south),
            ("agency", "agency", self.south),
            ("onlooker", "viewer", 1),
            ("librarian", "librarian", self.north),
        ):
            self.people[name] = self._person(role, org_id)
        self.box = self.done(lambda work: lightboxes.create(work, "For the guest").id) or 0
        with self.hub.writing(self.viewer("admin")) as work:
            link = guests.create(work, Opens(None, self.box), "A customer", work.now + LONG)
        self.people["guest"] = identity.viewer_of_token(self.hub, link.secret).principal_id or 0
        with self.hub.writing(self.viewer("admin")) as work:
            brought = guests.create_for_uploads(work, self.north, "A photographer", work.now + LONG, None)
        self.people["photographer"] = identity.viewer_of_token(self.hub, brought.secret).principal_id or 0
        self.known = {name: set() for name in self.people}
        for _ in range(4):
            self.create("admin", ["sea"])
        self.create("photographer", [])
        self.approve(1, 0)
        self.approve(2, 0)
        self.place(self.box, [1, 3])
        self.select("admin")
        self.place(2, [2, 4])
        self.note()

    def clock(self) -> datetime:
        self.moment += timedelta(microseconds=1)
        return self.moment

    def viewer(self, name: str) -> Viewer:
        with self.hub.reading(HUB) as work:
            return identity.viewer_of_principal(work, self.people[name])

    def done(self, act: Callable[[Work], Any], who: str = "admin") -> Any:
        """What was done; None where it was refused."""
        try:
            with self.hub.writing(self.viewer(who)) as work:
                return act(work)
        except Refusal:
            return None

    def number(self) -> None:
        with self.hub.database.writing() as session:
            while events.number(session, self.hub.secret):
                pass

    def pass_time(self, hours: int) -> None:
        """Hour by hour, so that nothing begins and ends unseen by `note`."""
        for _ in range(hours):
            self.moment = BEGUN + ((self.moment - BEGUN) // HOUR + 1) * HOUR
            self.note()

    def note(self) -> None:
        for name in self.people:
            with self.hub.reading(self.viewer(name)) as work:
                shown = self.shown(work)
            self.known[name].update((subject, row.id) for subject, rows in shown.items() for row in rows)

    # What can happen

    def create(self, who: str, tags: list[str]) -> None:
        content = self._content()
        self.done(
            lambda work: assets.create(work, content, NewAsset(title=f"Title {next(self.names)}", tags=tags)), who
        )

    def rename(self, asset_id: int) -> None:
        self._update(asset_id, AssetChanges(title=f"Title {next(self.names)}"))

    def retag(self, asset_id: int, tags: list[str]) -> None:
        self._update(asset_id, AssetChanges(tags=tags))

    def add_version(self, asset_id: int) -> None:
        content = self._content()
        self.done(lambda work: add_version(work, asset_id, content, self._revision(work, AssetRow, asset_id)))

    def approve(self, asset_id: int, at: int) -> None:
        def act(work: Work) -> None:
            version = self._version(work, asset_id, at)
            workflow.approve(work, version.id, version.sha256, is_own_work=True)

        self.done(act)

    def revoke(self, asset_id: int, at: int) -> None:
        self.done(lambda work: workflow.revoke(work, self._version(work, asset_id, at).id))

    def archive(self, asset_id: int) -> None:
        self.done(lambda work: assets.archive(work, asset_id, self._revision(work, AssetRow, asset_id)))

    def restore(self, asset_id: int) -> None:
        self.done(lambda work: assets.restore(work, asset_id, self._revision(work, AssetRow, asset_id)))

    def throw_away(self, asset_id: int) -> None:
        def act(work: Work) -> None:
            due = dataclasses.replace(work, limits=dataclasses.replace(work.limits, trash_days=0))
            revision = self._revision(work, AssetRow, asset_id)
            try:
                trash.throw_away(due, asset_id, revision)
            except trash.InUse as used:
                trash.throw_away(due, asset_id, revision, confirmation=used.confirmation)

        self.done(act)

    def bring_back(self, asset_id: int) -> None:
        self.done(lambda work: trash.restore(work, asset_id, self._revision(work, AssetRow, asset_id)))

    def purge(self) -> None:
        """Whatever lies in the trash."""
        with self.hub.writing(HUB) as work:
            for asset_id in trash.due(work):
                trash.purge(work, asset_id)

    def relate(self, asset_id: int, other_id: int) -> None:
        self.done(lambda work: relations.relate(work, asset_id, other_id, relations.Kind.LANGUAGE_VARIANT))

    def render(self, asset_id: int, at: int) -> None:
        """One of its renditions is finished."""

        def act(work: Work) -> None:
            version = self._version(work, asset_id, at)
            begun = renditions.start(work, version.id)
            waiting = sorted(begun[1]) if begun is not None else []
            if waiting:
                content = self._content()
                made = renditions.Made(content.sha256, content.byte_size, "image/webp", 4, 3)
                renditions.finish(work, version, {waiting[0]: made})

        self.done(act)

    def judge(self, asset_id: int, accepts: bool) -> None:
        if accepts:
            self.done(lambda work: inbox.accept(work, asset_id, self._revision(work, AssetRow, asset_id)))
        else:
            self.done(lambda work: inbox.reject(work, asset_id, "Out of focus."))

    def select(self, who: str) -> None:
        self.done(lambda work: lightboxes.create(work, f"Box {next(self.names)}"), who)

    def place(self, box_id: int, asset_ids: list[int]) -> None:
        self.done(lambda work: lightboxes.add(work, box_id, asset_ids, self._revision(work, LightboxRow, box_id)))

    def take_out(self, box_id: int, asset_ids: list[int]) -> None:
        self.done(lambda work: lightboxes.remove(work, box_id, asset_ids, self._revision(work, LightboxRow, box_id)))

    def put_away(self, box_id: int) -> None:
        self.done(lambda work: lightboxes.archive(work, box_id, self._revision(work, LightboxRow, box_id)))

    def share(self, subject: Subject, contribute: bool, hours: int | None) -> None:
        access = Access.CONTRIBUTE if contribute else Access.READ
        self.done(lambda work: sharing.create(work, subject, self.south, access, self._end(hours)))

    def end_share(self, at: int) -> None:
        def act(work: Work) -> None:
            if ids := list(work.session.scalars(sa.select(ShareRow.id).order_by(ShareRow.id))):
                sharing.end(work, ids[at % len(ids)])

        self.done(act)

    def grant(self, who: str, where: Where, hours: int | None, is_denial: bool) -> None:
        def act(work: Work) -> None:
            role = work.session.scalars(sa.select(RoleRow.id).where(RoleRow.name == "agency")).one()
            end = self._end(hours)
            grants.create(work, Holder(self.people[who], None), role, where, is_denial=is_denial, expires_at=end)

        self.done(act)

    def take_back(self, at: int) -> None:
        def act(work: Work) -> None:
            mine = sorted(self.people[name] for name in ("partner", "agency", "onlooker", "librarian"))
            given = sa.select(GrantRow.id).where(GrantRow.principal_id.in_(mine), GrantRow.revoked_at.is_(None))
            if ids := list(work.session.scalars(given.order_by(GrantRow.id))):
                grants.revoke(work, ids[at % len(ids)])

        self.done(act)

    def respell(self, at: int) -> None:
        def act(work: Work) -> None:
            if ids := self._tags(work):
                id_ = ids[at % len(ids)]
                taxonomy.update(work, id_, self._revision(work, TagRow, id_), name=f"word {next(self.names)}")

        self.done(act)

    def move_tag(self, at: int, below: int) -> None:
        def act(work: Work) -> None:
            if ids := self._tags(work):
                id_ = ids[at % len(ids)]
                parent = ids[below % len(ids)]
                taxonomy.update(work, id_, self._revision(work, TagRow, id_), parent_id=parent)

        self.done(act)

    def merge(self, at: int, into: int) -> None:
        def act(work: Work) -> None:
            if ids := self._tags(work):
                id_ = ids[into % len(ids)]
                taxonomy.merge(work, id_, [ids[at % len(ids)]], self._revision(work, TagRow, id_))

        self.done(act)

    # Who reads

    def shown(self, work: Work) -> dict[str, list[Any]]:
        """What the viewer is shown now, by subject."""
        seen = sa.select(AssetRow).where(identity.sees_asset(work), AssetRow.lifecycle != "ARCHIVED")
        boxes = sa.select(LightboxRow).where(identity.sees_lightbox(work), LightboxRow.archived_at.is_(None))
        tags = sa.select(TagRow).where(TagRow.merged_into_id.is_(None))
        vocabulary = list(work.session.scalars(tags)) if changes.sees_vocabulary(work.viewer) else []
        return {
            "ASSET": list(work.session.scalars(seen)),
            "LIGHTBOX": list(work.session.scalars(boxes)),
            "TAG": vocabulary,
        }

    def export(self, name: str) -> Held:
        held: Held = {}
        with self.hub.reading(self.viewer(name)) as work:
            for subject, rows in self.shown(work).items():
                why = rights.reasons(work, [row.id for row in rows]) if subject == "ASSET" else {}
                lines_of = spelt(work, subject, rows)
                held |= {key: {**line, "reason": why.get(key[1])} for key, line in lines_of.items()}
        return held

    def copied(self, name: str) -> Copy:
        """An export with the cursor that was taken before it."""
        with self.hub.reading(self.viewer(name)) as work:
            cursor, digest = changes.cursor_now(work, changes.SUBJECTS), changes.digest(work.viewer)
        return Copy(cursor, self.export(name), digest)

    def follow(self, name: str, copy: Copy, page_size: int, pages: int | None = None) -> bool:
        """Reads on, to the end if not said how many pages, and does what the feed says; whether it said `resync`."""
        resynced = False
        while pages is None or pages > 0:
            pages = None if pages is None else pages - 1
            with self.hub.reading(self.viewer(name)) as work:
                page = changes.page(work, copy.cursor, page_size)
                fresh: Held = {}
                for subject in SPELL:
                    rows = [change.row for change, _ in page.changes if change.subject == subject and change.row]
                    fresh |= spelt(work, subject, rows)
            copy.cursor = page.end
            if page.resync:
                copy.held.clear()
                resynced = True
            for change, _ in page.changes:
                self._apply(name, copy, change, fresh)
            if not page.has_next:
                break
        return resynced

    def _apply(self, name: str, copy: Copy, change: Change, fresh: Held) -> None:
        key = (change.subject, change.id)
        if change.type is ChangeType.REMOVED:
            assert change.row is None
            assert change.reason is not None
            assert key in self.known[name], f"{name} was told of {key}, which they never saw"
            copy.held.pop(key, None)
        else:
            copy.held[key] = {**fresh[key], "reason": change.reason}

    def _person(self, role: str, org_id: int) -> int:
        return member(self.hub, role, org_id=org_id, name=role).principal_id or 0

    def _update(self, asset_id: int, told: AssetChanges) -> None:
        self.done(lambda work: assets.update(work, asset_id, told, self._revision(work, AssetRow, asset_id)))

    def _content(self) -> Content:
        digest = hashlib.sha256(str(next(self.names)).encode()).hexdigest()
        return Content(digest, 10, "a.png", "image/png", "IMAGE")

    def _end(self, hours: int | None) -> datetime | None:
        return None if hours is None else BEGUN + ((self.moment - BEGUN) // HOUR + hours) * HOUR

    def _revision(self, work: Work, table: Any, id_: int) -> int:
        revision: int | None = work.session.scalar(sa.select(table.revision).where(table.id == id_))
        return revision or 1

    def _version(self, work: Work, asset_id: int, at: int) -> AssetVersionRow:
        rows = sa.select(AssetVersionRow).where(AssetVersionRow.asset_id == asset_id).order_by(AssetVersionRow.id)
        found = list(work.session.scalars(rows))
        if not found:
            raise Refusal("There is no such asset.")
        return found[at % len(found)]

    def _tags(self, work: Work) -> list[int]:
        return list(
            work.session.scalars(sa.select(TagRow.id).where(TagRow.merged_into_id.is_(None)).order_by(TagRow.id))
        )


def spelt(work: Work, subject: str, rows: list[Any]) -> Held:
    told = SPELL[subject](work, rows)
    return {(subject, row.id): line for row, line in zip(rows, told, strict=True)}
