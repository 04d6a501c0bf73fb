"""Media types as HTTP writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.requests import Request

from server import accepting

JSON, GRAPHQL, STREAM = "application/json", "application/graphql-response+json", "text/event-stream"
OFFERED = (JSON, GRAPHQL, STREAM)


def best(*accept: str) -> str | None:
    headers = [(b"accept", each.encode("latin-1")) for each in accept]
    return accepting.best(Request({"type": "http", "headers": headers}), OFFERED)


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("text/*", STREAM),
        ("text/plain", None),
        ("nonsense", JSON),
        (f"nonsense, {GRAPHQL}", GRAPHQL),
        ("APPLICATION/JSON", JSON),
        # the client's order counts among equals, and what it names before what it lets in
        (f"{GRAPHQL}; charset=utf-8, {JSON}; charset=utf-8", GRAPHQL),
        (f"{JSON}, {GRAPHQL}", JSON),
        (f"*/*, {GRAPHQL}", GRAPHQL),
        (f"{GRAPHQL}, application/graphql+json, {JSON}, {STREAM}, multipart/mixed", GRAPHQL),
        (f"{STREAM}, {JSON}", STREAM),
        (f"{JSON}, {STREAM}", JSON),
        (f"{JSON};q=0.9, {STREAM}", STREAM),
        # weights
        (f"{JSON};q=0.5, {GRAPHQL};q=0.501", GRAPHQL),
        (f"{JSON};Q=0.3,{GRAPHQL} ; q=0.2", JSON),
        (f"{JSON};q=0", None),
        (f"{JSON};q=0.000", None),
        (f"*/*, {JSON};q=0", GRAPHQL),
        (f"{JSON};q=0.1, application/*;q=0.5, */*;q=0.9", STREAM),
        (f"{GRAPHQL};q=2, {JSON};q=0.1", JSON),
        (f"{GRAPHQL};q=1.001, {JSON};q=0.1", JSON),
        (f"{GRAPHQL};q=nan, {JSON};q=0.1", JSON),
        (f"{GRAPHQL};q=-1, {JSON};q=0.1", JSON),
        # parameters
        (f'{JSON};charset="UTF-8"', JSON),
        (f"{JSON};charset=iso-8859-1", None),
        (f"{JSON};charset=iso-8859-1, {GRAPHQL};q=0.1", GRAPHQL),
        (f"{JSON};v=2", JSON),
        (f"{JSON};v=2;q=0, */*", JSON),
        (f'{JSON};title="a, text/event-stream; q=1";q=0.1, {GRAPHQL};q=0.2', GRAPHQL),
        (f'{JSON};title="a\\", b";q=0.1, {GRAPHQL};q=0.2', GRAPHQL),
        (f"{JSON};;;q=0.1;, {GRAPHQL}", GRAPHQL),
        (f"{JSON};a=1;a=2, {STREAM}", STREAM),
        (f'{JSON};title="unfinished, {GRAPHQL}', JSON),
    ],
)
def test_the_answer_is_what_the_client_would_rather_have(accept: str, chosen: str | None) -> None:
    assert best(accept) == chosen


def test_several_headers_count_as_one_list() -> None:
    assert best(f"{JSON};q=0.1", f"{GRAPHQL};q=0.2") == GRAPHQL


@pytest.mark.parametrize(
    ("content_types", "name", "is_utf8"),
    [
        (["application/json"], JSON, True),
        (["Application/JSON ; Charset=UTF-8"], JSON, True),
        (['application/json;charset="utf\\-8"'], JSON, True),
        (["application/json; profile=x"], JSON, True),
        (["application/json; charset=utf-16"], JSON, False),
        (["application/json, text/plain"], None, False),
        (["application/json; charset"], None, False),
        (["application/json; charset=utf-8 x"], None, False),
        (["application / json"], None, False),
        ([""], None, False),
        ([], None, False),
        (["application/json", "text/plain"], None, False),
    ],
)
def test_a_body_is_what_its_one_header_says(content_types: list[str], name: str | None, is_utf8: bool) -> None:
    told = accepting.sent(Headers(raw=[(b"content-type", each.encode("latin-1")) for each in content_types]))
    assert (told and told.name, bool(told and told.is_utf8)) == (name, is_utf8)


@given(st.lists(st.text(st.characters(max_codepoint=255)), max_size=3))
def test_whatever_is_sent_is_understood_as_something(accept: list[str]) -> None:
    assert best(*accept) in {*OFFERED, None}


@pytest.mark.parametrize("worst", ['"' * 100_000, '\\"' * 50_000, "a/b" + ";" * 100_000, 'a/b;c="' + "\\" * 100_000])
def test_a_long_header_is_read_no_further_than_honest_ones_are_long(worst: str) -> None:
    assert best(worst) in {*OFFERED, None}
    assert best("x" * accepting.LONGEST + "," + GRAPHQL) == JSON
