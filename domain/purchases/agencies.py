r"""How the pages of well-known agencies are addressed, for suppliers that are given one of these keys.

Read from addresses as they stood on public pages in 2026. Agencies change them: a supplier's patterns are its own from
then on, and are changed like any others. A number is the agency's own for the picture, in any language of its pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from domain.purchases.addresses import Pattern

#: Whole paths of each agency's hosts; where an address has a query that tells more, with it.
_PATHS: Final = {
    "123rf": (("123rf.com",), (r"/photo_(?P<item>\d+)_.+\.html",)),
    "adobe-stock": (
        ("stock.adobe.com",),
        (
            r"/images/[^/]+/(?P<item>\d+)",
            r"/[^/]+/images/[^/]+/(?P<item>\d+)",
            r"/.+.asset_id=(?P<item>\d+)",
            r"/.+.asset_id=(?P<item>\d+)&.+",
        ),
    ),
    "alamy": (("alamy.com", "alamy.de"), (r"/.+-image(?P<item>\d+)\.html", r"/stock-photo-.+-(?P<item>\d+)\.html")),
    "depositphotos": (
        ("depositphotos.com",),
        (r"/(?P<item>\d+)/stock-.+\.html", r"/[^/]+/.+-(?P<item>\d+)\.html"),
    ),
    "dreamstime": (("dreamstime.com",), (r"/.+-image(?P<item>\d+)",)),
    "freepik": (("freepik.com",), (r"/.+/.+_(?P<item>\d+)\.htm",)),
    "getty-images": (
        (
            "gettyimages.com",
            "gettyimages.de",
            "gettyimages.co.uk",
            "gettyimages.fr",
            "gettyimages.at",
            "gettyimages.ch",
        ),
        (r"/detail/(?P<item>\d+)", r"/detail/[^/]+/(?P<item>\d+)", r"/detail/[^/]+/[^/]+/(?P<item>\d+)"),
    ),
    "istock": (("istockphoto.com",), (r"/.+-gm(?P<item>\d+)-\d+",)),
    "pexels": (
        ("pexels.com",),
        (r"/photo/(?P<item>\d+)/?", r"/photo/.+-(?P<item>\d+)/?", r"/.+/.+-(?P<item>\d+)/"),
    ),
    "pixabay": (("pixabay.com",), (r"/.+/.+-(?P<item>\d+)/",)),
    "shutterstock": (
        ("shutterstock.com",),
        (
            r"/image-photo/.+-(?P<item>\d+)",
            r"/image-vector/.+-(?P<item>\d+)",
            r"/image-illustration/.+-(?P<item>\d+)",
            r"/editorial/image-editorial/.+-(?P<item>\d+)",
            r"/.+/image-photo/.+-(?P<item>\d+)",
            r"/.+/image-vector/.+-(?P<item>\d+)",
            r"/.+/image-illustration/.+-(?P<item>\d+)",
            r"/.*image-.+w-(?P<item>\d+)\.jpg",
            r"/.*video/clip-(?P<item>\d+).*",
        ),
    ),
    "unsplash": (
        ("unsplash.com",),
        (r"/photos/(?P<item>[A-Za-z0-9_-]{11})", r"/photos/.+-(?P<item>[A-Za-z0-9_-]{11})"),
    ),
}

#: By the keys that suppliers are given.
PATTERNS: Final[Mapping[str, tuple[Pattern, ...]]] = {
    key: tuple(Pattern(host, path) for host in hosts for path in paths) for key, (hosts, paths) in _PATHS.items()
}
