"""What happened to one thing since a place in the feed, walked back from what it is now, so that it can be said whether
the reader may have seen it in between.

Always true here:
- Events stand in their one order (`seq`); ends that come by the clock stand between them where their moment falls. An
  event counts as happening no earlier than the one before it.
- A tombstone is for what was shown at the place or at any time since, and for nothing else: whatever somebody read
  meanwhile they are told to forget, and of what they never saw they do not hear.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final, Generic, NamedTuple, TypeVar

State = TypeVar("State")

#: What came by the clock: a share that ended, and a grant that began or ended.
SHARE_OVER: Final = "share over"
GRANT_TURNED: Final = "grant turned"


class ChangeType(Enum):
    CREATED = "CREATED"
    UPDATED = "UPDATED"
    REMOVED = "REMOVED"


class Reason(Enum):
    """Why something that was shown is shown no more; of assets that are shown, WITHDRAWN, EXPIRED and RECALLED say why
    nothing of them leaves that did.
    """

    ARCHIVED = "ARCHIVED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"
    RECALLED = "RECALLED"
    DELETED = "DELETED"
    MERGED = "MERGED"
    NO_LONGER_APPROVED = "NO_LONGER_APPROVED"
    NO_LONGER_SHARED = "NO_LONGER_SHARED"
    NO_LONGER_VISIBLE = "NO_LONGER_VISIBLE"


#: By what took it from view; anything else reads NO_LONGER_VISIBLE. A later feature adds its events here.
REASONS: Final = {
    "asset.approval_revoked": Reason.NO_LONGER_APPROVED,
    "asset.archived": Reason.ARCHIVED,
    "asset.gave_back": Reason.NO_LONGER_APPROVED,
    "asset.merged": Reason.MERGED,
    "asset.purged": Reason.DELETED,
    "asset.trashed": Reason.DELETED,
    "inbox.rejected": Reason.ARCHIVED,
    "lightbox.archived": Reason.ARCHIVED,
    "lightbox.assets_changed": Reason.NO_LONGER_SHARED,
    "share.ended": Reason.NO_LONGER_SHARED,
    SHARE_OVER: Reason.NO_LONGER_SHARED,
    "tag.merged": Reason.MERGED,
}


class Happened(NamedTuple):
    """An event, as far as the past needs it; `seq` None: committed, and not numbered yet."""

    seq: int | None
    type: str
    subject_type: str
    subject_id: int
    payload: dict[str, Any]
    occurred_at: datetime


@dataclass(frozen=True)
class Change:
    """`row` is None exactly for a tombstone, which has a reason; of others an asset has one while nothing leaves."""

    subject: str
    id: int
    type: ChangeType
    row: Any
    reason: Reason | None
    occurred_at: datetime


@dataclass(frozen=True)
class Point(Generic[State]):
    """How things stood from a moment on, and what made it so."""

    moment: datetime
    state: State
    cause: str | None


@dataclass(frozen=True)
class Verdict:
    """Whether it was shown at the place, and at any time since; when and by what that turned for the last time."""

    at_start: bool
    ever: bool
    turned_at: datetime
    cause: str | None

    @property
    def reason(self) -> Reason:
        return REASONS.get(self.cause or "", Reason.NO_LONGER_VISIBLE)


def walked(
    state: State,
    events: Sequence[Happened],
    undo: Callable[[State, Happened], State],
    *,
    begun: datetime,
    ended: datetime,
    clock: Iterable[tuple[datetime, str]],
) -> list[Point[State]]:
    """How it stood from `begun` to `ended`, when it stood as `state`: the `events` since, oldest first, are undone one
    by one; at the moments of `clock` nothing changes but what the clock decides.
    """
    states = [state]
    for event in reversed(events):
        states.append(undo(states[-1], event))
    states.reverse()
    ticks = sorted({each for each in clock if begun < each[0] <= ended})
    points, moment = [Point(begun, states[0], None)], begun
    for event, before, after in zip(events, states, states[1:], strict=False):
        reached = max(moment, min(event.occurred_at, ended))
        points += [Point(tick, before, cause) for tick, cause in ticks if moment < tick <= reached]
        points.append(Point(reached, after, event.type))
        moment = reached
    return points + [Point(tick, state, cause) for tick, cause in ticks if moment < tick]


def judged(points: Sequence[Point[State]], shown: Sequence[bool]) -> Verdict:
    """`shown` says of each point whether the viewer saw it then."""
    turned = max((at for at in range(1, len(shown)) if shown[at] != shown[at - 1]), default=0)
    return Verdict(shown[0], any(shown), points[turned].moment, points[turned].cause)
