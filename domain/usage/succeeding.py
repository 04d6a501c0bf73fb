"""Until when a licence that took another's place carries the uses of that one: until the last day of what it grants.

Nothing is decided anew: what was used of caps moved along, and a use that is out already is not asked for again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date

import sqlalchemy as sa

from domain.licensing import facts, territories, weighing
from domain.licensing import reading as terms_of
from domain.licensing.codes import Effect
from domain.licensing.terms import Grant, License, Request, TerritoryGroup
from domain.usage import decisions
from domain.work import Work
from storage.tables import RightsDecisionRow, UsageRow


def last_days(work: Work, moved: Collection[tuple[int, int]]) -> dict[tuple[int, int], date]:
    """Per use and licence that stands for its own the last day by the grants: in each place of the longest that carries
    it there, and of these the first. Without those that have none, and those of which no grant carries anything.
    """
    if not moved:
        return {}
    licenses, _ = terms_of.terms(work, {license_id for _, license_id in moved}, ())
    groups = territories.all_groups(facts.own_groups(work))
    asked = _asked(work, {usage_id for usage_id, _ in moved})
    found = {}
    for usage_id, license_id in moved:
        day = _last_day(licenses[license_id], asked[usage_id], groups)
        if day is not None:
            found[usage_id, license_id] = day
    return found


def _last_day(terms: License, use: Request, groups: Mapping[str, TerritoryGroup]) -> date | None:
    carrying = [
        (_reach(grant, terms, groups), grant.ends_on or date.max)
        for grant in terms.grants
        if grant.effect == Effect.PERMIT and not weighing.of_grant(grant, use)
    ]
    found = []
    for place in territories.expanded(use.territories, use.window.first, groups):
        days = [
            day
            for (area, excepted), day in carrying
            if territories.covers(area, place) and not territories.touches(excepted, place)
        ]
        found += [max(days)] if days else []
    first = min(found, default=date.max)
    return None if first == date.max else first


def _reach(grant: Grant, terms: License, groups: Mapping[str, TerritoryGroup]) -> tuple[frozenset[str], frozenset[str]]:
    """What it names and what it leaves out, groups as they were on the licence's day."""
    day = terms.groups_as_of or terms.starts_on
    excepted = territories.expanded(grant.territories_except, day, groups)
    return territories.expanded(grant.territories, day, groups), excepted


def _asked(work: Work, usage_ids: Iterable[int]) -> dict[int, Request]:
    """As each was decided last."""
    last = sa.func.coalesce(UsageRow.further_decision_id, UsageRow.decision_id)
    rows = sa.select(UsageRow.id, RightsDecisionRow.request).join(RightsDecisionRow, RightsDecisionRow.id == last)
    found = work.session.execute(rows.where(UsageRow.id.in_(set(usage_ids))))
    return {usage_id: decisions.request_of(request, work.now) for usage_id, request in found}
