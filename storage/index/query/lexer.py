"""Cuts a query into its pieces: brackets, operators, fields and values, each with its position."""

import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal["(", ")", "AND", "OR", "NOT", "field", "phrase", "word", "end"]

_BLANK: Final = re.compile(r"\s*")
#: A field's name stands before a colon that does not begin an address (`https://`).
_FIELD: Final = re.compile(r"([A-Za-z]\w*):(?!//)")
_WORD: Final = re.compile(r'[^\s()"]+')
_OPERATORS: Final = {"AND": "AND", "OR": "OR", "NOT": "NOT"}


class QuerySyntaxError(ValueError):
    """The query cannot be understood: a whole sentence, and the 0-based position in the text it speaks of."""

    def __init__(self, sentence: str, position: int) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.position = position


@dataclass(frozen=True, slots=True)
class Piece:
    kind: Kind
    text: str
    start: int
    end: int


def cut(text: str) -> list[Piece]:
    """The pieces in order, the last of kind `end`."""
    pieces: list[Piece] = []
    at = _skip_blanks(text, 0)
    while at < len(text):
        piece = _next(text, at)
        pieces.append(piece)
        at = _skip_blanks(text, piece.end)
    pieces.append(Piece("end", "", len(text), len(text)))
    return pieces


def _skip_blanks(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _next(text: str, at: int) -> Piece:
    character = text[at]
    if character == "(":
        return Piece("(", "(", at, at + 1)
    if character == ")":
        return Piece(")", ")", at, at + 1)
    if character == '"':
        return _phrase(text, at)
    if character == "-" and at + 1 < len(text) and not text[at + 1].isspace():
        return Piece("NOT", "-", at, at + 1)
    field = _FIELD.match(text, at)
    if field:
        return Piece("field", field.group(1), at, field.end())
    return _word(text, at)


def _phrase(text: str, at: int) -> Piece:
    end = text.find('"', at + 1)
    if end < 0:
        raise QuerySyntaxError("This quotation mark is never closed.", at)
    return Piece("phrase", text[at + 1 : end], at, end + 1)


def _word(text: str, at: int) -> Piece:
    found = _WORD.match(text, at)
    end = found.end() if found else at + 1
    word = text[at:end]
    if word in _OPERATORS:
        return Piece("AND" if word == "AND" else "OR" if word == "OR" else "NOT", word, at, end)
    return Piece("word", word, at, end)
