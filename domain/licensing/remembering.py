"""Facts remembered from one request to the next, for as long as their epoch says that nothing of them has changed.

Only what was read from a committed snapshot is remembered, and what caps have given away is read anew each time. A
version's asset and its epoch are asked for first, in the same snapshot: where they are as they were, so are the facts.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
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
    return all_facts(work, {version_id: moment})[version_id]


def all_facts(work: Work, moments: Mapping[int, Moment]) -> dict[int, Facts]:
    """The same of many versions: those that are not remembered are read at once."""
    engine = work.session.get_bind().engine
    with _lock:
        kept = _remembered.setdefault(engine, OrderedDict())
        known = {version_id: kept[version_id] for version_id in moments if version_id in kept}
        for version_id in known:
            kept.move_to_end(version_id)
    found = _counted(work, {id_: one for id_, (moment, one) in known.items() if moment == moments[id_]})
    missing = moments.keys() - found.keys()
    if missing:
        fresh = facts.of_versions(work, missing)
        found |= fresh
        with _lock:
            kept.update({version_id: (moments[version_id], one) for version_id, one in fresh.items()})
            while len(kept) > MAX_REMEMBERED:
                kept.popitem(last=False)
    return found


def _counted(work: Work, known: dict[int, Facts]) -> dict[int, Facts]:
    """The same, with what caps have given away by now."""
    caps = {id_: [cap.id for grant in _grants(one) for cap in grant.caps] for id_, one in known.items()}
    wanted = sorted({cap for of_one in caps.values() for cap in of_one})
    if not wanted:
        return known
    used = reading.used(work, wanted)
    return {id_: _spent(one, used) if caps[id_] else one for id_, one in known.items()}


def _spent(known: Facts, used: dict[int, tuple[Used, ...]]) -> Facts:
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
