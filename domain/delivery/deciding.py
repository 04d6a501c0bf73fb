"""The decisions that addresses are given out by: found again, made, kept, and made anew when the rights have moved.

Always true here:
- Only a use that is allowed now is kept, and so gives an address. A decision that is kept is used again until the
  asset's rights change or it comes to its end, so that whoever asks again writes nothing.
- Who says nothing of a use looks at it in their own house: a download for the intranet of their organisation,
  everywhere, from today on, as days are where its licences count them. That use moves along with the days. Decisions
  on it leave embargoes aside, of which they count whole days, while `bars` knows the moments.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, Final
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from domain import identity, signing
from domain.delivery import leave
from domain.delivery.leave import Leave
from domain.licensing import deciding, facts, remembering, spans
from domain.licensing.codes import Action, Outcome, Purpose
from domain.licensing.terms import Decision, Facts, Grant, License, Release, Request, Window
from domain.refusals import Gone
from domain.usage import decisions
from domain.usage.decisions import Handed, Mode
from domain.usage.refusing import Unlicensed
from domain.work import Work
from storage.recent import Recent
from storage.tables import RightsDecisionRow
from storage.types import EPOCH

#: Days that a decision on the use in one's own house looks ahead beyond what an address may last, where it can: so long
#: nobody who asks again makes another.
AHEAD: Final = 30
#: The use in one's own house, whoever's it is and on whichever days.
_AT_HOME: Final = Request(
    action=Action.DOWNLOAD,
    channel="internal.intranet",
    territories=("WORLDWIDE",),
    window=Window(date.min, date.min),
    party=0,
    as_of=EPOCH,
    purpose=Purpose.INTERNAL,
)
AT_HOME_CHANNEL: Final = _AT_HOME.channel
AT_HOME_DIGEST: Final = decisions.digest_of_use(_AT_HOME, moving=True)
_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
_LET_OUT: Final = frozenset({Outcome.ALLOWED, Outcome.ALLOWED_WITH_DUTIES})
#: For how long it is remembered that nothing allows something: whole days of all zones begin with one of these.
_DENIED: Final = timedelta(minutes=15)
#: Answers remembered by each open database, of uses without quantities: per version, epoch, use and day.
_REMEMBERED: Final = 20_000
_known: Final[WeakKeyDictionary[sa.Engine, Recent[Any]]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Draft:
    """A decision that allows the use, not kept yet."""

    version_id: int
    request: Request
    decision: Decision
    handed: Handed
    is_use: bool


class Undecided(Exception):
    """A unit of work that only reads found what allows the use: it is to be kept (`keep`), then asked again."""

    def __init__(self, drafts: list[Draft]) -> None:
        super().__init__()
        self.drafts = drafts


def of(work: Work, version_ids: Iterable[int], use: Request | None = None) -> tuple[dict[int, Leave], list[Draft]]:
    """By what addresses of these versions are given to the viewer for this use, or to be at home; those that are still
    to be kept beside them. What is in neither is not given. Whether the viewer may see the versions, and speak for the
    use's party, is the caller's question. A use is refused as `deciding.decide` refuses it.
    """
    ids = set(version_ids)
    free = leave.at_work(work, ids) if use is None else set()
    found = dict.fromkeys(free, leave.AT_WORK)
    if ids == free:
        return found, []
    asked = _Asked(work, use)
    kept = decisions.handed(work, ids - free, asked.request.party, asked.digest)
    for each in kept.values():
        used = (each.repeats_id or each.id) if asked.is_use else None
        party, channel = asked.request.party, asked.request.channel
        found[each.version_id] = Leave(each.id, each.epoch, party, channel, each.expires_at, used)
    return found, _drafts(work, ids - found.keys(), asked)


def keep(work: Work, drafts: Iterable[Draft]) -> dict[int, Leave]:
    """By version."""
    found = {}
    for each in drafts:
        handed = _repeating(work, each) if each.is_use else each.handed
        row = decisions.keep(work, each.version_id, each.request, each.decision, Mode.DELIVER, handed)
        used = (row.repeats_id or row.id) if each.is_use else None
        party, channel = each.request.party, each.request.channel
        found[each.version_id] = Leave(row.id, row.epoch, party, channel, row.expires_at, used)
    return found


def _repeating(work: Work, draft: Draft) -> Handed:
    """With whatever was kept for the same use since the draft was made: what is asked for twice at once counts once."""
    decisions.lock_uses(work, draft.version_id)
    party, digest = draft.request.party, draft.handed.use_digest
    first = decisions.first_of(work, [draft.version_id], party, digest)
    return replace(draft.handed, repeats_id=first.get(draft.version_id))


def only(work: Work, version_id: int, use: Request | None) -> Leave:
    """Of one version, kept at once where the unit of work may write; `Undecided` where it may not, `Unlicensed` where
    nothing allows the use, `Gone` where its last day is over.
    """
    found, drafts = of(work, [version_id], use)
    if drafts and identity.is_snapshot(work):
        raise Undecided(drafts)
    found |= keep(work, drafts)
    if version_id in found:
        return found[version_id]
    if use is not None and spans.ends(use.window.last, use.zone or "UTC") <= work.now:
        raise Gone("The use that this address was made for is over.")
    raise unlicensed()


def until(work: Work, given: Leave, version_id: int, epoch: int, *, anew: bool = False) -> datetime:
    """Until when what was given out with a decision opens, the asset's rights being at `epoch` now; `Unlicensed` where
    they have moved on and allow the use no more. `anew`: it is decided again all the same, for the clock was set back
    to before the decision.
    """
    if given.epoch == epoch and not anew:
        return given.until
    row = kept(work, given)
    if row.version_id != version_id:
        raise signing.nothing()
    found = _anew(work, row, epoch)
    if found is None or found <= work.now:
        raise unlicensed()
    return min(found, given.until)


def unlicensed() -> Unlicensed:
    """In words that say nothing of the licence."""
    return Unlicensed("The use that this address was made for is not allowed now.")


def use_of(work: Work, given: Leave) -> Request | None:
    """What an address was given out for; None: to be at home."""
    return None if given.use_id is None else decisions.request_of(kept(work, given).request, work.now)


def kept(work: Work, given: Leave) -> RightsDecisionRow:
    row = work.session.get(RightsDecisionRow, given.decision_id)
    if row is None:
        raise signing.nothing()
    return row


def at_home(work: Work) -> Request:
    """What whoever is bound does with what they are given and say nothing about, from UTC's today on."""
    today = work.now.date()
    window = Window(today, today + _life(work) + (AHEAD + 1) * _DAY)
    return replace(_AT_HOME, window=window, party=work.viewer.org_id, as_of=work.now)


def looked_at_again(work: Work) -> datetime:
    """Until when it is remembered that nothing allows a use."""
    return EPOCH + ((work.now - EPOCH) // _DENIED + 1) * _DENIED


class _Asked:
    """A use as it is looked for, and decided, now."""

    def __init__(self, work: Work, use: Request | None) -> None:
        self.is_use = use is not None
        self.request = at_home(work) if use is None else replace(use, as_of=work.now, partial=False)
        self.life = _life(work)

    @cached_property
    def digest(self) -> str:
        return decisions.digest_of_use(self.request, moving=not self.is_use)

    def allowed(self, known: Facts) -> tuple[Request, Decision, datetime] | None:
        """What of it is allowed until a later moment than now, and from when on an address needs another decision:
        while that would last no longer, this one does.
        """
        now = self.request.as_of
        if self.is_use:
            decision = deciding.decide(known, self.request, proposing=False)
            found = (self.request, decision) if decision.outcome in _LET_OUT else None
            return None if found is None or decision.valid_until <= now else (*found, decision.valid_until)
        told, asked = _without_embargoes(known), self._today(known)
        first = asked.window.first
        for window in (asked.window, Window(first, first + self.life + _DAY), Window(first, first)):
            found = _as_far_as(told, replace(asked, window=window))
            if found is not None:
                ends = found[1].valid_until
                renewed = ends - self.life if found[0].window == asked.window else ends
                return None if ends <= now else (*found, renewed)
        return None

    def _today(self, known: Facts) -> Request:
        """The use at home from today on, in the zone that all of its licences and releases have; else in UTC."""
        terms: list[License | Release] = [*known.licenses.values(), *known.releases.values()]
        zones = {each.zone for each in terms}
        if len(zones) != 1:
            return self.request
        (zone,) = zones
        later = _local(self.request.as_of, zone) - self.request.window.first
        window = Window(self.request.window.first + later, self.request.window.last + later)
        return replace(self.request, zone=zone, window=window)


def _as_far_as(known: Facts, asked: Request) -> tuple[Request, Decision] | None:
    """As much of the window, from its first day on, as is allowed."""
    decision = deciding.decide(known, asked, proposing=False)
    part = decision.allowed_window
    if decision.outcome not in _LET_OUT and part is not None and part.first == asked.window.first:
        asked = replace(asked, window=part)
        decision = deciding.decide(known, asked, proposing=False)
    return (asked, decision) if decision.outcome in _LET_OUT else None


def _local(moment: datetime, zone: str | None) -> date:
    return moment.astimezone(spans.zone(zone or "UTC")).date()


def _life(work: Work) -> timedelta:
    """The most that an address lasts."""
    return work.limits.url_hours * _HOUR


def _drafts(work: Work, version_ids: Collection[int], asked: _Asked) -> list[Draft]:
    moments = facts.epochs(work, version_ids) if version_ids else {}
    soon = (work.now - EPOCH) // _DENIED
    denied = _remembered(work)
    marks = {id_: (id_, moment, asked.request.party, asked.digest, soon) for id_, moment in moments.items()}
    open_ = {id_: moment for id_, moment in moments.items() if asked.is_use or denied.get(marks[id_]) is None}
    if not open_:
        return []
    known = _facts(work, open_)
    earlier = decisions.first_of(work, list(open_), asked.request.party, asked.digest) if asked.is_use else {}
    counted = decisions.recorded(work, list(earlier.values())) if earlier else set()
    drafts = []
    for id_ in sorted(known):
        first = earlier.get(id_)
        found = asked.allowed(_uncapped(known[id_]) if first in counted else known[id_])
        if found is not None:
            request, decision, renew_at = found
            told = Handed(asked.digest, renew_at, first)
            drafts.append(Draft(id_, request, decision, told, asked.is_use))
        elif not asked.is_use and identity.is_snapshot(work):
            denied.put(marks[id_], True)
    return drafts


def _anew(work: Work, row: RightsDecisionRow, epoch: int) -> datetime | None:
    """Until when what was decided then is allowed now; None: it is not."""
    request = decisions.request_of(row.request, work.now)
    moves = row.use_digest == decisions.digest_of_use(at_home(work), moving=True)
    if moves:
        first = min(_local(work.now, request.zone), request.window.last)
        request = replace(request, window=Window(first, request.window.last))
    if request.quantities:  # what caps have given away moves no epoch
        return _decided_anew(work, row, request, moves=moves)
    answers, mark = _remembered(work), (row.id, epoch, request.window.first)
    known: tuple[datetime | None] | None = answers.get(mark)
    if known is None:
        known = answers.put(mark, (_decided_anew(work, row, request, moves=moves),))
    return known[0]


def _decided_anew(work: Work, row: RightsDecisionRow, request: Request, *, moves: bool) -> datetime | None:
    told = _facts(work, facts.epochs(work, [row.version_id]))[row.version_id]
    if decisions.recorded(work, [row.repeats_id or row.id]):
        told = _uncapped(told)
    if moves:
        found = _as_far_as(_without_embargoes(told), request)
        return None if found is None else found[1].valid_until
    decision = deciding.decide(told, request, proposing=False)
    return decision.valid_until if decision.outcome in _LET_OUT else None


def _facts(work: Work, moments: Mapping[int, tuple[int, int]]) -> dict[int, Facts]:
    if identity.is_snapshot(work):
        return remembering.all_facts(work, moments)
    return facts.of_versions(work, moments)


def _without_embargoes(known: Facts) -> Facts:
    if not any(each.embargoes for each in known.subjects.values()):
        return known
    return replace(known, subjects={id_: replace(each, embargoes=()) for id_, each in known.subjects.items()})


def _uncapped(known: Facts) -> Facts:
    """For a use that the caps have counted already."""

    def told(grants: tuple[Grant, ...]) -> tuple[Grant, ...]:
        return tuple(replace(grant, caps=()) if grant.caps else grant for grant in grants)

    def freed(each: Any) -> Any:
        return replace(each, grants=told(each.grants))

    licenses: dict[int, License] = {id_: freed(each) for id_, each in known.licenses.items()}
    releases: dict[int, Release] = {id_: freed(each) for id_, each in known.releases.items()}
    return replace(known, licenses=licenses, releases=releases)


def _remembered(work: Work) -> Recent[Any]:
    return _known.setdefault(work.session.get_bind().engine, Recent(_REMEMBERED))
