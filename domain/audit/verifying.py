"""Whether the chains of events are whole: what was altered, what is missing, and where.

A chain is walked in batches, in memory that does not grow with it. What an organisation's chain cannot tell (that all
of it was taken away, with its end) the count of the whole hub does. Nothing here tells that a whole database was put
back to an earlier state, seals and all: only what is kept elsewhere could.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any

import sqlalchemy as sa

from domain import identity
from domain.hub import Hub
from domain.permissions import Permission
from domain.refusals import Invalid, NotFound
from domain.work import HUB, Work
from storage import chain
from storage.tables import AuditHeadRow, EventRow, OrganisationRow

#: Links read at once.
BATCH = 1_000
#: Links that one question of a viewer may walk: about ten seconds.
MOST_AT_ONCE = 100_000

#: Asks something in a snapshot.
Ask = Callable[[Callable[[Work], Any]], Any]


class Fault(Enum):
    #: The event, its hash, or something before it that was hashed anew, is not what it was.
    ALTERED = "ALTERED"
    #: An event is gone, from the middle or from the end.
    MISSING = "MISSING"
    #: The chain does not end in what was sealed.
    HEAD = "HEAD"


@dataclass(frozen=True)
class Break:
    """The first place in a chain that is not whole; `org_id` None for the hub's count of all events."""

    org_id: int | None
    chain_seq: int
    fault: Fault
    sentence: str


@dataclass(frozen=True)
class Verification:
    """`first` to `last` were `checked`, as far as the break; of `end` links. `waiting` are not linked yet."""

    org_id: int
    first: int
    last: int
    end: int
    checked: int
    waiting: int
    broken: Break | None


def verify(work: Work, org_id: int | None = None, first: int | None = None, last: int | None = None) -> Verification:
    """Walks the chain of an organisation (the viewer's own if not said) from `first` to `last`, both included.

    The seal is always looked at; that the links lead to what it seals is known only where the walk reaches the end.
    Refused: an organisation where the viewer does not hold AUDIT_VIEW, and more than `MOST_AT_ONCE` links.
    """
    org_id = _chosen(work, org_id)
    head = _head(work, org_id)
    start, stop = 1 if first is None else first, head.stop if last is None else min(last, head.stop)
    if start < 1:
        raise Invalid("A chain begins at 1.", ("from",), "range")
    if last is not None and last < start:
        raise Invalid("`to` must not lie before `from`.", ("to",), "range")
    if stop - start >= MOST_AT_ONCE:
        raise Invalid(f"Verify at most {MOST_AT_ONCE:,} events at a time, here up to {head.stop:,}.", ("to",), "range")
    walk = _Walk(org_id, start, stop)
    broken = walk.go(lambda question: question(work)) or head.fault(walk)
    return Verification(org_id, start, stop, head.stop, walk.checked, _waiting(work, org_id), broken)


def check(hub: Hub, on_checked: Callable[[int], None]) -> Iterator[Break]:
    """The first break of each organisation's chain, and whether the hub's events are all there; in many snapshots, so
    that nobody is held up. `on_checked` hears how many links each chain had.
    """

    def ask(question: Callable[[Work], Any]) -> Any:
        with hub.reading(HUB) as work:
            return question(work)

    for org_id in ask(_chains):
        head: _Head = ask(partial(_head, org_id=org_id))
        walk = _Walk(org_id, 1, head.stop)
        broken = walk.go(ask) or head.fault(walk)
        on_checked(walk.checked)
        if broken is not None:
            yield broken
    yield from ask(_of_hub)


@dataclass(frozen=True)
class _Head:
    """The end of a chain: what was sealed, if the seal is ours, and where the links end."""

    org_id: int
    sealed: tuple[int, bytes] | None
    reached: int
    #: Whether there is a seal, ours or not.
    is_there: bool

    @property
    def stop(self) -> int:
        return self.reached if self.sealed is None else self.sealed[0]

    def fault(self, walk: _Walk) -> Break | None:
        """What the seal gives away after the walk found nothing."""
        if self.sealed is None:
            if not self.is_there and self.reached == 0:
                return None
            sentence = "The end of the chain does not bear this hub's seal."
        elif self.reached > self.sealed[0]:
            sentence = f"There are events up to {self.reached:,} behind the end that was sealed."
        elif walk.stop == self.stop and walk.start <= walk.stop + 1 and walk.hash != self.sealed[1]:
            sentence = "The events hang together but do not lead to the end that was sealed: they were written anew."
        else:
            return None
        return Break(self.org_id, self.stop, Fault.HEAD, sentence)


class _Walk:
    """From link `start` to link `stop`: how many were good, and the hash reached."""

    def __init__(self, org_id: int, start: int, stop: int) -> None:
        self.org_id, self.start, self.stop = org_id, start, stop
        self.checked = 0
        self.hash = chain.FIRST

    def go(self, ask: Ask) -> Break | None:
        if self.start > self.stop:
            self.start = self.stop + 1
        if self.start > 1 and (broken := self._begin(ask)) is not None:
            return broken
        while self._place <= self.stop:
            rows = ask(lambda work: self._rows(work, self._place, min(self.stop, self._place + BATCH - 1)))
            for row in rows:
                if (broken := self._step(row)) is not None:
                    return broken
            if not rows:
                return self._missing(self._place)
        return None

    @property
    def _place(self) -> int:
        """The link that comes next."""
        return self.start + self.checked

    def _begin(self, ask: Ask) -> Break | None:
        """The hash of the link before is taken for granted; it must be there."""
        before = self.start - 1
        rows = ask(lambda work: self._rows(work, before, before))
        if not rows:
            return self._missing(before)
        try:
            self.hash = chain.hash_of(rows[0])
        except chain.Unreadable:
            return self._altered(before)
        return None

    def _step(self, row: chain.Stored) -> Break | None:
        place = self._place
        if row.chain_seq != place:
            return self._missing(place)
        try:
            reached = chain.link(self.hash, chain.spelt(row))
            if reached != chain.hash_of(row):
                return self._altered(place)
        except chain.Unreadable:
            return self._altered(place)
        self.hash = reached
        self.checked += 1
        return None

    def _rows(self, work: Work, first: int, last: int) -> Any:
        there = EventRow.chain_seq.between(first, last)
        return chain.rows(work.session, EventRow.org_id == self.org_id, there, order=EventRow.chain_seq, limit=BATCH)

    def _missing(self, place: int) -> Break:
        return Break(self.org_id, place, Fault.MISSING, f"Event {place:,} is gone.")

    def _altered(self, place: int) -> Break:
        return Break(self.org_id, place, Fault.ALTERED, f"Event {place:,} is not what was recorded.")


def _chosen(work: Work, org_id: int | None) -> int:
    if org_id is None:
        identity.require_in_org(work, Permission.AUDIT_VIEW, work.viewer.org_id)
        return work.viewer.org_id
    may = work.viewer.holdings.in_org(Permission.AUDIT_VIEW, org_id)
    if not may or work.session.get(OrganisationRow, org_id) is None:
        raise NotFound("There is no organisation with this id.", ("organisation",))
    return org_id


def _head(work: Work, org_id: int) -> _Head:
    head = work.session.get(AuditHeadRow, org_id, populate_existing=True)
    farthest = sa.select(sa.func.max(EventRow.chain_seq)).where(EventRow.org_id == org_id)
    return _Head(org_id, _sealed(work, head), work.session.scalar(farthest) or 0, is_there=head is not None)


def _sealed(work: Work, head: AuditHeadRow | None) -> tuple[int, bytes] | None:
    if head is None or not chain.is_sealed(work.secret, head):
        return None
    return head.chain_seq, chain.bytes32(head.hash)


def _waiting(work: Work, org_id: int) -> int:
    waiting = sa.select(sa.func.count()).where(EventRow.org_id == org_id, EventRow.chain_seq.is_(None))
    return work.session.scalar(waiting) or 0


def _chains(work: Work) -> list[int]:
    """Every organisation, and whatever else has an end."""
    ends = set(work.session.scalars(sa.select(AuditHeadRow.org_id))) - {chain.HUB}
    return sorted(ends | set(work.session.scalars(sa.select(OrganisationRow.id))))


def _of_hub(work: Work) -> list[Break]:
    """Numbers have no gaps over all organisations: so many events as the last number that was given."""
    head = work.session.get(AuditHeadRow, chain.HUB)
    linked = work.session.scalar(sa.select(sa.func.count()).where(EventRow.chain_seq.is_not(None))) or 0
    if head is None and linked == 0:
        return []
    sealed = _sealed(work, head)
    if sealed is None:
        return [Break(None, 0, Fault.HEAD, "The count of all events does not bear this hub's seal.")]
    if linked != sealed[0]:
        sentence = f"Of the {sealed[0]:,} events of this hub {linked:,} are there."
        return [Break(None, _first_gap(work), Fault.MISSING, sentence)]
    return []


def _first_gap(work: Work) -> int:
    here, there = sa.orm.aliased(EventRow), sa.orm.aliased(EventRow)
    if work.session.scalar(sa.select(here.id).where(here.seq == 1)) is None:
        return 1
    behind = sa.select(there.id).where(there.seq == here.seq + 1).exists()
    gap = sa.select(here.seq + 1).where(here.seq.is_not(None), ~behind).order_by(here.seq).limit(1)
    return work.session.scalar(gap) or 0
