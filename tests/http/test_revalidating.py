"""Answers to GET may be kept by whoever asked, and are the same or not by their entity tag."""

from __future__ import annotations

import pytest

from domain.hub import Hub
from domain.identity import create_token
from domain.work import Viewer
from tests.acting import member
from tests.asking import Client
from tests.server.caller import Caller

TAGS = "{ tags(first: 10) { nodes { name } } }"
GRAPHQL = "application/graphql-response+json"


def test_what_was_read_by_address_is_kept_privately_and_asked_for_again(ask: Caller) -> None:
    answer = ask("GET", "/graphql", params={"query": TAGS})
    assert answer.headers["cache-control"] == "private, no-cache"
    vary = {each.strip() for each in answer.headers["vary"].split(",")}
    assert vary == {"Authorization", "Accept", "Accept-Language", "Cookie"}
    tag = answer.headers["etag"]
    assert tag.startswith('"')
    for named in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = ask("GET", "/graphql", {"If-None-Match": named}, params={"query": TAGS})
        assert (again.status_code, again.content) == (304, b"")
        kept = ("etag", "cache-control", "vary")
        assert [again.headers[each] for each in kept] == [answer.headers[each] for each in kept]
    for named in ('"other"', tag.strip('"'), ""):
        assert ask("GET", "/graphql", {"If-None-Match": named}, params={"query": TAGS}).content == answer.content


def test_the_tag_is_of_the_bytes_and_their_type(ask: Caller, client: Client) -> None:
    def tag(accept: str = "*/*") -> str:
        told: str = ask("GET", "/graphql", {"Accept": accept}, params={"query": TAGS}).headers["etag"]
        return told

    first = tag()
    assert tag() == first
    assert tag(GRAPHQL) != first
    client.ask('mutation { tagCreate(input: {name: "spring"}) { tag { id } } }')
    assert tag() != first
    changed = ask("GET", "/graphql", {"If-None-Match": first}, params={"query": TAGS})
    assert (changed.status_code, changed.json()["data"]["tags"]["nodes"]) == (200, [{"name": "spring"}])


def test_a_tag_of_one_viewers_answer_is_no_answer_to_another(hub: Hub, ask: Caller) -> None:
    name = "{ me { name } }"
    other = ask.as_(token_of(hub, member(hub, "viewer", name="Another")))
    mine = ask("GET", "/graphql", params={"query": name})
    theirs = other("GET", "/graphql", {"If-None-Match": mine.headers["etag"]}, params={"query": name})
    assert (theirs.status_code, theirs.json()["data"]) == (200, {"me": {"name": "Another"}})


def test_texts_come_in_the_language_that_the_request_accepts(ask: Caller, client: Client) -> None:
    words = [{"locale": "de", "text": "Wiese"}, {"locale": "fr", "text": "Pré"}]
    client.create(b"some words that are a text\n" * 9, "words.txt", title="Meadow", titles=words)
    query = "{ assets(first: 1) { nodes { localTitle { locale text } } } }"
    shown = {}
    for accepted in ("de-CH, fr;q=0.5", "fr", "ja", "nonsense;;q"):
        answer = ask("GET", "/graphql", {"Accept-Language": accepted}, params={"query": query})
        shown[accepted] = answer.json()["data"]["assets"]["nodes"][0]["localTitle"]["text"]
    assert list(shown.values()) == ["Wiese", "Pré", "Meadow", "Meadow"]


@pytest.mark.parametrize("query", ["{ nonsense", "{ noSuchField }", "query A { me { name } } query B { me { name } }"])
def test_what_did_not_run_is_not_kept(ask: Caller, query: str) -> None:
    for accept in ("application/json", GRAPHQL):
        answer = ask("GET", "/graphql", {"Accept": accept, "If-None-Match": "*"}, params={"query": query})
        assert (answer.status_code, answer.headers["cache-control"]) == (400 if accept == GRAPHQL else 200, "no-store")
        assert "etag" not in answer.headers


def test_a_refusal_and_an_answer_to_post_are_not_kept(ask: Caller) -> None:
    posted = ask("POST", "/graphql", {"If-None-Match": "*"}, json={"query": TAGS})
    refused = ask.as_("")("GET", "/graphql", {"If-None-Match": "*"}, params={"query": TAGS})
    assert (posted.status_code, refused.status_code) == (200, 401)
    for answer in (posted, refused):
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers


def test_head_tells_what_get_would(ask: Caller) -> None:
    got, head = (ask(method, "/graphql", params={"query": TAGS}) for method in ("GET", "HEAD"))
    assert head.status_code == 200
    assert head.headers["etag"] == got.headers["etag"]


def token_of(hub: Hub, viewer: Viewer) -> str:
    with hub.writing(viewer) as work:
        return create_token(work, "a token").secret
