"""How text becomes terms: the one analyser of every index, every query and every highlight.

Always true here:
- Offsets count characters of the text's NFC form. `words` stand in reading order; a word's index is its
  position.
- A word has a `surface` (folded: case, diacritics, ligatures; ß is ss, ё is е, but й stays й) and a `stem`.
- The script decides the stemmer: Russian for Cyrillic; Latin words go through the English and then the German
  one, so that one stem serves both languages without guessing which it is (measured: in each
  language as good as its own stemmer alone, see bench/RESULTS.md). Everything else stays as it is folded.
- Names are split where case, digits, hyphens, underscores and apostrophes split them: `BrandHero_2024` is
  brand, hero, 2024, and also, in `joined`, brandhero and every longer beginning, brandhero2024. An English
  possessive loses its s.
- No word is dropped here. The common ones in STOP_WORDS are indexed like any other; a query merely does not
  insist on them beside rarer words.
"""

import hashlib
import re
import threading
import unicodedata
from typing import Final, NamedTuple

import Stemmer

#: Raise when the same text would give other terms: it is part of every index's fingerprint.
VERSION: Final = "1"
#: A longer word is cut: nobody types it, and a dictionary should not keep a megabyte pasted without blanks.
MAX_WORD: Final = 64
_REMEMBERED: Final = 200_000

_STOP: Final = """
    a an and are as at by for from in is it of on or our that the this to with
    am an auf aus bei das dem den der des die ein eine einem einen einer fur im in ist mit oder und von vor zu zum zur
    в во для до и из или к на не о об от по при с со у
"""
#: Folded, as surfaces are: English, German, Russian.
STOP_WORDS: Final = frozenset(_STOP.split())

_MARKS: Final = r"\u0300-\u036f\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0670\u093a-\u094f"
_LETTERS: Final = rf"[^\W_][^\W_{_MARKS}]*(?:[{_MARKS}]+[^\W_]*)*"
_RUN: Final = re.compile(rf"{_LETTERS}(?:[-_'’]+{_LETTERS})*")
_CHUNK: Final = re.compile(_LETTERS)
_ASCII_PIECE: Final = re.compile(r"[0-9]+|[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_POSSESSIVE: Final = re.compile(r"['’]s$", re.IGNORECASE)
_DIACRITICS: Final = re.compile("[\u0300-\u036f]")
_CYRILLIC: Final = re.compile("[\u0400-\u04ff]")
_LATIN: Final = re.compile("[a-z]")
_UNDECOMPOSED: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
)
#: й decomposes into и and a breve; it goes round the folding as a character no text may contain.
_SHORT_I: Final = "\ue000"


class Token(NamedTuple):
    surface: str
    stem: str
    start: int
    end: int


class Analysed(NamedTuple):
    """`words` in order of position; `joined` the names put together again, which have no position of their
    own.
    """

    words: list[Token]
    joined: list[Token]


def normalise(text: str) -> str:
    """The NFC form that all offsets refer to."""
    return unicodedata.normalize("NFC", text)


def fold(text: str) -> str:
    """Without case and diacritics, as surfaces are. Its length may differ from the text's."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFC", text).casefold().replace("й", _SHORT_I)
    folded = _DIACRITICS.sub("", unicodedata.normalize("NFKD", folded))
    return unicodedata.normalize("NFC", folded).translate(_UNDECOMPOSED).replace(_SHORT_I, "й")


def analyse(text: str) -> Analysed:
    text = normalise(text)
    words: list[Token] = []
    joined: list[Token] = []
    for run in _RUN.finditer(text):
        name = run.group()
        start, end = run.span()
        known = _known.get(name)
        if known is not None:
            words.append(Token(known[0], known[1], start, end))
        elif _is_plain(name):
            words.append(_token(name, start, end))
        else:
            _split_name(_POSSESSIVE.sub("", name), start, words, joined)
    return Analysed(words, joined)


def key(text: str) -> str:
    """The text as its surfaces, blank between: equal keys are the same name to a human."""
    return key_of(analyse(text).words)


def key_of(words: list[Token]) -> str:
    return " ".join([word.surface for word in words])


def digest(key_: str) -> int:
    """A 64-bit signed number for a key, to be kept in a column."""
    return int.from_bytes(hashlib.blake2b(key_.encode(), digest_size=8).digest(), "big", signed=True)


def stem(surface: str) -> str:
    """The stem of a folded word."""
    if _CYRILLIC.search(surface):
        surface = _LOCAL.russian.stemWord(surface)
    elif _LATIN.search(surface):
        surface = _LOCAL.german.stemWord(_LOCAL.english.stemWord(surface))
    return surface


def _is_plain(name: str) -> bool:
    if name.isalpha():
        return name.islower() or name.isupper() or name[1:].islower() or not _has_case(name)
    return name.isdigit()


def _has_case(name: str) -> bool:
    return name.upper() != name.lower()


def _split_name(name: str, start: int, words: list[Token], joined: list[Token]) -> None:
    chunks = [(chunk.group(), start + chunk.start()) for chunk in _CHUNK.finditer(name)]
    for chunk, at in chunks:
        pieces = _pieces(chunk)
        for begin, end in pieces:
            words.append(_token(chunk[begin:end], at + begin, at + end))
        if len(pieces) > 1:
            joined.append(_token(chunk, at, at + len(chunk)))
    beginning = chunks[0][0]
    for chunk, at in chunks[1:]:
        beginning += chunk
        if len(beginning) > MAX_WORD:
            break
        joined.append(_token(beginning, start, at + len(chunk)))


def _pieces(chunk: str) -> list[tuple[int, int]]:
    """Where `BrandHERO2024shot` is cut: between digits and letters, before a capital, before an acronym's
    last one.
    """
    if chunk.isascii():
        return [piece.span() for piece in _ASCII_PIECE.finditer(chunk)]
    kinds = [_kind(character) for character in chunk]
    cuts = [0]
    for i in range(1, len(chunk)):
        before, here = kinds[i - 1], kinds[i]
        after = kinds[i + 1] if i + 1 < len(chunk) else ""
        digits = (before == "d") != (here == "d") and "m" not in {before, here}
        capital = before == "l" and here == "u"
        acronym = before == "u" and here == "u" and after == "l"
        if digits or capital or acronym:
            cuts.append(i)
    return list(zip(cuts, [*cuts[1:], len(chunk)], strict=True))


def _kind(character: str) -> str:
    if character.isdigit():
        return "d"
    if unicodedata.combining(character):
        return "m"
    return "u" if character.isupper() else "l"


class _Word(NamedTuple):
    surface: str
    stem: str


#: Plain words repeat; folding and stemming one costs ten times a look-up. Emptied when full, never wrong.
#: Names that are split never stand here.
_known: dict[str, _Word] = {}


def _token(word: str, start: int, end: int) -> Token:
    """The term a plain word, or a name put together, becomes."""
    known = _known.get(word)
    if known is None:
        # Some characters fold into several words (the Arabic ligatures for whole phrases); a term has no
        # blanks.
        surface = "".join(fold(word).split())[:MAX_WORD] or word[:MAX_WORD]
        known = _Word(surface, stem(surface))
        if _is_plain(word) and len(word) <= MAX_WORD:
            _remember(word, known)
    return Token(known.surface, known.stem, start, end)


def _remember(word: str, known: _Word) -> None:
    if len(_known) >= _REMEMBERED:
        _known.clear()
    _known[word] = known


class _Stemmers(threading.local):
    """PyStemmer's objects are not safe to share between threads."""

    def __init__(self) -> None:
        self.english = Stemmer.Stemmer("english")
        self.german = Stemmer.Stemmer("german")
        self.russian = Stemmer.Stemmer("russian")


_LOCAL: Final = _Stemmers()
