"""How suggestions for what is being typed are put together, whichever engine finds them."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from storage.index import analyser, texts
from storage.index.contract import Suggestion

#: Titles and tags may each take one of so many shares of the list before words fill it.
_SHARES: Final = 3
#: A longer beginning is no longer a beginning.
MAX_PREFIX: Final = 100


class Typed(NamedTuple):
    """What was typed: folded whole, what stands before its last word, and the folded last word."""

    folded: str
    head: str
    last: str


def typed(prefix: str) -> Typed | None:
    """None when there is nothing to go on: no letter or digit, or more than anyone types into a box that
    suggests.
    """
    words = analyser.analyse(prefix).words
    if not words or len(prefix) > MAX_PREFIX:
        return None
    text = analyser.normalise(prefix)
    last = words[-1] if words[-1].end == len(text) else None
    head = text[: last.start] if last else text
    return Typed(analyser.fold(prefix).lstrip(), head, last.surface if last else "")


def mixed(
    titles: Sequence[Suggestion], tags: Sequence[Suggestion], words: Sequence[Suggestion], limit: int
) -> list[Suggestion]:
    """Some of each kind, no text twice; words fill what is left, then further titles and tags."""
    share = max(limit // _SHARES, 1)
    chosen: dict[str, Suggestion] = {}
    for suggestion in (*titles[:share], *tags[:share], *words, *titles[share:], *tags[share:]):
        if len(chosen) < limit:
            chosen.setdefault(analyser.fold(suggestion.text), suggestion)
    return list(chosen.values())


def spelling(found: Iterable[texts.Text], surface: str) -> str:
    """How one of these texts writes the word; the folded word itself when none does."""
    for _, text in found:
        normal = analyser.normalise(text)
        analysed = analyser.analyse(text)
        for token in (*analysed.words, *analysed.joined):
            if token.surface == surface:
                return normal[token.start : token.end].lower()
    return surface
