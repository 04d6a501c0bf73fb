"""Reads a query's pieces into a tree, by descent that is bounded in depth and size."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, cast, get_args

from storage.index import analyser
from storage.index.query import values
from storage.index.query.lexer import Kind, Piece, QuerySyntaxError, cut
from storage.index.query.tree import And, Filter, Fuzzy, Node, Not, Or, Phrase, Prefix, Query, Scope, Word

MAX_LENGTH: Final = 2_000
MAX_DEPTH: Final = 50
MAX_TERMS: Final = 64

_SCOPES: Final[tuple[str, ...]] = get_args(Scope)
_STARTS: Final[frozenset[Kind]] = frozenset({"(", "NOT", "field", "phrase", "word"})


@lru_cache(maxsize=1_024)
def parse(text: str) -> Query:
    """The tree of what was typed; raises QuerySyntaxError. Search boxes repeat themselves, so trees are kept."""
    if len(text) > MAX_LENGTH:
        raise QuerySyntaxError(f"A query may have {MAX_LENGTH:,} characters; this one has {len(text):,}.", MAX_LENGTH)
    reader = _Reader(cut(text))
    root = None if reader.here.kind == "end" else reader.either(depth=1, scope=None)
    reader.expect_end()
    return Query(root, text)


@dataclass(slots=True)
class _Reader:
    """Where in the pieces the parser stands."""

    pieces: list[Piece]
    at: int = 0
    terms: int = 0

    @property
    def here(self) -> Piece:
        return self.pieces[self.at]

    def take(self) -> Piece:
        piece = self.here
        self.at += 1
        return piece

    def expect_end(self) -> None:
        if self.here.kind != "end":
            raise QuerySyntaxError(_misplaced(self.here), self.here.start)

    def is_closed(self) -> bool:
        return self.here.kind == ")"

    def either(self, depth: int, scope: Scope | None) -> Node | None:
        parts = [self.both(depth, scope)]
        while self.here.kind == "OR":
            self.take()
            parts.append(self.both(depth, scope))
        return _together(Or, parts)

    def both(self, depth: int, scope: Scope | None) -> Node | None:
        parts = [self.one(depth, scope)]
        while self.here.kind == "AND" or self.here.kind in _STARTS:
            if self.here.kind == "AND":
                self.take()
            parts.append(self.one(depth, scope))
        return _together(And, parts)

    def one(self, depth: int, scope: Scope | None) -> Node | None:
        piece = self.here
        if piece.kind not in _STARTS:
            raise QuerySyntaxError(_misplaced(piece), piece.start)
        if depth > MAX_DEPTH:
            raise QuerySyntaxError(f"A query may be nested {MAX_DEPTH} levels deep; this goes deeper.", piece.start)
        self.take()
        if piece.kind == "NOT":
            part = self.one(depth + 1, scope)
            return None if part is None else Not(part)
        if piece.kind == "(":
            return self.group(piece, depth, scope)
        if piece.kind == "field":
            return self.field_value(piece, depth)
        return self.leaf(piece, scope)

    def group(self, opening: Piece, depth: int, scope: Scope | None) -> Node | None:
        if self.is_closed():
            raise QuerySyntaxError("There is nothing between these brackets.", opening.start)
        inner = self.either(depth + 1, scope)
        if not self.is_closed():
            raise QuerySyntaxError("This bracket is never closed.", opening.start)
        self.take()
        return inner

    def field_value(self, name: Piece, depth: int) -> Node | None:
        field_ = name.text.lower()
        value = self.here
        if value.kind not in {"word", "phrase", "("} or value.start != name.end:
            raise QuerySyntaxError(f"After “{name.text}:” a value must follow without a blank.", name.end)
        if field_ in _SCOPES:
            scope = cast("Scope", field_)
            self.take()
            return self.group(value, depth, scope) if value.kind == "(" else self.leaf(value, scope)
        if value.kind == "(":
            raise QuerySyntaxError(f"“{name.text}:” takes one value, not brackets.", value.start)
        self.take()
        self.count(value)
        return Filter(values.condition(field_, name.start, value.text, value.start))

    def leaf(self, piece: Piece, scope: Scope | None) -> Node | None:
        self.count(piece)
        if piece.kind == "phrase":
            return Phrase(piece.text, scope) if analyser.analyse(piece.text).words else None
        return _word(piece, scope)

    def count(self, piece: Piece) -> None:
        self.terms += 1
        if self.terms > MAX_TERMS:
            raise QuerySyntaxError(f"A query may have {MAX_TERMS} words; this is one too many.", piece.start)


def _word(piece: Piece, scope: Scope | None) -> Node | None:
    text, edits = _fuzziness(piece)
    star = text.find("*")
    if star >= 0 and (star < len(text) - 1 or edits):
        raise QuerySyntaxError("A star may only stand at the end of a word.", piece.start + star)
    analysed = analyser.analyse(text)
    if not analysed.words:
        if star >= 0 or edits:
            raise QuerySyntaxError("A word needs a letter or digit before this sign.", piece.end - 1)
        return None
    if star >= 0:
        return Prefix(text[:-1], scope)
    if edits:
        return Fuzzy(text, edits, scope)
    return Word(text, piece.start, piece.end, scope)


def _fuzziness(piece: Piece) -> tuple[str, int]:
    text, tilde, edits = piece.text.rpartition("~")
    if not tilde:
        return piece.text, 0
    if edits not in {"", "1", "2"}:
        raise QuerySyntaxError("After ~ only 1 or 2 may stand: that many typing errors.", piece.end - len(edits))
    return text, int(edits or 1)


def _together(kind: type[And] | type[Or], parts: list[Node | None]) -> Node | None:
    said = [part for part in parts if part is not None]
    if len(said) < 2:  # noqa: PLR2004 - one part needs nobody beside it
        return said[0] if said else None
    return kind(tuple(said))


def _misplaced(piece: Piece) -> str:
    if piece.kind == "end":
        return "The query ends where a word should follow."
    if piece.kind == ")":
        return "This bracket closes nothing."
    return f"“{piece.text}” needs a word before and after it."
