"""What a viewer holds: per permission where it is allowed and where it is denied.

Always true here:
- A denial wins over every allowance. Nothing is held that was not granted.
- This is the rule itself, in Python, about one asset's `Facts`; `domain.identity.policy` says the same in SQL, and a
  test holds the two to each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Final, TypeAlias

from domain.permissions import EVERY, SHARED_TO_CONTRIBUTE, SHARED_TO_READ, Permission

#: An asset in one of these states has no public face, whatever was approved before.
WITHHELD: Final = ("ARCHIVED", "WITHDRAWN", "EXPIRED", "QUARANTINED")


@dataclass(frozen=True)
class Tree:
    """An organisation and everything below it; with a `kind`, only such assets. `orgs` None: the whole hub."""

    root: int
    orgs: frozenset[int] | None
    kind: str | None = None

    def has(self, org_id: int) -> bool:
        return self.orgs is None or org_id in self.orgs


@dataclass(frozen=True)
class Lightbox:
    """The lightbox, and what lies in it of the organisation that opened it or below: nobody opens another's assets by
    placing them in a lightbox of their own. `orgs` None: the whole hub.
    """

    id: int
    root: int = 1
    orgs: frozenset[int] | None = None

    def has(self, org_id: int) -> bool:
        return self.orgs is None or org_id in self.orgs


@dataclass(frozen=True)
class One:
    """One asset."""

    id: int


@dataclass(frozen=True)
class Own:
    """What one principal brought, until it has been judged."""

    principal_id: int


Scope: TypeAlias = Tree | Lightbox | One | Own


@dataclass(frozen=True)
class Reach:
    """Where one permission holds."""

    allowed: tuple[Scope, ...] = ()
    denied: tuple[Scope, ...] = ()

    @cached_property
    def is_everywhere(self) -> bool:
        return not self.denied and any(_is_everything(scope) for scope in self.allowed)


NOWHERE: Final = Reach()


@dataclass(frozen=True)
class Holdings:
    reaches: Mapping[Permission, Reach] = field(default_factory=dict)
    #: When the first of the grants behind it ends; None: never.
    until: datetime | None = field(default=None, compare=False)

    @cached_property
    def spelt(self) -> frozenset[tuple[Permission, Reach]]:
        """All of it, to tell holdings apart by: mostly the very same object for those that hold the same, since two
        take longer to compare than most things to look up.
        """
        return _one_of_alike(frozenset(self.reaches.items()))

    @cached_property
    def shared_to(self) -> frozenset[int]:
        """The organisations with which something has to be shared for it to be shared with who holds this."""
        reaches = (self.reach(permission) for permission in SHARED_TO_CONTRIBUTE)
        scopes = (scope for reach in reaches for scope in (*reach.allowed, *reach.denied))
        return frozenset().union(*(scope.orgs for scope in scopes if isinstance(scope, Tree) and scope.orgs))

    def reach(self, permission: Permission) -> Reach:
        return self.reaches.get(permission, NOWHERE)

    def in_org(self, permission: Permission, org_id: int, kind: str | None = None) -> bool:
        """Whether it holds for things of this organisation; with a `kind`, for such an asset there."""
        reach = self.reach(permission)
        return _covers(reach.allowed, org_id, kind) and not _covers(reach.denied, org_id, kind)

    def anywhere(self, permission: Permission) -> bool:
        """Whether it may hold for something."""
        reach = self.reach(permission)
        return bool(reach.allowed) and not any(_is_everything(scope) for scope in reach.denied)

    def limited_to(self, scopes: frozenset[Permission]) -> Holdings:
        """The same without the permissions that a token leaves out."""
        kept = {permission: reach for permission, reach in self.reaches.items() if permission in scopes}
        return Holdings(kept, self.until)


@lru_cache(maxsize=1_000)
def _one_of_alike(spelt: frozenset[tuple[Permission, Reach]]) -> frozenset[tuple[Permission, Reach]]:
    return spelt


def everything() -> Holdings:
    """What the hub itself, and an administrator of the whole of it, holds."""
    whole = Reach((Tree(1, None),))
    return Holdings(dict.fromkeys(EVERY, whole))


@dataclass(frozen=True)
class Facts:
    """What the rule asks of one asset. Shares are those that stand, by the organisation they open it to."""

    id: int
    org_id: int
    kind: str
    lifecycle: str
    is_approved: bool
    created_by: int
    lightboxes: frozenset[int] = frozenset()
    shared_to_read: frozenset[int] = frozenset()
    shared_to_contribute: frozenset[int] = frozenset()
    is_merged: bool = False


def holds(held: Holdings, permission: Permission, asset: Facts) -> bool:
    reach = held.reach(permission)
    return _reaches(reach.allowed, permission, asset) and not _reaches(reach.denied, permission, asset)


def sees(held: Holdings, asset: Facts) -> bool:
    """Whether the asset exists at all for the viewer."""
    if asset.is_merged or not holds(held, Permission.ASSET_VIEW, asset):
        return False
    if asset.lifecycle == "QUARANTINED":
        return holds(held, Permission.INBOX_VIEW, asset) and sees_unapproved(held, asset)
    return (asset.is_approved and asset.lifecycle not in WITHHELD) or sees_unapproved(held, asset)


def sees_unapproved(held: Holdings, asset: Facts) -> bool:
    """Whether also its versions that nobody approved, if the viewer sees the asset."""
    return holds(held, Permission.ASSET_VIEW_UNAPPROVED, asset)


def _reaches(scopes: tuple[Scope, ...], permission: Permission, asset: Facts) -> bool:
    return any(_reached(scope, permission, asset) for scope in scopes)


def _reached(scope: Scope, permission: Permission, asset: Facts) -> bool:
    match scope:
        case Tree():
            if scope.kind not in {None, asset.kind}:
                return False
            return scope.has(asset.org_id) or any(scope.has(org_id) for org_id in _shared(permission, asset))
        case Lightbox():
            return scope.id in asset.lightboxes and scope.has(asset.org_id)
        case One(id_):
            return id_ == asset.id
        case Own(principal_id):
            return principal_id == asset.created_by and asset.lifecycle == "QUARANTINED"


def _shared(permission: Permission, asset: Facts) -> frozenset[int]:
    if permission in SHARED_TO_READ:
        return asset.shared_to_read | asset.shared_to_contribute
    return asset.shared_to_contribute if permission in SHARED_TO_CONTRIBUTE else frozenset()


def _is_everything(scope: Scope) -> bool:
    return isinstance(scope, Tree) and scope.orgs is None and scope.kind is None


def _covers(scopes: tuple[Scope, ...], org_id: int, kind: str | None) -> bool:
    return any(isinstance(scope, Tree) and scope.has(org_id) and scope.kind in {None, kind} for scope in scopes)
