"""Facts remembered from one request to the next, for as long as their epoch says that nothing of them has changed.

Only what was read from a committed snapshot is remembered, and what caps have given away is read anew each time. A
version's asset and its epoch are asked for first, in the same snapshot: where they are as they were, so are the facts.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from typing import Final, TypeVar
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from domain.licensing import facts, reading
from domain.licensing.terms import Facts, Grant, License, Release, Used
from domain.work import Work

#: Versions whose facts are remembered, by each open database.
MAX_REMEMBERED: Final = 4096

Moment = tuple[int, int]
_remembered: Final[WeakKeyDictionary[sa.Engine, OrderedDict[int, tuple[Moment, Facts]]]] = WeakKeyDictionary()
_lock: Final = threading.Lock()


def facts_of(work: Work, version_id: int, moment: Moment) -> Facts:
    """What `facts.of_version` says. For units of work that only read: what they see is committed. The `moment` is
    what `facts.seen` or `facts.epochs` says in the same unit of work.
    """
    engine = work.session.get_bind().engine
    with _lock:
        kept = _remembered.setdefault(engine, OrderedDict())
        known = kept.get(version_id)
        if known is not None:
            kept.move_to_end(version_id)
    if known is not None and known[0] == moment:
        return _counted(work, known[1])
    found = facts.of_version(work, version_id)
    with _lock:
        kept[version_id] = (moment, found)
        while len(kept) > MAX_REMEMBERED:
            kept.popitem(last=False)
    return found


def _counted(work: Work, known: Facts) -> Facts:
    """The same, with what caps have given away by now."""
    caps = [cap.id for grant in _grants(known) for cap in grant.caps]
    if not caps:
        return known
    used = reading.used(work, caps)
    licenses = {key: _with(each, used) for key, each in known.licenses.items()}
    return replace(known, licenses=licenses, releases={key: _with(each, used) for key, each in known.releases.items()})


Terms = TypeVar("Terms", License, Release)


def _with(terms: Terms, used: dict[int, tuple[Used, ...]]) -> Terms:
    grants = tuple(
        replace(grant, caps=tuple(replace(cap, used=used[cap.id]) for cap in grant.caps)) if grant.caps else grant
        for grant in terms.grants
    )
    return replace(terms, grants=grants)


def _grants(known: Facts) -> Iterable[Grant]:
    terms: list[License | Release] = [*known.licenses.values(), *known.releases.values()]
    for each in terms:
        yield from each.grants
