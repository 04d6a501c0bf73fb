"""Proposals of versions, from what is kept of their files' metadata."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

import sqlalchemy as sa

from domain.licensing.proposals.places import Place
from domain.licensing.proposals.reading import PLACES, proposal
from domain.licensing.proposals.told import LicenseProposal
from domain.work import Work
from storage.tables import MetadataRow

_SPACES: Final = sorted({space for space, _ in PLACES})
_NAMES: Final = sorted({name for _, name in PLACES})


def of_versions(work: Work, version_ids: Iterable[int]) -> dict[int, LicenseProposal]:
    """What their files propose; nothing of those that say nothing. Whether the viewer may know is the caller's
    question.
    """
    found = {id_: proposal(entries) for id_, entries in entries_of(work, version_ids).items()}
    return {id_: proposed for id_, proposed in found.items() if proposed is not None}


#: Put together once, for every picture that is made by address asks it.
_ENTRIES: Final = sa.select(MetadataRow.version_id, MetadataRow.namespace, MetadataRow.name, MetadataRow.value).where(
    MetadataRow.version_id.in_(sa.bindparam("versions", expanding=True)),
    MetadataRow.namespace.in_(sa.bindparam("spaces", expanding=True)),
    MetadataRow.name.in_(sa.bindparam("names", expanding=True)),
)


def entries_of(work: Work, version_ids: Iterable[int], besides: Sequence[Place] = ()) -> dict[int, dict[Place, Any]]:
    """What stands in the places that proposals are read from, and in these, by version."""
    spaces, names = zip(*besides, strict=True) if besides else ((), ())
    told = {"versions": set(version_ids), "spaces": [*_SPACES, *spaces], "names": [*_NAMES, *names]}
    entries: dict[int, dict[Place, Any]] = defaultdict(dict)
    for version_id, namespace, name, value in work.session.execute(_ENTRIES, told):
        entries[version_id][namespace, name] = value
    return dict(entries)
