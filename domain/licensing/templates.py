"""What a licence of each kind usually grants: the grants that somebody starts from, and may change until it is active.

A template is plain grants without ids (0), for the rows to be made of. Sources: the practice of stock agencies (an
ordinary royalty-free licence ends at 500,000 copies, over all projects), the legal codes of Creative Commons 4.0 and
their description in ccREL, PLUS, and how addresses are let: to be written to once, a number of times, or for a year.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from domain.licensing.codes import (
    ANY,
    WORLDWIDE,
    Action,
    Alteration,
    CapPer,
    CapUnit,
    DutyKind,
    Effect,
    LicenseKind,
    Purpose,
)
from domain.licensing.terms import Cap, Duty, Grant
from domain.refusals import Invalid


@dataclass(frozen=True, slots=True)
class Template:
    """`code` tells it from the others; a public licence has that of SPDX, and the address of its text."""

    code: str
    kind: LicenseKind
    grants: tuple[Grant, ...]
    #: Whether anybody is its licensee.
    public: bool = False
    terms_url: str | None = None
    #: How long it lasts where nobody says its last day; None: for ever.
    months: int | None = None
    #: Of a list that is let by the number of times: how many, 0 where that is to be said. Its caps are (`grants_of`).
    times: int | None = None


#: Copies that an ordinary royalty-free licence is good for, in all.
ROYALTY_FREE_COPIES: Final = 500_000

_ANY: Final = (ANY,)
_EVERYWHERE: Final = (WORLDWIDE,)
_SHOWN: Final = (Action.BROADCAST, Action.DOWNLOAD, Action.PRINT, Action.PUBLISH, Action.VIEW)
_CHANGED: Final = (Action.DERIVE, Action.TRANSLATE)
_AI: Final = (Action.AI_INPUT, Action.AI_TRAIN)
_PRESS: Final = ("editorial", "press")


MAX_ADDRESSES: Final = 10**9
MAX_TIMES: Final = 10_000


def grants_of(template: Template, addresses: int | None = None, times: int | None = None) -> list[Grant]:
    """What a draft begins with. A list that is let by the number of times is capped in pieces, each address once each
    time, and in placements, one for each time; `Invalid` where it is not said how many these are, and where it is said
    of anything else.
    """
    often = template.times or times
    for name, said, is_asked, most in (
        ("addresses", addresses, template.times is not None, MAX_ADDRESSES),
        ("times", times, template.times == 0, MAX_TIMES),
    ):
        if is_asked and said is None:
            raise Invalid(f"A list is let for a number of {name}: say it.", (name,), "required")
        if not is_asked and said is not None:
            raise Invalid(f"The template {template.code} asks for no number of {name}.", (name,), "template")
        if said is not None and not 1 <= said <= most:
            raise Invalid(f"A list has 1 to {most} {name}.", (name,), "range")
    if addresses is None or often is None:
        return list(template.grants)
    limits = {CapUnit.PIECES: addresses * often, CapUnit.PLACEMENTS: often}
    return [
        replace(grant, caps=tuple(replace(cap, limit=limits[cap.unit]) for cap in grant.caps))
        for grant in template.grants
    ]


def last_day(template: Template, starts_on: date) -> date | None:
    """The last day of so many months from that day on: the one before the day of the same number, or the last of a
    month that has none (as § 188 BGB counts). None: for ever.
    """
    if template.months is None:
        return None
    year, month = divmod(starts_on.month - 1 + template.months, 12)
    year, month = starts_on.year + year, month + 1
    if year > date.max.year:
        return date.max
    days = monthrange(year, month)[1]
    return date(year, month, days) if starts_on.day > days else date(year, month, starts_on.day) - timedelta(days=1)


def _permit(actions: tuple[str, ...], channels: tuple[str, ...] = _ANY) -> Grant:
    return Grant(0, Effect.PERMIT, tuple(sorted(actions)), channels, _EVERYWHERE)


def _prohibit(actions: tuple[str, ...] = _ANY) -> Grant:
    return Grant(0, Effect.PROHIBIT, tuple(sorted(actions)), _ANY, _EVERYWHERE)


def _cap(unit: CapUnit, limit: int, per: CapPer = CapPer.TOTAL) -> tuple[Cap, ...]:
    return (Cap(0, unit, limit, per),)


_NOT_PASSED_ON: Final = _prohibit((Action.RESELL, Action.SUBLICENSE))
#: Addresses, for nothing until it is said how many and how often.
_LET: Final = replace(
    _permit((Action.PUBLISH,), ("direct", "email")), caps=(*_cap(CapUnit.PIECES, 0), *_cap(CapUnit.PLACEMENTS, 0))
)


def _creative_commons(terms: str) -> Template:
    """BY asks for credit, a link and word of changes; SA for the same licence; NC forbids commerce; ND changes."""
    parts = terms.split("-")
    owed = [DutyKind.CREDIT_ADJACENT, DutyKind.INDICATE_CHANGES, DutyKind.LINK_LICENSE]
    duties = [Duty(0, kind) for kind in owed]
    if "SA" in parts:
        duties.append(Duty(0, DutyKind.SHARE_ALIKE, actions=_CHANGED))
    permit = replace(_permit(_SHOWN if "ND" in parts else (*_SHOWN, *_CHANGED)), duties=tuple(duties))
    if "ND" in parts:
        permit = replace(permit, alterations=(Alteration.NONE,))
    barred = (replace(_prohibit(), purposes=(Purpose.COMMERCIAL,)),) if "NC" in parts else ()
    address = f"https://creativecommons.org/licenses/{terms.lower()}/4.0/"
    return Template(f"CC-{terms}-4.0", LicenseKind.CREATIVE_COMMONS, (permit, *barred), public=True, terms_url=address)


def _free(code: str, address: str, kind: LicenseKind) -> Template:
    """Nothing is owed and nothing kept back, the uses by machines that learn included."""
    return Template(code, kind, (_permit((ANY, *_AI)),), public=True, terms_url=address)


_SEEDED: Final = (
    Template("OWNED", LicenseKind.OWNED, (_permit((ANY, *_AI)),)),
    Template("COMMISSIONED_BUYOUT", LicenseKind.COMMISSIONED, (_permit(_ANY),)),
    Template(
        "COMMISSIONED_LIMITED",
        LicenseKind.COMMISSIONED,
        (_permit((*_SHOWN, *_CHANGED), ("email", "print", "social", "web")),),
    ),
    Template(
        "ROYALTY_FREE",
        LicenseKind.ROYALTY_FREE,
        (
            replace(_permit((*_SHOWN, *_CHANGED)), caps=_cap(CapUnit.COPIES, ROYALTY_FREE_COPIES)),
            _prohibit((Action.RESELL, *_AI)),
        ),
    ),
    Template(
        "ROYALTY_FREE_EXTENDED",
        LicenseKind.ROYALTY_FREE_EXTENDED,
        (_permit((*_SHOWN, *_CHANGED, Action.RESELL)), _prohibit(_AI)),
    ),
    Template("RIGHTS_MANAGED", LicenseKind.RIGHTS_MANAGED, ()),
    Template(
        "EDITORIAL",
        LicenseKind.EDITORIAL,
        (
            replace(
                _permit(_SHOWN, _PRESS),
                purposes=(Purpose.EDITORIAL,),
                alterations=(Alteration.CROP,),
                duties=(Duty(0, DutyKind.CREDIT_ADJACENT),),
            ),
            replace(_prohibit(), purposes=(Purpose.COMMERCIAL,)),
        ),
    ),
    *(_creative_commons(terms) for terms in ("BY", "BY-SA", "BY-ND", "BY-NC", "BY-NC-SA", "BY-NC-ND")),
    _free("CC0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/", LicenseKind.CREATIVE_COMMONS),
    _free("PDM-1.0", "https://creativecommons.org/publicdomain/mark/1.0/", LicenseKind.PUBLIC_DOMAIN),
    Template(
        "MUSIC_SYNC",
        LicenseKind.MUSIC_SYNC,
        (
            _permit(
                (Action.BROADCAST, Action.PUBLISH, Action.VIEW), ("advertising.video", "broadcast", "social", "web")
            ),
        ),
    ),
    Template(
        "TALENT",
        LicenseKind.TALENT,
        (_permit(_SHOWN, ("advertising", "broadcast", "outdoor", "print", "social", "web")), _prohibit(_AI)),
    ),
    Template(
        "FONT",
        LicenseKind.FONT,
        (
            replace(_permit(_SHOWN, ("font.desktop",)), caps=_cap(CapUnit.SEATS, 1)),
            replace(
                _permit((Action.PUBLISH, Action.VIEW), ("font.web",)), caps=_cap(CapUnit.VIEWS, 10_000, CapPer.MONTH)
            ),
            _permit((Action.PUBLISH, Action.VIEW), ("font.document",)),
            _NOT_PASSED_ON,
        ),
    ),
    Template(
        "FONT_APP",
        LicenseKind.FONT,
        (
            replace(_permit((Action.PUBLISH, Action.VIEW), ("font.app",)), caps=_cap(CapUnit.PLACEMENTS, 1)),
            _NOT_PASSED_ON,
        ),
    ),
    Template("LIST_ONCE", LicenseKind.LIST, (_LET, _NOT_PASSED_ON), times=1),
    Template("LIST_TIMES", LicenseKind.LIST, (_LET, _NOT_PASSED_ON), times=0),
    Template("LIST_YEAR", LicenseKind.LIST, (replace(_LET, caps=()), _NOT_PASSED_ON), months=12),
    Template("UNKNOWN", LicenseKind.UNKNOWN, ()),
)

#: By code, in the order they are offered.
TEMPLATES: Final = {template.code: template for template in _SEEDED}
