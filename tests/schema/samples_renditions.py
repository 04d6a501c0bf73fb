"""Acceptable inputs for what shapes renditions and speaks for them: presets, focal points and statements."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from tests.schema.samples_people import revised

if TYPE_CHECKING:
    from tests.schema.samples import Brand

#: Why they do without `expectedRevision`.
UNREVISED: Final = {
    "focalPointSet": "whoever looks at the picture last is right",
    "focalPointClear": "whoever looks at the picture last is right",
}
POINT: Final = {"x": 0.25, "y": 0.75}

SAMPLES: Final[dict[str, Callable[[Brand], dict[str, Any]]]] = {
    "renditionPresetRevert": lambda brand: revised("preset", brand.preset(), number=1),
    "focalPointSet": lambda brand: {"version": brand.asset()["current"]["id"], **POINT},
    "focalPointClear": lambda brand: {"version": brand.asset()["current"]["id"]},
    "assetStatementSet": lambda brand: {"asset": brand.asset()["id"], "expectedRevision": 0, "credit": "A. Smith"},
}
