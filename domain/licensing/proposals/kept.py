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


def entries_of(work: Work, version_ids: Iterable[int], besides: Sequence[Place] = ()) -> dict[int, dict[Place, Any]]:
    """What stands in the places that proposals are read from, and in these, by version."""
    spaces, names = zip(*besides, strict=True) if besides else ((), ())
    rows = sa.select(MetadataRow.version_id, MetadataRow.namespace, MetadataRow.name, MetadataRow.value).where(
        MetadataRow.version_id.in_(set(version_ids)),
        MetadataRow.namespace.in_([*_SPACES, *spaces]),
        MetadataRow.name.in_([*_NAMES, *names]),
    )
    entries: dict[int, dict[Place, Any]] = defaultdict(dict)
    for version_id, namespace, name, value in work.session.execute(rows):
        entries[version_id][namespace, name] = value
    return dict(entries)
