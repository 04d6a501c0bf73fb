"""The order in which actions and purposes, channels and countries are bits of numbers that both databases compare.

`RULES` tells compiled rows apart that were made with another order or by other rules: they count for nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from domain.licensing import territories, uses
from domain.licensing.codes import Action, Purpose

#: Moved by hand whenever the engine comes to allow something else under the same terms.
MADE: Final = 2
#: Bits of one number; the last one is the sign.
WIDTH: Final = 63
#: Numbers of one set.
CHANNEL_WORDS: Final = 2
PLACE_WORDS: Final = 4

LEAVES: Final = tuple(sorted(uses.LEAVES))
COUNTRIES: Final = tuple(sorted(territories.COUNTRIES))
#: None: what for is not said.
PURPOSES: Final = (None, *Purpose)
USES: Final = tuple((action, purpose) for action in Action for purpose in PURPOSES)

_LEAF: Final = {leaf: at for at, leaf in enumerate(LEAVES)}
_COUNTRY: Final = {country: at for at, country in enumerate(COUNTRIES)}
_USE: Final = {use: at for at, use in enumerate(USES)}

assert len(USES) <= WIDTH
assert len(LEAVES) <= WIDTH * CHANNEL_WORDS
assert len(COUNTRIES) <= WIDTH * PLACE_WORDS


def use(action: Action, purpose: Purpose | None) -> int:
    """As one bit."""
    return 1 << _USE[action, purpose]


def channels(leaves: Iterable[str]) -> tuple[int, ...]:
    return _words((_LEAF[leaf] for leaf in leaves), CHANNEL_WORDS)


def countries(codes: Iterable[str]) -> tuple[int, ...]:
    return _words((_COUNTRY[code] for code in codes), PLACE_WORDS)


def words_of(bits: int) -> tuple[int, ...]:
    """Countries as the bits of one number."""
    mask = (1 << WIDTH) - 1
    return tuple(bits >> at * WIDTH & mask for at in range(PLACE_WORDS))


def _words(places: Iterable[int], count: int) -> tuple[int, ...]:
    words = [0] * count
    for place in places:
        words[place // WIDTH] |= 1 << place % WIDTH
    return tuple(words)


def _rules() -> int:
    told = repr((MADE, LEAVES, COUNTRIES, USES, sorted(territories.GROUPS.items())))
    return int.from_bytes(hashlib.sha256(told.encode()).digest()[:8]) >> 2


#: The same for the same code, in 62 bits.
RULES: Final = _rules()
