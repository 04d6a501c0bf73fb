"""GraphQL over HTTP: which request is understood, with which status, and what a mistake is told."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from domain.hub import Hub
from schema import execution
from server import parameters
from tests.server.caller import Caller, listening

ME = "{ me { __typename } }"
DATA = {"me": {"__typename": "Viewer"}}
GRAPHQL = "application/graphql-response+json"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def post(ask: Caller, body: Any, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    told = {"content-type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
    return ask("POST", "/graphql", told, content=content)


def refused(answer: httpx.Response) -> tuple[int, str]:
    """The status and code of an answer that is one well-formed GraphQL error."""
    (error,) = answer.json()["errors"]
    assert error["message"].endswith(".")
    assert "data" not in answer.json()
    return answer.status_code, error["extensions"]["code"]


def test_a_posted_query_is_answered_as_json(ask: Caller) -> None:
    answer = post(ask, {"query": ME})
    assert (answer.status_code, answer.json()["data"]) == (200, DATA)
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"


def test_the_answer_comes_in_the_media_type_that_was_asked_for(ask: Caller) -> None:
    for accept, media_type in (
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("application/json", "application/json"),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, application/json;q=0.9", GRAPHQL),
        (f"{GRAPHQL};q=0.5, application/json", "application/json"),
        (f"text/html, {GRAPHQL}", GRAPHQL),
        ("APPLICATION/JSON", "application/json"),
    ):
        answer = post(ask, {"query": ME}, accept=accept)
        assert (answer.status_code, answer.json()["data"]) == (200, DATA)
        assert answer.headers["content-type"] == f"{media_type}; charset=utf-8"
        assert answer.headers["vary"] == "Accept"


def test_a_media_type_we_do_not_speak_is_not_acceptable(ask: Caller) -> None:
    for accept in ("text/plain", "application/json;q=0", "image/*"):
        assert refused(post(ask, {"query": ME}, accept=accept)) == (406, "NOT_ACCEPTABLE")


def test_a_document_that_cannot_run_has_the_status_its_media_type_wants(ask: Caller) -> None:
    for query in ("{ nonsense", "{ noSuchField }"):
        for accept, status in (("application/json", 200), (GRAPHQL, 400)):
            answer = post(ask, {"query": query}, accept=accept)
            assert answer.status_code == status
            assert answer.json()["errors"]
            assert not answer.json().get("data")


NO_REQUESTS = (
    b"",
    b"{",
    b"[]",
    b'"query"',
    b"null",
    b"{}",
    b'{"query": 7}',
    b'{"query": ""}',
    b'{"query": null}',
    b'{"query": "{me{name}}", "variables": []}',
    b'{"query": "{me{name}}", "variables": "{}"}',
    b'{"query": "{me{name}}", "operationName": 1}',
    b'{"query": "{me{name}}", "extensions": 1}',
    b'{"query": "\xff"}',
    b"[" * 100_000,
)


def test_a_body_that_is_no_request_is_a_bad_one(ask: Caller) -> None:
    for body in NO_REQUESTS:
        for accept in ("application/json", GRAPHQL):
            assert refused(post(ask, body, accept=accept)) == (400, "BAD_REQUEST")


def test_what_a_page_of_another_site_could_send_unasked_is_refused(ask: Caller) -> None:
    for content_type in (
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/json; charset=latin-1",
    ):
        answer = ask("POST", "/graphql", {"content-type": content_type}, content=json.dumps({"query": ME}).encode())
        assert refused(answer) == (415, "CONTENT_TYPE")


def test_the_charset_may_be_named(ask: Caller) -> None:
    assert post(ask, {"query": ME}, content_type="application/json; charset=UTF-8").json()["data"] == DATA


def test_a_compressed_body_is_refused(ask: Caller) -> None:
    assert refused(post(ask, {"query": ME}, content_encoding="gzip")) == (415, "CONTENT_ENCODING")


def test_a_body_beyond_the_limit_is_refused_whether_or_not_it_says_so(hub: Hub, ask: Caller) -> None:
    body = json.dumps({"query": ME, "variables": {"x": "a" * parameters.LARGEST_BODY}}).encode()
    assert refused(post(ask, body)) == (413, "TOO_LARGE")
    with listening(hub) as address:
        headers = {"Authorization": f"Bearer {ask.token}", "Content-Type": "application/json"}
        pieces = (body[start : start + 65536] for start in range(0, len(body), 65536))
        answer = httpx.post(address + "/graphql", headers=headers, content=pieces)
    assert refused(answer) == (413, "TOO_LARGE")


def test_without_a_valid_token_nothing_is_answered(ask: Caller) -> None:
    for credentials in ("", "Bearer", "Bearer ", "Bearer imp_unknown", "Basic aW1wX3Rlc3Q6"):
        answer = post(ask.as_(""), {"query": ME}, authorization=credentials)
        assert refused(answer) == (401, "UNAUTHENTICATED")
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_query_may_stand_in_the_address(ask: Caller) -> None:
    query = "query Q($n: Int) { assets(first: $n) { totalCount } } query R { me { __typename } }"
    told = {"query": query, "variables": '{"n": 1}', "operationName": "Q"}
    answer = ask("GET", "/graphql", params=told)
    assert (answer.status_code, answer.json()["data"]) == (200, {"assets": {"totalCount": 0}})
    answer = ask("GET", "/graphql", params={"query": query, "operationName": "R"})
    assert answer.json()["data"] == DATA


def test_an_address_that_holds_no_request_is_a_bad_one(ask: Caller) -> None:
    for told in ("", "variables={}", "query={me{name}}&variables=[", "query={me{name}}&query={me{name}}"):
        assert refused(ask("GET", f"/graphql?{told}")) == (400, "BAD_REQUEST")


def test_a_mutation_in_an_address_changes_nothing_and_is_told_to_be_posted(ask: Caller) -> None:
    mutation = 'mutation { tagCreate(input: {name: "spring"}) { errors { message } } }'
    for accept in ("application/json", GRAPHQL):
        answer = ask("GET", "/graphql", {"accept": accept}, params={"query": mutation})
        assert refused(answer) == (405, "METHOD_NOT_ALLOWED")
        assert answer.headers["allow"] == "POST"
    tags = post(ask, {"query": "{ tags(first: 10) { nodes { name } } }"}).json()
    assert tags["data"] == {"tags": {"nodes": []}}


def test_no_other_method_is_known(ask: Caller) -> None:
    for method in ("PUT", "DELETE", "PATCH"):
        answer = ask(method, "/graphql")
        assert answer.status_code == 405
        assert "POST" in answer.headers["allow"]


def test_a_browser_gets_a_page_and_a_program_does_not(ask: Caller) -> None:
    page = ask.as_("")("GET", "/graphql", {"accept": BROWSER})
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert refused(ask("GET", "/graphql", {"accept": "*/*"})) == (400, "BAD_REQUEST")


def test_a_bug_is_answered_with_a_reference_and_nothing_else(ask: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> execution.Answered:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr(execution, "answer", fails)
    answer = post(ask, {"query": ME}, x_request_id="my-request.1")
    assert refused(answer) == (500, "INTERNAL")
    assert "hunter2" not in answer.text
    assert "my-request.1" in answer.text
