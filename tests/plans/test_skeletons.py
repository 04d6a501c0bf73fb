"""A text's literals are found without reading its grammar, and as graphql-core's lexer finds them."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest
from graphql import GraphQLError, Lexer, Source, TokenKind

from schema import lifting
from schema.lifting import Skeleton

LITERALS = frozenset({TokenKind.INT, TokenKind.FLOAT, TokenKind.STRING, TokenKind.BLOCK_STRING})
#: Of these alone every way to confuse strings, numbers and comments is made.
ALPHABET = (
    '"',
    '"',
    '"""',
    "\\",
    '\\"',
    '\\"""',
    "a",
    "e",
    "0",
    "1",
    "7",
    "-",
    ".",
    " ",
    "\n",
    "#",
    ",",
    "{",
    "\\u00e9",
)


def lexed(text: str) -> list[tuple[TokenKind, str | None]] | None:
    """The text's tokens with comments, as graphql-core reads them; None where it cannot."""
    lexer = Lexer(Source(text))
    found: list[tuple[TokenKind, str | None]] = []
    try:
        token = lexer.read_next_token(0)
        while token.kind is not TokenKind.EOF:
            found.append((token.kind, token.value))
            token = lexer.read_next_token(token.end)
    except GraphQLError:
        return None
    return found


def test_a_skeleton_finds_the_literals_that_the_lexer_finds() -> None:
    chance, read = random.Random(1), 0
    for _ in range(20_000):
        text = "".join(chance.choice(ALPHABET) for _ in range(chance.randrange(1, 12)))
        skeleton, tokens = Skeleton.of(text), lexed(text)
        if skeleton is None or tokens is None:
            continue
        read += 1
        literals = [value for kind, value in tokens if kind in LITERALS]
        assert [_value(each) for each in skeleton.literals] == literals, text
    assert read > 1_000


def _value(token: str) -> str:
    return lifting._string(token) if token.startswith('"') else token


def test_texts_of_one_skeleton_are_read_alike() -> None:
    """Where one can be read, so can each whose strings have no wrong escapes, and they differ in values alone."""
    chance = random.Random(2)
    groups: dict[bytes, set[str]] = defaultdict(set)
    for _ in range(60_000):
        text = "".join(chance.choice(ALPHABET) for _ in range(chance.randrange(1, 8)))
        skeleton = Skeleton.of(text)
        if skeleton is not None:
            groups[skeleton.key].add(text)
    compared = 0
    for texts in groups.values():
        read = {text: lexed(text) for text in texts}
        told = {_shape(tokens) for tokens in read.values() if tokens is not None}
        assert len(told) <= 1, texts
        compared += len(texts) > 1
        for text, tokens in read.items():
            assert tokens is not None or not told or "\\" in text, (text, texts)
    assert compared > 200


def _shape(tokens: list[tuple[TokenKind, str | None]]) -> tuple[tuple[str, str | None], ...]:
    kinds = {TokenKind.BLOCK_STRING: TokenKind.STRING}
    return tuple((str(kinds.get(kind, kind)), None if kind in LITERALS else value) for kind, value in tokens)


@pytest.mark.parametrize(
    "text",
    [
        "{ me { name } }",
        "{ assets(first: 007) { totalCount } }",
        "{ assets(first: 1x) { totalCount } }",
        "{ assets(first: -) { totalCount } }",
        "{ assets(first: 1.) { totalCount } }",
        '{ asset(id: "x) { id } }',
        '{ asset(id: """x) { id } }',
        '{ asset(id: "\ud800") { id } }',
        '{ asset(id: "\0") { id } }',
        "# 1 and 2\n{ me { name } }",
        "",
    ],
)
def test_what_cannot_be_lifted_has_no_skeleton(text: str) -> None:
    assert Skeleton.of(text) is None


def test_a_text_is_looked_at_only_up_to_a_length_and_a_number_of_literals() -> None:
    assert Skeleton.of("1 " * lifting.MOST_LITERALS) is None
    assert Skeleton.of("1 " * (lifting.MOST_LITERALS - 1)) is not None
    assert Skeleton.of("1" + " " * lifting.MOST_CHARACTERS) is None
