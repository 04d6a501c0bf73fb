"""Where a use may be: countries (ISO 3166-1 alpha-2), their subdivisions (ISO 3166-2), and groups of them by date.

A subdivision is covered by its country; a country is covered by no number of its subdivisions. A group is who belongs
to it on one day. A code that is none of these is refused, never passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Final, TypeAlias

from domain.licensing.codes import ANY, WORLDWIDE
from domain.licensing.spans import ALWAYS, FOR_EVER, SINCE_EVER, Span
from domain.licensing.terms import Member, TerritoryGroup
from domain.refusals import Invalid

#: ISO 3166-1 alpha-2, all 249 of them.
COUNTRIES: Final = frozenset(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR
    GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP
    KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT
    MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
    SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ
    UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
    """.split()  # noqa: SIM905 a list of 249 strings would be read by nobody
)

_SUBDIVISION: Final = re.compile(r"([A-Z]{2})-[A-Z0-9]{1,3}")
_GROUP: Final = re.compile(r"[A-Z][A-Z0-9_]{1,31}")

#: On which days, which places, but for which.
Area: TypeAlias = tuple[Span, frozenset[str], frozenset[str]]

#: Territories of one list, written out or as groups.
MAX_TERRITORIES: Final = 500


def is_place(code: str) -> bool:
    """Whether it is a country or a subdivision of one. Which subdivisions there are is not known here."""
    found = _SUBDIVISION.fullmatch(code)
    return code in COUNTRIES or (found is not None and found.group(1) in COUNTRIES)


def may_name_group(code: str) -> bool:
    """Whether a brand may give a group this code: no country's, and none of the words for everywhere."""
    return bool(_GROUP.fullmatch(code)) and code not in COUNTRIES and code not in {ANY, WORLDWIDE}


def checked(
    codes: Iterable[str], groups: Mapping[str, TerritoryGroup], path: tuple[str, ...] = ("territories",)
) -> tuple[str, ...]:
    """Sorted, without repeats. Refused where one is unknown, or they are too many."""
    found = tuple(sorted(set(codes)))
    if len(found) > MAX_TERRITORIES:
        raise Invalid(f"At most {MAX_TERRITORIES} territories may be named at once.", path, "length")
    for code in found:
        if code not in {ANY, WORLDWIDE} and code not in groups and not is_place(code):
            raise Invalid(
                f"{code!r} is no territory: name a country (ISO 3166-1), a subdivision (3166-2), a group or WORLDWIDE.",
                path,
                "territory",
            )
    return found


def expanded(codes: Iterable[str], day: date, groups: Mapping[str, TerritoryGroup]) -> frozenset[str]:
    """The countries and subdivisions meant on that day. An unknown code is refused."""
    places: set[str] = set()
    for code in checked(codes, groups):
        if code in {ANY, WORLDWIDE}:
            places |= COUNTRIES
        elif code in groups:
            places |= members(groups[code], day)
        else:
            places.add(code)
    return frozenset(places)


def meant(
    whole: Sequence[str], excepted: Sequence[str], day: date | None, groups: Mapping[str, TerritoryGroup]
) -> list[Area]:
    """All days, with what both lists mean on that day; without one, on spans that follow each other, with what they
    mean on each of its days.
    """
    found = []
    for span in [ALWAYS] if day else spells((*whole, *excepted), groups):
        on = day or date.fromordinal(max(span[0], 1))
        found.append((span, expanded(whole, on, groups), expanded(excepted, on, groups)))
    return found


def spells(codes: Iterable[str], groups: Mapping[str, TerritoryGroup]) -> list[Span]:
    """All days, as spans on which nobody joins or leaves a group among the codes."""
    found = {groups[code] for code in codes if code in groups}
    joined = {each.first_on.toordinal() for group in found for each in group.members if each.first_on}
    left = {each.last_on.toordinal() + 1 for group in found for each in group.members if each.last_on}
    starts = [SINCE_EVER, *sorted(day for day in joined | left if day <= date.max.toordinal())]
    return [(start, end - 1) for start, end in zip(starts, [*starts[1:], FOR_EVER + 1], strict=True)]


@lru_cache(maxsize=1024)
def members(group: TerritoryGroup, day: date) -> frozenset[str]:
    """Who belongs to the group on that day."""
    return frozenset(
        member.territory
        for member in group.members
        if (member.first_on is None or member.first_on <= day) and (member.last_on is None or day <= member.last_on)
    )


def covers(area: frozenset[str], place: str) -> bool:
    """Whether all of the place lies in the area."""
    return place in area or place[:2] in area


def touches(area: frozenset[str], place: str) -> bool:
    """Whether any of the place lies in the area."""
    return covers(area, place) or (len(place) == 2 and any(code[:2] == place for code in area))  # noqa: PLR2004 alpha-2


def all_groups(own: Iterable[TerritoryGroup]) -> dict[str, TerritoryGroup]:
    """Those that everybody knows, and the brand's own, which stand before them."""
    return {**GROUPS, **{group.code: group for group in own}}


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _group(code: str, *spells: str) -> TerritoryGroup:
    """A spell reads `members`, `members @first` or `members @first..last`."""
    found = []
    for spell in spells:
        places, _, period = spell.partition("@")
        first, _, last = period.partition("..")
        found += [Member(place, _day(first), _day(last)) for place in places.split()]
    return TerritoryGroup(code, tuple(sorted(found, key=lambda one: (one.territory, str(one.first_on)))))


def _known() -> dict[str, TerritoryGroup]:
    """Dates are those of the treaties of accession and withdrawal."""
    later_eu = ("CY CZ EE HU LT LV MT PL SI SK @2004-05-01",)
    groups = (
        _group(
            "EU",
            "BE DE FR IT LU NL @1958-01-01",
            "DK IE @1973-01-01",
            "GB @1973-01-01..2020-01-31",
            "GR @1981-01-01",
            "ES PT @1986-01-01",
            "AT FI SE @1995-01-01",
            *later_eu,
            "BG RO @2007-01-01",
            "HR @2013-07-01",
        ),
        _group(
            "EEA",
            "AT BE DE DK ES FI FR GR IE IS IT LU NL NO PT SE @1994-01-01",
            "GB @1994-01-01..2020-01-31",
            "LI @1995-05-01",
            *later_eu,
            "BG RO @2007-08-01",
            "HR @2014-04-12",
        ),
        _group(
            "EFTA",
            "CH NO @1960-05-03",
            "DK GB @1960-05-03..1972-12-31",
            "PT @1960-05-03..1985-12-31",
            "AT SE @1960-05-03..1994-12-31",
            "IS @1970-03-01",
            "FI @1986-01-01..1994-12-31",
            "LI @1991-09-01",
        ),
        _group(
            "EUROZONE",
            "AT BE DE ES FI FR IE IT LU NL PT @1999-01-01",
            "GR @2001-01-01",
            "SI @2007-01-01",
            "CY MT @2008-01-01",
            "SK @2009-01-01",
            "EE @2011-01-01",
            "LV @2014-01-01",
            "LT @2015-01-01",
            "HR @2023-01-01",
            "BG @2026-01-01",
        ),
        _group(
            "ASEAN",
            "ID MY PH SG TH @1967-08-08",
            "BN @1984-01-07",
            "VN @1995-07-28",
            "LA MM @1997-07-23",
            "KH @1999-04-30",
            "TL @2025-10-26",
        ),
        _group("GCC", "AE BH KW OM QA SA @1981-05-25"),
        _group("USMCA", "CA MX US @2020-07-01"),
        _group("VISEGRAD", "CZ HU PL SK"),
        _group("DACH", "AT CH DE"),
        _group("BENELUX", "BE LU NL"),
        _group("NORDICS", "DK FI IS NO SE"),
        _group("BALTICS", "EE LT LV"),
        _group("IBERIA", "ES PT"),
        _group("UKI", "GB IE"),
        _group("ANZ", "AU NZ"),
        _group("NORTH_AMERICA", "CA MX US"),
        _group("G7", "CA DE FR GB IT JP US"),
    )
    return {group.code: group for group in groups}


#: Known to every brand, with their members' dates.
GROUPS: Final = _known()
