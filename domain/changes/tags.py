"""Tags in the feed, for those who see the whole vocabulary; to all others a tag is part of the assets that carry it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from domain import taxonomy
from domain.changes import holders
from domain.changes.past import Change, ChangeType, Reason
from domain.changes.reading import Reading, first_of
from storage.tables import TagRow

SUBJECT: Final = "TAG"


def touched(reading: Reading, beyond: int, limit: int) -> list[int]:
    """The lowest ids above `beyond` of tags that were made, respelt or merged in the window, and of those that came to
    stand below another.
    """
    if not holders.sees_vocabulary(reading.work.viewer):
        return []
    events = [event for event in reading.events if event.subject_type == "Tag"]
    merged = {event.subject_id for event in events if event.type == "tag.merged"}
    found = {event.subject_id for event in events}.union(*(event.payload.get("from", ()) for event in events))
    if merged:
        found.update(reading.work.session.scalars(sa.select(TagRow.id).where(TagRow.parent_id.in_(sorted(merged)))))
    return first_of(found, beyond, limit)


def told(reading: Reading, ids: Sequence[int]) -> list[Change]:
    """What became of these, in their order."""
    known = taxonomy.by_id(reading.work, ids)
    events = [event for event in reading.events if event.subject_type == "Tag"]
    heard = {each: event.occurred_at for event in events for each in (event.subject_id, *event.payload.get("from", ()))}
    fresh = {event.subject_id for event in events if event.type == "tag.created"}
    changes = []
    for id_ in ids:
        at = heard.get(id_, reading.window.to)
        row = known.get(id_)
        if row is not None and row.id == id_:
            created = reading.is_first or id_ in fresh
            changes.append(Change(SUBJECT, id_, ChangeType.CREATED if created else ChangeType.UPDATED, row, None, at))
        elif not reading.is_first:
            changes.append(Change(SUBJECT, id_, ChangeType.REMOVED, None, Reason.MERGED, at))
    return changes
