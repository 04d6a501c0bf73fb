"""What is asked of the workers about usage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class TimeOutReservations:
    """Give up reservations whose time is over."""

    kind: ClassVar[str] = "time_out_reservations"
    queue: ClassVar[str] = "upkeep"
    priority: ClassVar[int] = 0
    max_attempts: ClassVar[int] = 3

    def unique_key(self) -> str:
        return self.kind


@dataclass(frozen=True)
class PassOverUsages:
    """Tell of uses whose licence or release ends soon, withdraw those of which one has ended, and tell of exclusivity
    that was promised to us and ends soon.
    """

    kind: ClassVar[str] = "pass_over_usages"
    queue: ClassVar[str] = "upkeep"
    priority: ClassVar[int] = 0
    max_attempts: ClassVar[int] = 3

    def unique_key(self) -> str:
        return self.kind
