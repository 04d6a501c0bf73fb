"""What is asked of every engine: kinds of search, each with a fixed list of words."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from bench.search import corpus


@dataclass(frozen=True, slots=True)
class Task:
    """One search, in the terms every engine is told it in. `words` are AND-ed, or OR-ed; a single one may be
    a phrase's.
    """

    name: str
    words: tuple[str, ...]
    any_word: bool = False
    phrase: bool = False
    prefix: bool = False
    facets: bool = False
    access: frozenset[str] | None = None
    kind: str | None = None
    since: datetime | None = None
    newest_first: bool = False

    @property
    def text(self) -> str:
        """As it would be typed."""
        if self.phrase:
            return '"' + " ".join(self.words) + '"'
        if self.prefix:
            return self.words[0] + "*"
        return (" OR " if self.any_word else " ").join(self.words)


REPEATS: Final = 12
_VIEWER: Final = frozenset(corpus.TEAMS[:3])
_SINCE: Final = datetime(2019, 1, 1, tzinfo=UTC)


def tasks() -> list[Task]:
    chance = random.Random(2026)
    words = {language: corpus.vocabulary(language) for language in corpus.LANGUAGES}

    def some(first: int, last: int, count: int) -> tuple[str, ...]:
        language = chance.choice(corpus.LANGUAGES)
        return tuple(words[language][chance.randrange(first, last)] for _ in range(count))

    made = []
    for _ in range(REPEATS):
        common = some(0, 20, 1)
        made += [
            Task("common term", common),
            Task("rare term", some(5_000, 15_000, 1)),
            Task("three terms AND", some(0, 40, 3)),
            Task("three terms OR", some(0, 40, 3), any_word=True),
            Task("phrase", some(0, 10, 2), phrase=True),
            Task("prefix", (some(0, 2_000, 1)[0][:4],), prefix=True),
            Task("term + 4 facets", common, facets=True),
            Task("filter + access + facets", common, facets=True, access=_VIEWER, kind="PHOTO", since=_SINCE),
            Task("newest first", common, newest_first=True),
        ]
    return made
