"""What of a document is searched: its texts in order, analysed once for every engine.

Always true here:
- Texts come in the order of FIELDS; a phrase never reaches from one text into the next.
- Only the first MAX_WORDS words of a document are indexed.
"""

from typing import Final, NamedTuple

import orjson

from storage.index import analyser
from storage.index.contract import Document

#: The names of the searched texts; a text's number is its place here.
FIELDS: Final = ("title", "description", "tag", "campaign", "file", "creator", "text")
MAX_WORDS: Final = 20_000
#: Raise when the same document would be indexed otherwise, or the same asset be told in other documents: it is part of
#: every index's fingerprint.
VERSION: Final = "4"

NUMBERS: Final = {name: number for number, name in enumerate(FIELDS)}
_TITLE: Final = NUMBERS["title"]
_TAG: Final = NUMBERS["tag"]
_FILE: Final = NUMBERS["file"]


class Text(NamedTuple):
    field: int
    text: str


class AnalysedText(NamedTuple):
    field: int
    text: str
    words: list[analyser.Token]
    joined: list[analyser.Token]


def of(document: Document) -> list[Text]:
    """The document's texts, empty ones left out."""
    tags = [text for tag in document.tags for text in (tag.name, *tag.synonyms)]
    columns = (
        (document.title,),
        (document.description,),
        tags,
        document.campaigns,
        document.file_names,
        document.creators,
        document.texts,
    )
    return [Text(field, text) for field, many in enumerate(columns) for text in many if text]


def analysed(texts: list[Text]) -> list[AnalysedText]:
    room = MAX_WORDS
    found = []
    for field, text in texts:
        words, joined = analyser.analyse(text)
        found.append(AnalysedText(field, text, words[:room], joined[:room]))
        room -= len(words)
        if room <= 0:
            break
    return found


def title_digest(found: list[AnalysedText]) -> int:
    """What a query equal to the title would have."""
    titles = [text.words for text in found if text.field == _TITLE]
    return analyser.digest(analyser.key_of(titles[0] if titles else []))


def name_digests(found: list[AnalysedText]) -> set[int]:
    """What queries equal to a tag, a synonym or a file name (with or without its suffix) would have."""
    keys = {analyser.key_of(text.words) for text in found if text.field in {_TAG, _FILE}}
    for text in found:
        if text.field == _FILE:
            suffix = text.text.rfind(".")
            keys.add(analyser.key_of([word for word in text.words if word.end <= suffix]))
    return {analyser.digest(key) for key in keys if key}


def fact_digests(facts: frozenset[str]) -> list[int]:
    """Facts as the numbers that an index keeps of them, ascending."""
    return sorted(map(analyser.digest, facts))


def packed(found: list[Text]) -> bytes:
    """Texts as an index keeps them, to show why a document was found."""
    return orjson.dumps([[field, text] for field, text in found])


def unpacked(raw: bytes) -> list[Text]:
    return [Text(field, text) for field, text in orjson.loads(raw)]
