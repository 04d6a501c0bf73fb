"""What the change feed and exports speak of."""

from __future__ import annotations

from enum import Enum
from typing import Any

import strawberry

from domain import changes

_computed: Any = Enum
#: Mypy cannot read an enum whose members are computed; these are the feed's own.
Subject: Any = strawberry.enum(
    _computed("ChangeSubject", {name: name for name in changes.SUBJECTS}),
    description="What the change feed and exports speak of: assets with their versions, renditions and tags; "
    "lightboxes; tags, which only those are told who see the whole vocabulary.",
)
