"""Renditions that nobody foresaw: made of a version when their signed address is opened, and kept while there is room.

`addresses` signs and opens, `kept` knows what was made, `spelling` writes recipes down.
"""

from __future__ import annotations

from domain.transforms.addresses import Door, Opened, bytes_of, check, just_made, knock, open_door, opened, ready, urls
from domain.transforms.kept import (
    PART,
    PICTURE,
    PYRAMID,
    Begun,
    BuildPyramid,
    Failed,
    Made,
    MakeTransform,
    Wanted,
    ask,
    find,
    finish,
    forget,
    is_due,
    is_over,
    living,
    put,
    start,
    sweep,
    touch,
    used,
)

__all__ = [
    "PART",
    "PICTURE",
    "PYRAMID",
    "Begun",
    "BuildPyramid",
    "Door",
    "Failed",
    "Made",
    "MakeTransform",
    "Opened",
    "Wanted",
    "ask",
    "bytes_of",
    "check",
    "find",
    "finish",
    "forget",
    "is_due",
    "is_over",
    "just_made",
    "knock",
    "living",
    "open_door",
    "opened",
    "put",
    "ready",
    "start",
    "sweep",
    "touch",
    "urls",
    "used",
]
