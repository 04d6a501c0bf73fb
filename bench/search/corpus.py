"""A made-up library of assets in three languages: the same one every time.

Always true here:
- Words follow Zipf's law over vocabularies of made-up but inflected words, so that terms are as common as in
  real text.
- Asset `n` is the same whatever the size of the library.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from storage.index import Document, Tag

KINDS: Final = ("PHOTO", "VIDEO", "DOCUMENT", "VECTOR", "TEMPLATE", "AUDIO")
TYPES: Final = ("image/jpeg", "image/png", "image/tiff", "video/mp4", "application/pdf", "image/svg+xml", "audio/mpeg")
TEAMS: Final = tuple(f"team:{number}" for number in range(20))
LANGUAGES: Final = ("en", "de", "ru")

_SYLLABLES: Final = {
    "en": "ba con di er for gra hi lo ma ner or pa qui ran sta ter un ver wi son light wood field ship port",
    "de": "ab be ein ge haus land mo nach ober rei schu stein tor um ver wald werk zu berg feld licht bild strom",
    "ru": "ба ва го де за ко ли мо на по ра со те ум фо хо це ши ли ро ма не то ва ри ло ста пре",
}
_ENDINGS: Final = {
    "en": ("", "", "", "s", "ing", "ed"),
    "de": ("", "", "e", "en", "er", "ern"),
    "ru": ("а", "и", "у", "ой", "ами", "ах"),
}
_STOP: Final = {"en": "the of and in", "de": "der die und in", "ru": "и в на с"}
_WORDS: Final = 20_000
_START: Final = datetime(2015, 1, 1, tzinfo=UTC)


def vocabulary(language: str) -> list[str]:
    """The language's words without endings, the most common first."""
    chance = random.Random(f"vocabulary {language}")
    found: dict[str, None] = {}
    while len(found) < _WORDS:
        found["".join(chance.choices(_SYLLABLES[language].split(), k=chance.choice((2, 2, 3, 3, 4))))] = None
    return list(found)


def documents(count: int) -> Iterator[Document]:
    words = {language: vocabulary(language) for language in LANGUAGES}
    weights = [1 / rank for rank in range(1, _WORDS + 1)]
    total = 0.0
    cumulative = [total := total + weight for weight in weights]
    for number in range(1, count + 1):
        yield _document(number, words, cumulative)


def _document(number: int, words: dict[str, list[str]], weights: list[float]) -> Document:
    chance = random.Random(number)
    language = chance.choice(LANGUAGES)

    def text(length: int) -> str:
        chosen = chance.choices(words[language], cum_weights=weights, k=length)
        inflected = [word + chance.choice(_ENDINGS[language]) for word in chosen]
        for at in range(2, length, 4):
            inflected[at] = chance.choice(_STOP[language].split())
        return " ".join(inflected)

    created = _START + timedelta(minutes=chance.randrange(6_000_000))
    tags = sorted({int(chance.paretovariate(0.6)) % 3_000 for _ in range(4)})
    stems = chance.choices(words[language], cum_weights=weights, k=2)
    return Document(
        id=number,
        org_id=1 + number % 3,
        access=frozenset(chance.sample(TEAMS, 2)),
        title=text(chance.randint(3, 7)).capitalize(),
        description=text(chance.randint(15, 40)),
        tags=tuple(Tag(tag, words[LANGUAGES[tag % 3]][tag * 3]) for tag in tags),
        campaigns=(f"{words['en'][number % 200].title()} {created.year}",),
        file_names=(f"{stems[0].title()}{stems[1].title()}_{number % 10_000:04d}.jpg",),
        creators=(words["en"][number % 300].title(),),
        kind=chance.choice(KINDS),
        lifecycle="ACTIVE" if number % 10 else "ARCHIVED",
        media_type=chance.choice(TYPES),
        width=chance.choice((800, 1200, 1920, 4000, None)),
        height=chance.choice((600, 1080, 3000, None)),
        byte_size=chance.randrange(10_000, 50_000_000),
        created_at=created,
        updated_at=created + timedelta(days=chance.randrange(300)),
        captured_at=created - timedelta(days=chance.randrange(900)) if number % 2 else None,
        revision=1,
    )
