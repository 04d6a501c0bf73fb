"""What is asked of the workers about what may be delivered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class CheckCompiledRights:
    """List as due what is not as it should be, and forget what nothing needs any more."""

    kind: ClassVar[str] = "check_compiled_rights"
    queue: ClassVar[str] = "upkeep"
    priority: ClassVar[int] = 0
    max_attempts: ClassVar[int] = 3

    def unique_key(self) -> str:
        return self.kind
