"""What a list of deliverable assets asks: one use, as the numbers that compiled rows are compared with."""

from __future__ import annotations

from collections.abc import Iterable

from domain.licensing import answering, deciding, facts, territories
from domain.licensing.codes import ANY, WORLDWIDE
from domain.licensing.compiled import alphabet
from domain.licensing.terms import Request, TerritoryGroup
from domain.work import Work
from storage.index.conditions import Deliverable


def wanted(work: Work, request: Request) -> Deliverable:
    """The condition that an asset's shown version passes in this use, which has neither quantity nor size, alterations
    or context, and no zone. Refused as `answering.decision` refuses the use.
    """
    answering.check_party(work, request.party)
    ask, (first, last) = deciding.asked(request, _groups(work, request.territories))
    return Deliverable(
        party=request.party,
        use=alphabet.use(request.action, request.purpose),
        channels=alphabet.channels([request.channel]),
        countries=alphabet.countries(place for place in ask.places if "-" not in place),
        subdivisions=tuple((place, alphabet.countries([place[:2]])) for place in ask.places if "-" in place),
        first=first,
        last=last,
        rules=alphabet.RULES,
    )


def _groups(work: Work, codes: Iterable[str]) -> dict[str, TerritoryGroup]:
    """Those that these codes may name."""
    if all(code in {ANY, WORLDWIDE} or territories.is_place(code) for code in codes):
        return {}
    return territories.all_groups(facts.own_groups(work))
