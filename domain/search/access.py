"""What opens a document of the index to a viewer: a term per organisation, and one for what is approved there."""

from __future__ import annotations

from domain.assets.listing import Stage
from domain.holdings import Tree
from domain.permissions import Permission
from domain.work import Work
from storage.index.contract import Access


def terms(work: Work, stage: Stage) -> Access:
    """A document is seen if it carries one of these; None where everything is."""
    held = work.viewer.holdings
    if stage is Stage.DRAFT and held.reach(Permission.ASSET_VIEW_UNAPPROVED).is_everywhere:
        return None
    opened = {org_term(org_id) for org_id in _orgs(work, Permission.ASSET_VIEW_UNAPPROVED)}
    approved = {approved_term(org_term(org_id)) for org_id in _orgs(work, Permission.ASSET_VIEW)}
    return frozenset(approved | (opened if stage is Stage.DRAFT else set()))


def org_term(org_id: int) -> str:
    return f"org:{org_id}"


def approved_term(term: str) -> str:
    return f"{term}:approved"


def _orgs(work: Work, permission: Permission) -> set[int]:
    found: set[int] = set()
    for scope in work.viewer.holdings.reach(permission).allowed:
        if isinstance(scope, Tree) and scope.kind is None:
            found |= scope.orgs or {scope.root}
    return found
