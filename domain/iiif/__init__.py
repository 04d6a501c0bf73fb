"""Pictures looked at closely: the IIIF Image API 3.0, level 2 (docs/iiif.md).

`addresses` signs and opens ids, `requests` reads what is asked for, `pyramids` knows the tiles, `information` tells
what may be asked.
"""

from __future__ import annotations

from domain.iiif.addresses import BELOW, Picture, Tile, part, picture, pyramid, urls
from domain.iiif.information import CONTEXT, PROFILE, information
from domain.iiif.requests import Asked, NotSupported, asked

__all__ = [
    "BELOW",
    "CONTEXT",
    "PROFILE",
    "Asked",
    "NotSupported",
    "Picture",
    "Tile",
    "asked",
    "information",
    "part",
    "picture",
    "pyramid",
    "urls",
]
