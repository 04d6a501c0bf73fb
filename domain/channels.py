"""The usual presets of each channel: what a brand is offered to begin with, made of an asset when somebody asks.

Sizes are those that the platforms themselves asked for in 2025; each is a preset like any other and can be changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Final

from domain.recipes import Colour, Fit, Format, Recipe
from domain.statements import MetadataPolicy


class Channel(Enum):
    WEB = "WEB"
    SOCIAL = "SOCIAL"
    EMAIL = "EMAIL"
    MOBILE = "MOBILE"
    PRINT = "PRINT"


#: Name, width, height in pixels.
_SOCIAL: Final = (
    ("instagram-square", 1080, 1080),
    ("instagram-portrait", 1080, 1350),
    ("instagram-landscape", 1080, 566),
    ("instagram-story", 1080, 1920),
    ("facebook-post", 1200, 630),
    ("facebook-cover", 1640, 624),
    ("facebook-story", 1080, 1920),
    ("x-post", 1600, 900),
    ("x-header", 1500, 500),
    ("linkedin-post", 1200, 627),
    ("linkedin-cover", 1584, 396),
    ("pinterest-pin", 1000, 1500),
    ("youtube-thumbnail", 1280, 720),
    ("youtube-banner", 2560, 1440),
    ("tiktok-cover", 1080, 1920),
    ("social-profile", 400, 400),
    ("link-preview", 1200, 630),
)


def seeds() -> Iterator[tuple[Channel, Recipe]]:
    """All of them; none is made without being asked for."""
    yield Channel.WEB, Recipe("web-hero", Format.WEBP, 2560, 1440, Fit.COVER, quality=80)
    yield Channel.WEB, Recipe("web-large", Format.AVIF, 2048, 2048, quality=60)
    yield Channel.WEB, Recipe("web-card", Format.WEBP, 640, 480, Fit.COVER, quality=78)
    yield Channel.WEB, Recipe("web-square", Format.WEBP, 800, 800, Fit.PAD, quality=80)
    yield Channel.WEB, Recipe("film-web", Format.MP4, 1280, 1280)
    yield Channel.WEB, Recipe("film-preview", Format.MP4, 640, 640, quality=75, clip_seconds=10)
    yield Channel.WEB, Recipe("film-hover", Format.WEBP, 320, 320, quality=70, animated=True, clip_seconds=10)
    for name, width, height in _SOCIAL:
        yield Channel.SOCIAL, _jpeg(name, width, height, Fit.COVER, quality=85)
    yield Channel.EMAIL, _jpeg("email-header", 1200, 400, Fit.COVER, quality=75)
    yield Channel.EMAIL, _jpeg("email-body", 1200, 1600, Fit.CONTAIN, quality=75)
    yield Channel.EMAIL, Recipe("email-icon", Format.PNG, 128, 128, Fit.PAD, quality=100)
    yield Channel.MOBILE, Recipe("mobile-full", Format.WEBP, 1290, 2796, quality=78)
    yield Channel.MOBILE, Recipe("mobile-half", Format.WEBP, 828, 1792, quality=78)
    yield Channel.MOBILE, Recipe("mobile-tile", Format.AVIF, 360, 360, Fit.COVER, quality=55)
    everything = MetadataPolicy.ALL
    yield (
        Channel.PRINT,
        Recipe("print-cmyk", Format.TIFF, 4961, 4961, quality=100, colour=Colour.CMYK, dpi=300, metadata=everything),
    )
    yield (
        Channel.PRINT,
        Recipe("print-pdf", Format.PDF, 4961, 4961, quality=95, colour=Colour.CMYK, dpi=300, metadata=everything),
    )
    yield Channel.PRINT, Recipe("print-grey", Format.TIFF, 4961, 4961, quality=100, colour=Colour.GREY, dpi=300)
    yield Channel.PRINT, _jpeg("print-proof", 1600, 1600, Fit.CONTAIN, quality=85, proof="FOGRA39L")


def _jpeg(name: str, width: int, height: int, fit: Fit, *, quality: int, proof: str | None = None) -> Recipe:
    return Recipe(name, Format.JPEG, width, height, fit, quality=quality, progressive=True, proof=proof)
