"""What workers are asked to do for sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

#: Files that are fetched from others' servers at the same time, in the whole hub: webhooks wait behind nobody.
LANES: Final = 2


@dataclass(frozen=True)
class FetchLane:
    """Fetch what the sessions of this lane wait for, a file of each in turn."""

    kind: ClassVar[str] = "fetch_lane"
    queue: ClassVar[str] = "outside"
    priority: ClassVar[int] = 10
    max_attempts: ClassVar[int] = 10

    lane: int

    @classmethod
    def of(cls, session_id: int) -> FetchLane:
        return cls(session_id % LANES)

    def unique_key(self) -> str:
        return f"fetch_lane:{self.lane}"


@dataclass(frozen=True)
class UnpackSession:
    """Bring what is in the ZIP of a session."""

    kind: ClassVar[str] = "unpack_session"
    queue: ClassVar[str] = "upkeep"
    priority: ClassVar[int] = 5
    max_attempts: ClassVar[int] = 10

    session_id: int

    def unique_key(self) -> str:
        return f"unpack_session:{self.session_id}"
