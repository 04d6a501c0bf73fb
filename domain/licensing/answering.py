"""Decisions for whoever asks: of versions that they see, for organisations that they may speak for.

Asking changes nothing and is kept nowhere. That an asset is held for a legal matter is told only to those who manage
holds: others read that somebody has to approve.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from domain import identity
from domain.licensing import deciding, facts, remembering, territories, uses
from domain.licensing.codes import Dimension, Outcome, ReasonCode
from domain.licensing.terms import Decision, Facts, Reason, Request
from domain.permissions import Permission
from domain.refusals import Invalid, NotFound
from domain.work import Work
from storage.tables import AssetRow

#: Of one matrix, channels by territories.
MAX_CELLS = 400
#: How far the clock of whoever asks may be off.
CLOCKS = timedelta(minutes=5)

_PASSES = frozenset({Outcome.ALLOWED, Outcome.ALLOWED_WITH_DUTIES})


@dataclass(frozen=True)
class Cell:
    channel: str
    territory: str
    decision: Decision


def decision(work: Work, version_id: int, request: Request) -> Decision:
    """Where it does not pass, owned pictures of the same are proposed that the viewer sees too."""
    known = _known(work, version_id, request)
    found = deciding.decide(known, request)
    if found.outcome not in _PASSES:
        wider = facts.with_twins(work, known)
        found = found if wider is known else deciding.decide(wider, request)
    return _told(work, known, [found])[0]


def matrix(work: Work, version_id: int, request: Request, channels: Sequence[str], places: Sequence[str]) -> list[Cell]:
    """A decision for each channel in each territory, in the order of their codes; a group is one territory here."""
    for name, said in (("channels", channels), ("territories", places)):
        if not said:
            raise Invalid("Name at least one.", (name,), "empty")
    known = _known(work, version_id, request)
    wanted = uses.checked(channels)
    if len(wanted) * len(set(places)) > MAX_CELLS:
        raise Invalid(f"At most {MAX_CELLS} channels by territories can be asked for at once.", ("channels",), "length")
    where = territories.checked(places, territories.all_groups(known.groups))
    asked = [replace(request, channel=channel, territories=(place,)) for channel in wanted for place in where]
    found = _told(work, known, [deciding.decide(known, each, proposing=False) for each in asked])
    return [Cell(each.channel, each.territories[0], one) for each, one in zip(asked, found, strict=True)]


def check_party(work: Work, org_id: int) -> None:
    """Anybody may ask for their own organisation, and for those whose usage they may know of."""
    if org_id != work.viewer.org_id and not work.viewer.holdings.in_org(Permission.USAGE_VIEW, org_id):
        raise NotFound("There is no organisation with this id.", ("party",))


def _known(work: Work, version_id: int, request: Request) -> Facts:
    moment = facts.seen(work, version_id)
    if moment is None:
        raise NotFound("There is no version with this id.", ("versionId",))
    check_party(work, request.party)
    if abs(request.as_of - work.now) > CLOCKS:
        raise Invalid("What was known at another time is not kept: leave it out.", ("asOf",), "time")
    return remembering.facts_of(work, version_id, moment)


def _told(work: Work, known: Facts, found: Iterable[Decision]) -> list[Decision]:
    """Without what the viewer may not know."""
    decisions = list(found)
    held = {each.asset_id for each in known.subjects.values() if each.held}
    if not held:
        return decisions
    rows = [work.session.get_one(AssetRow, asset_id) for asset_id in sorted(held)]
    if all(identity.may(work, Permission.HOLD_MANAGE, row) for row in rows):
        return decisions
    return [replace(each, reasons=tuple(map(_discreet, each.reasons))) for each in decisions]


def _discreet(reason: Reason) -> Reason:
    if reason.code != ReasonCode.LEGAL_HOLD:
        return reason
    return replace(reason, code=ReasonCode.APPROVAL_REQUIRED, dimension=Dimension.APPROVAL)
