"""What of a file's own metadata is about a person: where they were, whom the camera belongs to, how to reach them.

It is read by the permission for personal data only. The names are EXIF's, IPTC's and XMP's (IPTC Photo Metadata
Standard 2023.1), compared without regard to their prefix, which every program may choose for itself.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from domain import contacts, holdings, identity
from domain.permissions import Permission
from domain.work import Work
from storage.tables import AssetRow, MetadataRow

_SPACES = frozenset({"gps"})
_NAMES = re.compile(
    r"gps.*|.*serialnumber|(camera)?ownername|hostcomputer|contact|creatorcontactinfo|ci(adr|email|tel|url).*"
    r"|personinimage.*|.*(email|e-mail|phone|postalcode|streetaddress).*",
)
#: How far nested values are looked into; readers cut them far earlier.
_DEEPEST = 24


def is_personal(row: MetadataRow) -> bool:
    """Whether an entry says such a thing by its place, its name, any name inside it, or by an e-mail address or a
    telephone number in a text.
    """
    return row.namespace.casefold() in _SPACES or _names_a_person(row.name) or _holds_personal(row.value, 0)


def may(work: Work, asset_ids: Iterable[int], permission: Permission) -> dict[int, bool]:
    """Per asset whether the viewer holds the permission there, in three statements at most; an unknown one is False."""
    ids = set(asset_ids)
    if work.viewer.holdings.reach(permission).is_everywhere:
        return dict.fromkeys(ids, True)
    rows = list(work.session.scalars(sa.select(AssetRow).where(AssetRow.id.in_(ids))))
    facts = identity.facts(work, rows)
    return {id_: id_ in facts and holdings.holds(work.viewer.holdings, permission, facts[id_]) for id_ in ids}


def _names_a_person(name: str) -> bool:
    return _NAMES.fullmatch(name.rpartition(":")[2].casefold()) is not None


def _holds_personal(value: Any, depth: int) -> bool:
    if depth > _DEEPEST:
        return True
    if isinstance(value, str):
        return contacts.is_in(value)
    if isinstance(value, Mapping):
        return any(_names_a_person(str(name)) or _holds_personal(each, depth + 1) for name, each in value.items())
    if isinstance(value, Collection):
        return any(_holds_personal(each, depth + 1) for each in value)
    return False
