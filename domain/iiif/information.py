"""What a picture's `info.json` says: how large it is, and what may be asked of it (IIIF Image API 3.0, section 5)."""

from __future__ import annotations

from typing import Any, Final

from domain.iiif import pyramids, requests

CONTEXT: Final = "http://iiif.io/api/image/3/context.json"
PROFILE: Final = "http://iiif.io/api/image/3/level2.json"

#: Beyond level 2.
_EXTRA = ("canonicalLinkHeader", "profileLinkHeader")


def information(uri: str, width: int, height: int) -> dict[str, Any]:
    """The document of the picture at this address, in the order in which people like to read it."""
    levels = pyramids.levels(width, height)
    whole = [level for level in levels if level.width * level.height <= requests.MOST_PIXELS]
    return {
        "@context": CONTEXT,
        "id": uri,
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level2",
        "width": width,
        "height": height,
        "maxWidth": requests.LONGEST_SIDE,
        "maxHeight": requests.LONGEST_SIDE,
        "maxArea": requests.MOST_PIXELS,
        "sizes": [{"width": level.width, "height": level.height} for level in reversed(whole)],
        "tiles": [{"width": pyramids.TILE, "scaleFactors": [level.scale for level in levels]}],
        "preferredFormats": ["jpg"],
        "extraFormats": [word for word in requests.FORMATS if word not in {"jpg", "png"}],
        "extraQualities": ["color", "gray", "bitonal"],
        "extraFeatures": list(_EXTRA),
    }
