"""Grants as they are written down: checked word by word, kept sorted, read back for many licences or releases at once.

A grant says its actions, channels and territories; everything else it may leave open. What is refused names the grant
by its number, from 0, and the list in it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import sqlalchemy as sa

from domain import locales, products, reads
from domain.licensing import groups, owning, territories, uses
from domain.licensing.codes import ANY, Action, Alteration, Effect
from domain.licensing.terms import Duty, Grant, TerritoryGroup
from domain.reads import Below, By
from domain.refusals import Invalid
from domain.texts import MAX_NOTE, line
from domain.work import Work
from storage.tables import GrantCapRow, GrantDutyRow, LicenseGrantRow, LicenseRow, ReleaseRow

MAX_GRANTS: Final = 50
#: Caps or duties of one grant.
MAX_TERMS: Final = 20
MAX_WORDS: Final = 200
MAX_WORD: Final = 100
#: Copies, views and the like: what nobody reaches.
MAX_LIMIT: Final = 10**15
MAX_PAGE_SHARE: Final = 10_000
_ACTIONS: Final = frozenset(Action) | {ANY}
_Path = tuple[str, ...]

#: What `of_licenses`, `of_releases`, `caps_of` and `duties_of` answer, as reads.
OF_LICENSES: Final = Below(sa.select(LicenseGrantRow), LicenseGrantRow.license_id, (LicenseGrantRow.number,))
OF_RELEASES: Final = Below(sa.select(LicenseGrantRow), LicenseGrantRow.release_id, (LicenseGrantRow.number,))
CAPS: Final = Below(sa.select(GrantCapRow), GrantCapRow.grant_id, (GrantCapRow.unit, GrantCapRow.per))
DUTIES: Final = Below(sa.select(GrantDutyRow), GrantDutyRow.grant_id, (GrantDutyRow.id,))


def checked(work: Work, wanted: Sequence[Grant], org_id: int) -> list[Grant]:
    """The same grants with their lists in order, for a licence or release of this organisation. `Invalid` for the first
    thing that cannot be; products are refused as `products.check_licensed` refuses them.
    """
    if len(wanted) > MAX_GRANTS:
        raise Invalid(f"At most {MAX_GRANTS} grants are taken.", ("grants",), "length")
    known = groups.known(work)
    told = [_checked(each, known, ("grants", str(number))) for number, each in enumerate(wanted)]
    for number, each in enumerate(told):
        products.check_licensed(work, each.products, org_id, ("grants", str(number), "products"))
    return told


def write(
    work: Work, wanted: Sequence[Grant], *, license_id: int | None = None, release_id: int | None = None
) -> list[LicenseGrantRow]:
    """Grants that were checked, of a draft or of a release that is not signed, which has none yet."""
    rows = []
    for number, grant in enumerate(wanted, 1):
        row = LicenseGrantRow(license_id=license_id, release_id=release_id, number=number, **_columns(grant))
        work.session.add(row)
        rows.append(row)
    work.session.flush()
    for row, grant in zip(rows, wanted, strict=True):
        work.session.add_all(
            GrantCapRow(grant_id=row.id, unit=cap.unit.value, per=cap.per.value, at_most=cap.limit, used=0, reserved=0)
            for cap in grant.caps
        )
        work.session.add_all(
            GrantDutyRow(grant_id=row.id, kind=duty.kind.value, parameter=duty.parameter, actions=list(duty.actions))
            for duty in grant.duties
        )
    work.session.flush()
    return rows


def forget(work: Work, license_id: int) -> None:
    """All grants of a draft, to be written anew."""
    mine = sa.select(LicenseGrantRow.id).where(LicenseGrantRow.license_id == license_id)
    for table in (GrantCapRow, GrantDutyRow):
        work.session.execute(sa.delete(table).where(table.grant_id.in_(mine)))
    work.session.execute(sa.delete(LicenseGrantRow).where(LicenseGrantRow.license_id == license_id))


def seen(work: Work) -> By:
    """By id those of licences and releases that the viewer may know of."""
    rows = (
        sa.select(LicenseGrantRow)
        .outerjoin(LicenseRow, LicenseRow.id == LicenseGrantRow.license_id)
        .outerjoin(ReleaseRow, ReleaseRow.id == LicenseGrantRow.release_id)
    )
    home = sa.func.coalesce(LicenseRow.org_id, ReleaseRow.org_id)
    return By(rows.where(owning.seen(work, home)), LicenseGrantRow.id)


def by_id(work: Work, ids: Iterable[int]) -> dict[int, LicenseGrantRow]:
    return reads.by_id(work, seen(work), ids)


def of_licenses(work: Work, ids: Iterable[int]) -> dict[int, list[LicenseGrantRow]]:
    """Per licence its grants, in the order in which they were written. Who may know of the licence is not asked."""
    return reads.grouped(work, OF_LICENSES, ids)


def of_releases(work: Work, ids: Iterable[int]) -> dict[int, list[LicenseGrantRow]]:
    return reads.grouped(work, OF_RELEASES, ids)


def caps_of(work: Work, grant_ids: Iterable[int]) -> dict[int, list[GrantCapRow]]:
    """Per grant its caps, in the order of their units."""
    return reads.grouped(work, CAPS, grant_ids)


def duties_of(work: Work, grant_ids: Iterable[int]) -> dict[int, list[GrantDutyRow]]:
    """Per grant its duties, in the order in which they were written."""
    return reads.grouped(work, DUTIES, grant_ids)


def _checked(grant: Grant, known: Mapping[str, TerritoryGroup], path: _Path) -> Grant:
    for name, said in (("actions", grant.actions), ("channels", grant.channels), ("territories", grant.territories)):
        if not said:
            raise Invalid(f"A grant says its {name}; ANY says all of them.", (*path, name), "required")
    for action in grant.actions:
        if action not in _ACTIONS:
            raise Invalid(f"{action!r} is no action.", (*path, "actions"), "action")
    _check_window(grant, path)
    _check_size(grant, path)
    _check_terms(grant, path)
    return replace(
        grant,
        actions=tuple(sorted(set(grant.actions))),
        channels=uses.checked(grant.channels, (*path, "channels")),
        territories=territories.checked(grant.territories, known, (*path, "territories")),
        territories_except=territories.checked(grant.territories_except, known, (*path, "territoriesExcept")),
        purposes=tuple(sorted(set(grant.purposes))),
        alterations=_alterations(grant.alterations, path),
        audiences=_words(grant.audiences, (*path, "audiences")),
        industries=_words(grant.industries, (*path, "industries")),
        placements=_words(grant.placements, (*path, "placements")),
        languages=_languages(grant.languages, (*path, "languages")),
        products=_products(grant.products, (*path, "products")),
        duties=tuple(_duty(duty, (*path, "duties", str(number))) for number, duty in enumerate(grant.duties)),
    )


def _check_window(grant: Grant, path: _Path) -> None:
    if grant.starts_on is not None and grant.ends_on is not None and grant.ends_on < grant.starts_on:
        raise Invalid("A grant's last day lies before its first.", (*path, "endsOn"), "window")


def _check_size(grant: Grant, path: _Path) -> None:
    size = grant.max_size
    if size is None:
        return
    share, edges = size.page_share, (size.long_edge_mm, size.long_edge_px)
    if share is not None and not 1 <= share <= MAX_PAGE_SHARE:
        raise Invalid("A share of the page is 1 to 10000 basis points.", (*path, "maxSize", "pageShare"), "range")
    if any(edge is not None and not 1 <= edge <= MAX_LIMIT for edge in edges):
        raise Invalid("An edge is at least 1 long.", (*path, "maxSize"), "range")


def _check_terms(grant: Grant, path: _Path) -> None:
    if grant.effect is Effect.PROHIBIT and (grant.caps or grant.duties or grant.max_size is not None):
        raise Invalid("What is prohibited has no caps, duties or sizes.", (*path, "effect"), "prohibition")
    for name, said in (("caps", grant.caps), ("duties", grant.duties)):
        if len(said) > MAX_TERMS:
            raise Invalid(f"A grant has at most {MAX_TERMS} {name}.", (*path, name), "length")
    for number, cap in enumerate(grant.caps):
        if not 0 <= cap.limit <= MAX_LIMIT:
            raise Invalid("A cap is no less than nothing.", (*path, "caps", str(number), "limit"), "range")
    if len({(cap.unit, cap.per) for cap in grant.caps}) < len(grant.caps):
        raise Invalid("A grant has one cap of a unit and period.", (*path, "caps"), "unique")


def _alterations(said: Collection[Alteration], path: _Path) -> tuple[Alteration, ...]:
    if Alteration.NONE in said and len(set(said)) > 1:
        raise Invalid("As it is, or altered: not both.", (*path, "alterations"), "alteration")
    return tuple(sorted(set(said)))


def _words(said: Collection[str], path: _Path) -> tuple[str, ...]:
    if len(said) > MAX_WORDS:
        raise Invalid(f"At most {MAX_WORDS} words are taken.", path, "length")
    return tuple(sorted({line(word, MAX_WORD, path) for word in said}))


def _products(said: Collection[int], path: _Path) -> tuple[int, ...]:
    if len(said) > MAX_WORDS:
        raise Invalid(f"At most {MAX_WORDS} products are taken.", path, "length")
    return tuple(sorted(set(said)))


def _languages(said: Collection[str], path: _Path) -> tuple[str, ...]:
    return _words([locales.tag(word, path) for word in said], path)


def _duty(duty: Duty, path: _Path) -> Duty:
    said = None if duty.parameter is None else line(duty.parameter, MAX_NOTE, (*path, "parameter"))
    return replace(duty, parameter=said, actions=tuple(sorted(set(duty.actions))))


def _columns(grant: Grant) -> dict[str, Any]:
    size = grant.max_size
    return {
        "effect": grant.effect.value,
        "actions": list(grant.actions),
        "channels": list(grant.channels),
        "territories": list(grant.territories),
        "territories_except": list(grant.territories_except),
        "starts_on": grant.starts_on,
        "ends_on": grant.ends_on,
        "purposes": list(grant.purposes),
        "audiences": list(grant.audiences),
        "industries": list(grant.industries),
        "products": list(grant.products),
        "languages": list(grant.languages),
        "placements": list(grant.placements),
        "alterations": list(grant.alterations),
        "max_page_share": None if size is None else size.page_share,
        "max_edge_mm": None if size is None else size.long_edge_mm,
        "max_edge_px": None if size is None else size.long_edge_px,
    }
