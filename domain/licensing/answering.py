"""Decisions for whoever asks: of versions that they see, for organisations that they may speak for.

Asking changes nothing and is kept nowhere. That an asset is held for a legal matter is told only to those who manage
holds: others read that somebody has to approve.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from domain import identity, products
from domain.licensing import deciding, facts, past, remembering, territories, uses
from domain.licensing.codes import Dimension, Outcome, ReasonCode
from domain.licensing.terms import Decision, Facts, Reason, Request
from domain.permissions import Permission
from domain.refusals import Invalid, NotFound
from domain.work import Work
from storage.tables import AssetRow

#: Of one matrix, channels by territories.
MAX_CELLS = 400

_PASSES = frozenset({Outcome.ALLOWED, Outcome.ALLOWED_WITH_DUTIES})


@dataclass(frozen=True)
class Cell:
    channel: str
    territory: str
    decision: Decision


def decision(work: Work, version_id: int, request: Request, *, then: datetime | None = None) -> Decision:
    """Where it does not pass, owned pictures of the same are proposed that the viewer sees too.

    With `then` as it was known at that moment, which has passed: what was said or counted later is left out, and so is
    who looks alike, of which nobody keeps since when. `Invalid` for a moment to come, and for what is not kept.
    """
    known = _known(work, version_id, request, then)
    request = request if then is None else replace(request, as_of=then)
    found = deciding.decide(known, request)
    if then is None and found.outcome not in _PASSES:
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


def check(work: Work, request: Request) -> None:
    """`NotFound` for an organisation that the viewer may not ask for, and for a product that they do not see."""
    check_party(work, request.party)
    if request.product is not None:
        products.check(work, [request.product])


def check_party(work: Work, org_id: int) -> None:
    """Anybody may ask for their own organisation, and for those whose usage they may know of."""
    if org_id != work.viewer.org_id and not work.viewer.holdings.in_org(Permission.USAGE_VIEW, org_id):
        raise NotFound("There is no organisation with this id.", ("party",))


def _known(work: Work, version_id: int, request: Request, then: datetime | None = None) -> Facts:
    moment = facts.seen(work, version_id)
    if moment is None:
        raise NotFound("There is no version with this id.", ("versionId",))
    check(work, request)
    if then is not None and then > work.now:
        raise Invalid("Nobody knows yet what will be known then.", ("asOf",), "future")
    if then is not None:
        return past.of_version(work, version_id, then)
    return remembering.facts_of(work, version_id, moment)


def _told(work: Work, known: Facts, found: Iterable[Decision]) -> list[Decision]:
    """Without what the viewer may not know, and products by their codes."""
    decisions = by_codes(work, found)
    held = {each.asset_id for each in known.subjects.values() if each.held}
    if not held:
        return decisions
    rows = [work.session.get_one(AssetRow, asset_id) for asset_id in sorted(held)]
    if all(identity.may(work, Permission.HOLD_MANAGE, row) for row in rows):
        return decisions
    return [replace(each, reasons=tuple(map(_discreet, each.reasons))) for each in decisions]


def by_codes(work: Work, found: Iterable[Decision]) -> list[Decision]:
    """What the engine says of products by their numbers says their codes, of those that the viewer sees."""
    decisions = list(found)
    about = [each for one in decisions for each in one.reasons if each.dimension == Dimension.PRODUCT]
    if not about:
        return decisions
    ids = {
        int(each) for one in about for said in (one.expected, one.actual) for each in (said or "").split(", ") if each
    }
    codes = {id_: row.code for id_, row in products.by_id(work, ids).items()}

    def told(said: str | None) -> str | None:
        named = [codes[int(each)] for each in (said or "").split(", ") if each and int(each) in codes]
        return ", ".join(sorted(named)) or None

    def spelt(reason: Reason) -> Reason:
        if reason.dimension != Dimension.PRODUCT:
            return reason
        return replace(reason, expected=told(reason.expected), actual=told(reason.actual))

    return [replace(each, reasons=tuple(map(spelt, each.reasons))) for each in decisions]


def _discreet(reason: Reason) -> Reason:
    if reason.code != ReasonCode.LEGAL_HOLD:
        return reason
    return replace(reason, code=ReasonCode.APPROVAL_REQUIRED, dimension=Dimension.APPROVAL)
