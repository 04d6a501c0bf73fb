"""The tree of channels that pictures are used in, and what is counted where.

Codes are lower-case dotted paths. A use names a leaf; a licence may name any branch, which covers all below it.
An unknown code is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from domain.licensing.codes import ANY, CapUnit
from domain.refusals import Invalid

_TREE: Final = {
    "print": "flyer brochure catalogue poster advertisement annual_report book calendar letter magazine stationery",
    "press": "newspaper magazine release",
    "editorial": "article blog broadcast book",
    "web": "site blog shop landing banner marketplace",
    "social": "organic paid story profile",
    "advertising": "display native search video",
    "email": "newsletter campaign transactional",
    "mobile": "app push game",
    "broadcast": "tv radio cinema streaming podcast",
    "outdoor": "billboard transit digital",
    "retail": "point_of_sale window digital_signage",
    "packaging": "box label bag",
    "merchandise": "apparel object template",
    "event": "booth screen slides",
    "internal": "intranet presentation training archive",
    "direct": "letter postcard parcel phone message",
    "font": "desktop web app document",
    "data": "training prompt",
}

#: Branches above the leaves.
BRANCHES: Final = frozenset(_TREE)
LEAVES: Final = frozenset(f"{branch}.{leaf}" for branch, leaves in _TREE.items() for leaf in leaves.split())
CHANNELS: Final = BRANCHES | LEAVES

_ANYWHERE: Final = frozenset(_TREE)
_PAPER: Final = frozenset({"print", "press", "editorial", "packaging", "merchandise", "direct"})
_SCREENS: Final = frozenset({"web", "social", "advertising", "email", "mobile", "font", "editorial"})

#: The branches in which a unit is counted: elsewhere a cap in it limits nothing, as a flyer has no impressions.
COUNTED: Final = {
    CapUnit.COPIES: _PAPER,
    CapUnit.IMPRESSIONS: _SCREENS | {"outdoor", "retail", "broadcast"},
    CapUnit.VIEWS: _SCREENS | {"broadcast", "event"},
    CapUnit.DISPLAYS: frozenset({"outdoor", "retail", "event"}),
    CapUnit.INSERTIONS: frozenset({"print", "press", "editorial", "broadcast", "advertising", "outdoor"}),
    CapUnit.PIECES: frozenset({"direct", "email"}),
    CapUnit.PLACEMENTS: _ANYWHERE,
    CapUnit.SEATS: _ANYWHERE,
}


def leaf(code: str, path: tuple[str, ...] = ("channel",)) -> str:
    """The code of a use's channel; refused where it is a branch, or unknown."""
    if code in BRANCHES:
        raise Invalid(f"{code!r} is a branch of channels: say which of {_below(code)}.", path, "channel")
    return checked([code], path)[0]


def checked(codes: Iterable[str], path: tuple[str, ...] = ("channels",)) -> tuple[str, ...]:
    """Channels of a licence, sorted and without repeats: leaves, branches or `ANY`. Refused where one is unknown."""
    found = tuple(sorted(set(codes)))
    for code in found:
        if code != ANY and code not in CHANNELS:
            raise Invalid(f"{code!r} is no channel: name one of {', '.join(sorted(CHANNELS))}.", path, "channel")
    return found


def covers(granted: Iterable[str], channel: str) -> bool:
    """Whether these channels of a licence have the leaf in them."""
    return any(code in {ANY, channel} or channel.startswith(f"{code}.") for code in granted)


def counts(unit: CapUnit, channel: str) -> bool:
    """Whether the unit is counted in the channel."""
    return channel.partition(".")[0] in COUNTED[unit]


def _below(branch: str) -> str:
    return ", ".join(sorted(code for code in LEAVES if code.startswith(f"{branch}.")))
