"""Whatever is sent, nobody hears of a fault of ours: every answer to nonsense is one that says whose fault it was."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.requests import Request

from domain import founding
from domain.hub import open_hub
from server import parameters
from server.app import make_app
from server.problems import HttpRefusal
from tests.conftest import settings_at
from tests.server.caller import Caller

MANY = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

#: What honest requests are made of, for nonsense that comes close to them.
NAMES = st.sampled_from(
    ["query", "documentId", "operationName", "variables", "extensions", "persistedQuery", "", "q\0"]
)
DOCUMENTS = st.sampled_from(
    [
        "{ me { name } }",
        "{",
        "query A { me { name } } query B { __typename }",
        "mutation { x }",
        "\ud7ff{\0}",
        "{" * 500,
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"]))
    | DOCUMENTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=5)
TYPES = st.sampled_from(
    [
        *("application/json", "application/graphql-response+json", "text/event-stream", "text/html", "*/*"),
        *("application/json; charset=utf-8", 'application/json; charset="', "multipart/form-data; boundary=x", ""),
    ]
)
#: Bytes that may travel in a header.
LATIN = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=60)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "accept": TYPES | LATIN,
        "content-type": TYPES | LATIN,
        "content-encoding": st.sampled_from(["gzip", "identity", "IDENTITY ", "br, gzip"]) | LATIN,
        "content-length": st.sampled_from(["0", "7", "-1", "٣", "9" * 5000, "1e3"]),
        "authorization": st.just("Bearer imp_test") | LATIN,
        "cookie": LATIN | st.just("imprimatur=ims_nobody"),
        "if-none-match": LATIN | st.just("*"),
        "sec-fetch-site": st.sampled_from(["same-origin", "cross-site", "none"]) | LATIN,
        "origin": LATIN,
        "x-request-id": LATIN,
    },
)


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """Of a hub in which nothing happens; what is tested here comes before any row."""
    hub = open_hub(settings_at(tmp_path_factory.mktemp("fuzz") / "data", token_budget=0, stranger_rate=0))
    founding.found(hub)
    yield Caller(make_app(hub), "imp_test")
    hub.close()


def is_ours(answer: httpx.Response) -> None:
    """Not our fault, and told in a way that its reader understands."""
    assert answer.status_code < 500, answer.text
    if answer.status_code == 304 or answer.headers["content-type"].startswith(("text/html", "text/event-stream")):
        return
    told = answer.json()
    for error in told.get("errors", ()):
        assert error["extensions"]["code"] != "INTERNAL", told
    if answer.status_code >= 400:
        assert "data" not in told
        assert told["errors"][0]["message"]


@MANY
@example(b"", {"content-type": "application/json"})
@example(b'{"query": "\xff"}', {"content-type": "application/json"})
@given(st.binary(max_size=300) | OBJECTS.map(lambda told: json.dumps(told).encode("utf-8", "replace")), HEADERS)
def test_no_body_and_no_header_is_a_fault_of_ours(ask: Caller, body: bytes, headers: dict[str, str]) -> None:
    sent = {
        name: value.encode("utf-8" if not value.isascii() and name == "content-length" else "latin-1")
        for name, value in headers.items()
    }
    is_ours(ask("POST", "/graphql", sent, content=body))


@MANY
@given(OBJECTS)
def test_no_object_is_a_fault_of_ours(ask: Caller, told: dict[str, Any]) -> None:
    is_ours(ask("POST", "/graphql", {"content-type": "application/json"}, content=json.dumps(told).encode()))


@MANY
@example("query=%FF", {})
@example("query=%ED%A0%80", {})
@example("variables=%00&query=%00", {})
@example("&".join(["a=b"] * 1000), {})
@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=200)
    | st.lists(
        st.tuples(NAMES, VALUES.map(lambda value: value if isinstance(value, str) else json.dumps(value))), max_size=4
    ).map(lambda pairs: str(httpx.QueryParams([(name, value) for name, value in pairs]))),
    HEADERS,
)
def test_no_address_is_a_fault_of_ours(ask: Caller, query: str, headers: dict[str, str]) -> None:
    told = {name: value for name, value in headers.items() if name not in {"content-length", "content-type"}}
    is_ours(ask("GET", "/graphql?" + query, {name: value.encode("latin-1") for name, value in told.items()}))


@pytest.mark.parametrize(
    "query", [b"query=\xff", b"\xff=1", b"query=%C3%28", b"query=%ff", b"variables=%80&query={me{name}}"]
)
def test_an_address_that_is_no_text_is_a_bad_request(query: bytes) -> None:
    request = Request({"type": "http", "method": "GET", "headers": [], "query_string": query})
    with pytest.raises(HttpRefusal, match="no text in UTF-8") as refused:
        asyncio.run(parameters.of(request))
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"[]", "One request at a time"),
        (b'[{"query": "{ me { name } }"}]', "One request at a time"),
        (b'"{ me { name } }"', "object"),
        (b"null", "object"),
        (b"{", "JSON"),
        (b"\xef\xbb\xbf{}", "JSON"),
        (b'{"query": "{ me { name } }", "variables": []}', "`variables`"),
        (b'{"query": ["{ me { name } }"]}', "`query`"),
        (b'{"query": "\\ud800"}', "JSON"),
    ],
)
def test_what_is_no_request_is_told_in_one_sentence(ask: Caller, body: bytes, said: str) -> None:
    for accept in ("application/json", "application/graphql-response+json", "text/event-stream"):
        answer = ask("POST", "/graphql", {"content-type": "application/json", "accept": accept}, content=body)
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["extensions"]["code"]) == (400, "BAD_REQUEST")
        assert said in error["message"]
        assert error["message"].endswith(".")
