"""The change feed: everything that became different for one viewer since they last looked, a page at a time.

Always true here:
- It is read in windows of events, in their one order; within a window each thing is told once, as it is now, by subject
  and id. Whoever does as the feed says holds, at its end, what a full export would show them.
- Nothing is told of what the viewer may not see now and has not seen since their place.
- However much has happened, a page costs a handful of statements for each `CHUNK` of things looked at, and looks at no
  more than `LOOKS` of them: a page may be short, or empty, and still not be the last.
- Where what the viewer holds has changed beyond some assets and lightboxes, nothing is told but `resync`: the reader
  forgets everything and goes on, from the beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from domain.changes import assets, holders, lightboxes, places, tags
from domain.changes.past import Change, ChangeType
from domain.changes.places import Place, Window
from domain.changes.reading import Reading
from domain.hub import Hub
from domain.pages import DEFAULT_PAGE, MAX_PAGE
from domain.refusals import BadCursor, Invalid, PageTooLarge
from domain.work import Work
from storage import database, events
from storage.tables import EventRow

#: Events in one window.
WINDOW: Final = 2_000
#: Things looked at together, and how often one page looks.
CHUNK: Final = 200
LOOKS: Final = 20
#: Batches of events that one reader gives numbers to.
SETTLED: Final = 5


@dataclass(frozen=True)
class Subject:
    """What the feed tells of: ids touched in a window (lowest first, above one id), and what of them is a change."""

    type: str
    touched: Callable[[Reading, int, int], list[int]]
    told: Callable[[Reading, Sequence[int]], list[Change]]


#: In the order of telling: what others point at comes first. A later feature adds its line.
SUBJECTS: Final = {
    tags.SUBJECT: Subject("Tag", tags.touched, tags.told),
    lightboxes.SUBJECT: Subject("Lightbox", lightboxes.touched, lightboxes.told),
    assets.SUBJECT: Subject("Asset", assets.touched, assets.told),
}


@dataclass(frozen=True)
class Page:
    """Changes with the cursor behind each; `end` is where to go on, now or later."""

    changes: list[tuple[Change, str]]
    start: str | None
    end: str
    has_next: bool
    resync: bool = False


def settle(hub: Hub) -> None:
    """Gives numbers to what has committed, as the workers do all the time, so that whoever asks after an answer was
    given is told of what it did. Where nobody can write now, the feed tells of it later.
    """
    waits = sa.select(EventRow.id).where(EventRow.seq.is_(None)).limit(1)
    for _ in range(SETTLED):
        with hub.database.reading() as session:
            if session.scalar(waits) is None:
                return
        try:
            with hub.database.writing() as session:
                events.number(session, hub.secret)
        except (database.Full, database.Contended):
            return


def page(
    work: Work,
    after: str | None,
    first: int | None = None,
    types: Collection[ChangeType] | None = None,
    of: Collection[str] | None = None,
) -> Page:
    """The changes behind a cursor; without one, everything from the beginning.

    Only those of `types` and of the subjects `of`; a cursor remembers its subjects, others with it are refused, as is
    one of somebody else.
    """
    limit = DEFAULT_PAGE if first is None else first
    if not 0 <= limit <= MAX_PAGE:
        raise PageTooLarge(f"`first` must lie between 0 and {MAX_PAGE}; {limit} was asked for.", ("first",))
    place = _begun(work, after, of)
    now = work.now
    still = replace(work, clock=lambda: now)
    return _Pages(still, now, limit, None if types is None else frozenset(types)).read(place)


def cursor_now(work: Work, of: Collection[str]) -> str:
    """The cursor behind everything that has happened until now."""
    place = Place(_ordered(of), events.last(work.session), work.now, holders.digest(work.viewer))
    return places.cursor(work, place)


def _begun(work: Work, after: str | None, of: Collection[str] | None) -> Place:
    wanted = _ordered(SUBJECTS if of is None else of)
    if after is None:
        return places.start(wanted, holders.digest(work.viewer))
    place = places.place_of(work, after)
    if of is not None and wanted != place.of:
        raise BadCursor("This cursor is of other subjects: start again without it, or leave `of` out.", ("after",))
    return place


def _ordered(of: Collection[str]) -> tuple[str, ...]:
    if not of or set(of) - set(SUBJECTS):
        raise Invalid(f"The feed tells of {', '.join(SUBJECTS)}: name one at least.", ("of",), "subject")
    return tuple(name for name in SUBJECTS if name in of)


@dataclass(frozen=True)
class _Pages:
    work: Work
    now: datetime
    limit: int
    types: frozenset[ChangeType] | None

    def read(self, place: Place) -> Page:
        begun, found = place, list[tuple[Change, Place]]()
        ended = False
        for _ in range(LOOKS):
            if len(found) >= self.limit or ended:
                break
            opened = self._opened(place)
            holder = holders.since(self.work, opened.at, opened.held)
            if holder is None:
                return self._resync(place, found)
            reading = Reading(self.work, opened, holder, self.now)
            more, place = self._look(reading, self.limit - len(found))
            found += more
            ended = place.window is None and place.after >= self._last
        changes = [(change, places.cursor(self.work, at)) for change, at in found]
        start = changes[0][1] if changes else None
        end = places.cursor(self.work, begun if self.limit == 0 else place)
        return Page(changes, start, end, has_next=not ended)

    def _resync(self, place: Place, found: list[tuple[Change, Place]]) -> Page:
        """What was found before stays true until the reader, on the next page, hears the same again."""
        if found:
            changes = [(change, places.cursor(self.work, at)) for change, at in found]
            return Page(changes, changes[0][1], places.cursor(self.work, place), has_next=True)
        start = places.start(place.of, holders.digest(self.work.viewer))
        return Page([], None, places.cursor(self.work, start), has_next=True, resync=True)

    @property
    def _last(self) -> int:
        return events.last(self.work.session)

    def _opened(self, place: Place) -> Place:
        if place.window is not None:
            return place
        last = self._last
        until, to = min(last, place.after + WINDOW), self.now
        if until < last:
            at = self.work.session.scalar(sa.select(EventRow.occurred_at).where(EventRow.seq == until))
            assert at is not None, "numbers have no gaps"
            to = max(place.at, min(at, self.now))
        window = Window(until, max(to, place.at), holders.digest(self.work.viewer))
        return replace(place, window=window)

    def _look(self, reading: Reading, room: int) -> tuple[list[tuple[Change, Place]], Place]:
        """Changes among the next things that were touched, at most `room`, and the place behind what was looked at."""
        place, window = reading.place, reading.window
        found: list[tuple[Change, Place]] = []
        for at in range(window.subject, len(place.of)):
            subject = SUBJECTS[place.of[at]]
            beyond = window.beyond if at == window.subject else 0
            ids = subject.touched(reading, beyond, CHUNK)
            for change in subject.told(reading, ids) if ids else ():
                if self.types is not None and change.type not in self.types:
                    continue
                found.append((change, place.within(at, change.id)))
                if len(found) == room:
                    return found, found[-1][1]
            if len(ids) == CHUNK:
                return found, place.within(at, ids[-1])
        return found, place.behind()
