"""What is shared while one plan is run."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.permissions import Permission
from domain.work import Work
from schema.plans.kept import Kept
from storage.snapshots import Snapshot
from storage.statements import Dialect


@dataclass
class Run:
    """One answering: what was given, and the snapshot that is read."""

    work: Work
    cursor: Any
    dialect: Dialect
    kept: Kept
    #: Tells viewers apart for whom the same rows are found by other statements.
    likeness: Hashable
    #: Permissions that the answer needs and the viewer does not hold everywhere.
    guards: tuple[Permission, ...]
    arguments: tuple[Mapping[str, Any], ...]
    #: Whose addresses stand in the answer, and until when.
    viewer: Hashable
    #: What every statement may ask for: the moment, and what addresses are given by.
    given: Mapping[str, Any]
    #: Whether addresses stand under decisions, which end and are made anew by themselves.
    is_bound: bool
    snapshot: Snapshot
    #: Whether the snapshot may be given up with what seems to be the last that is read (`storage.wire.Ended`).
    may_end: bool = True
    #: When time alone changes something that was read.
    ends: list[datetime] = field(default_factory=list)
