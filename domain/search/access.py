"""What opens a document of the index to a viewer: terms that documents carry, and the doors that ask for them.

Always true here:
- The doors let in exactly what `identity.sees_asset` lets through, with the facts of `identity.shown_version_id`: a
  test holds them to each other. Totals, facets and suggestions are therefore the viewer's own.
- What a viewer holds, and which shares stand, is read at every search. A document is told anew when its asset's
  organisation, lightboxes or shares change; that a share's time is over needs nobody to tell it.

Terms, each also followed by `/KIND` for who was granted only such assets:
    org:5           of this organisation
    box:3           in this lightbox
    box:3@5         the same, and of this organisation
    to:7:READ:9     shared with this organisation until that microsecond, or until `-`
and `kind:LOGO`, `by:8` (who brought what waits in quarantine), and the marks below.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

from domain import identity
from domain.assets.listing import Stage
from domain.holdings import Lightbox, One, Own, Reach, Scope, Tree
from domain.identity import opened
from domain.identity.opened import Opened
from domain.permissions import SHARED_TO_CONTRIBUTE, SHARED_TO_READ, Permission
from domain.search import faces
from domain.work import BRAND_ORG_ID, Work
from storage.index.contract import Access, Door, Term
from storage.index.ordering import microseconds
from storage.tables import AssetRow

#: Reads like what is public of its asset.
PUBLIC: Final = "public"
#: Is that and not the draft too: whoever sees drafts sees another document.
PUBLIC_ONLY: Final = "public only"
#: Some version of the asset is approved, whether or not it is public.
APPROVED: Final = "approved"
QUARANTINED: Final = "quarantined"

#: None: whatever a document carries.
Terms = frozenset[Term] | None
_NONE: Final[frozenset[Term]] = frozenset()


class Shared(NamedTuple):
    """A share of one asset."""

    to_org_id: int
    access: str
    ends_at: datetime | None


def terms(asset: AssetRow, lightboxes: Iterable[int], shares: Iterable[Shared]) -> frozenset[str]:
    """What every document of the asset carries."""
    carried = {f"org:{asset.org_id}", *map(_share, shares)}
    for lightbox_id in lightboxes:
        carried |= {f"box:{lightbox_id}", f"box:{lightbox_id}@{asset.org_id}"}
    of_kind = {f"{term}/{asset.kind}" for term in carried}
    own = {f"by:{asset.created_by}"} if asset.lifecycle == "QUARANTINED" else set()
    return frozenset({*carried, *of_kind, f"kind:{asset.kind}", *own})


def doors(work: Work, stage: Stage) -> Access:
    """What lets documents in to the viewer; for the APPROVED stage, only those of assets with an approval."""
    ways = _ways(work)
    view, unapproved, inbox = (
        _Held.of(work.viewer.holdings.reach(permission), permission, ways)
        for permission in (Permission.ASSET_VIEW, Permission.ASSET_VIEW_UNAPPROVED, Permission.INBOX_VIEW)
    )
    marked: list[Terms] = [] if stage is Stage.DRAFT else [frozenset({APPROVED})]
    to_drafts = [view.allowed, unapproved.allowed, *marked]
    shut = [view.denied, unapproved.denied, frozenset({PUBLIC_ONLY})]
    public = [view.allowed, frozenset({PUBLIC})]
    if inbox == _EVERYWHERE:
        drafts = _door(to_drafts, shut)
    else:
        quarantined: Terms = frozenset({QUARANTINED})
        drafts = _door(to_drafts, [*shut, quarantined])
        drafts += _door([*to_drafts, inbox.allowed, quarantined], [*shut, inbox.denied])
    # Not (allowed and not denied) is: not allowed, or denied.
    without = _door(public, [view.denied, unapproved.allowed])
    taken_away = _door([*public, unapproved.denied], [view.denied])
    return (*drafts, *without, *taken_away)


class _Held(NamedTuple):
    """Where a permission is allowed and denied, in terms."""

    allowed: Terms
    denied: Terms

    @classmethod
    def of(cls, reach: Reach, permission: Permission, ways: list[_Way]) -> _Held:
        enough = [each for each in ways if _is_enough(each.share, permission)]
        return cls(_any_of(reach.allowed, enough), _any_of(reach.denied, enough))


_EVERYWHERE: Final = _Held(None, _NONE)


class _Way(NamedTuple):
    """What a standing share opens to an organisation, in a term."""

    share: Opened
    term: str


def _door(groups: Iterable[Terms], refused: Iterable[Terms]) -> list[Door]:
    """The door, unless nothing can pass it."""
    all_of = tuple(dict.fromkeys(group for group in groups if group is not None))
    shut: set[Term] = set()
    for some in refused:
        if some is None:
            return []
        shut |= some
    return [] if any(group <= shut for group in all_of) else [Door(all_of, frozenset(shut))]


def _any_of(scopes: Iterable[Scope], ways: list[_Way]) -> Terms:
    found: set[Term] = set()
    for scope in scopes:
        reached = _reached(scope, ways)
        if reached is None:
            return None
        found |= reached
    return frozenset(found)


def _reached(scope: Scope, ways: list[_Way]) -> Terms:  # noqa: PLR0911 - one for each kind of scope
    match scope:
        case Tree(orgs=None, kind=None):
            return None
        case Tree(orgs=None):
            return frozenset({f"kind:{scope.kind}"})
        case Tree():
            there = {f"org:{org_id}" for org_id in scope.orgs or ()}
            there |= {each.term for each in ways if scope.has(each.share.to_org_id)}
            return frozenset(there if scope.kind is None else {f"{term}/{scope.kind}" for term in there})
        case Lightbox(orgs=None):
            return frozenset({f"box:{scope.id}"})
        case Lightbox():
            return frozenset(f"box:{scope.id}@{org_id}" for org_id in scope.orgs or ())
        case One(id_):
            return frozenset({faces.draft_id(id_), faces.public_id(id_)})
        case Own(principal_id):
            return frozenset({f"by:{principal_id}"})


def _is_enough(share: Opened, permission: Permission) -> bool:
    if permission in SHARED_TO_READ:
        return True
    return permission in SHARED_TO_CONTRIBUTE and share.access == "CONTRIBUTE"


def _ways(work: Work) -> list[_Way]:
    return [_Way(each, term) for each in opened.to_viewer_by_end(work) for term in _opening(work, each)]


def _opening(work: Work, share: Opened) -> Iterable[str]:
    """The terms that a share opens; of a lightbox, for the sharer's assets and those of whom stands below it."""
    if share.lightbox_id is None:
        return [_share(Shared(share.to_org_id, share.access, share.ends_at))]
    if share.from_org_id is None or share.from_org_id == BRAND_ORG_ID:
        return [f"box:{share.lightbox_id}"]
    return [f"box:{share.lightbox_id}@{org_id}" for org_id in identity.tree(work, share.from_org_id)]


def _share(share: Shared) -> str:
    until = "-" if share.ends_at is None else str(microseconds(share.ends_at))
    return f"to:{share.to_org_id}:{share.access}:{until}"
