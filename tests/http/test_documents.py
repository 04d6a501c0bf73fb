"""Trusted documents: registered by who may, run by digest in the asker's right, and, where it is so, all that runs."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest

from domain import documents
from domain.global_ids import decode
from domain.hub import Hub
from domain.identity import create_token
from domain.work import HUB, Viewer
from schema import documents as spoken
from schema import prepared
from tests.acting import member
from tests.asking import Client, rows_everywhere, statements
from tests.assets.acts import unchanged
from tests.http.conftest import Ask
from tests.server.caller import Caller
from tests.working import at_once, reads

TAGS = "query Tags($first: Int = 10) { tags(first: $first) { nodes { name } } }"
NAME = "{ me { name } }"
TAG = 'mutation Tag { tagCreate(input: {name: "spring"}) { tag { name } errors { message } } }'
GRAPHQL = "application/graphql-response+json"
REGISTER = """mutation ($input: DocumentsRegisterInput!) { documentsRegister(input: $input) {
  documents { id documentId sha256 name body retiresAt isRetired createdBy { id } }
  errors { __typename code message path }
} }"""
RETIRE = """mutation ($input: DocumentsRetireInput!) { documentsRetire(input: $input) {
  documents { documentId retiresAt isRetired } errors { code message path }
} }"""
LIST = "query ($retired: Boolean) { documents(first: 10, retired: $retired) { nodes { name } totalCount } }"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def given(*texts: str, **more: Any) -> list[dict[str, Any]]:
    return [{"id": sha256(text), "body": text, **more} for text in texts]


def register(client: Client, *texts: str, **more: Any) -> list[dict[str, Any]]:
    payload = client.ask(REGISTER, input={"documents": given(*texts, **more)})["documentsRegister"]
    assert payload["errors"] == []
    found: list[dict[str, Any]] = payload["documents"]
    return found


def refused(client: Client, wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The errors, after proof that nothing was registered."""
    with unchanged(client.hub):
        payload = client.ask(REGISTER, input={"documents": wanted})["documentsRegister"]
    assert payload["documents"] is None
    errors: list[dict[str, Any]] = payload["errors"]
    assert all(error["message"].endswith(".") for error in errors)
    return errors


def by_id(text: str, **variables: Any) -> dict[str, str]:
    told = {"documentId": f"sha256:{sha256(text)}"}
    return told | ({"variables": json.dumps(variables)} if variables else {})


def token_of(hub: Hub, viewer: Viewer) -> str:
    with hub.writing(viewer) as work:
        return create_token(work, "a token").secret


def code(answer: Any) -> str:
    (error,) = answer.json()["errors"]
    assert "data" not in answer.json()
    found: str = error["extensions"]["code"]
    return found


def test_what_was_registered_runs_by_its_digest(client: Client, ask: Caller) -> None:
    (document,) = register(client, TAGS)
    assert document["documentId"] == f"sha256:{sha256(TAGS)}"
    assert (document["sha256"], document["body"], document["name"]) == (sha256(TAGS), TAGS, "Tags")
    assert (document["retiresAt"], document["isRetired"]) == (None, False)
    expected: dict[str, Any] = {"tags": {"nodes": []}}
    read = ask("GET", "/graphql", params=by_id(TAGS, first=1))
    assert (read.status_code, read.json()["data"]) == (200, expected)
    assert read.headers["cache-control"] == "private, no-cache"
    again = ask("GET", "/graphql", {"If-None-Match": read.headers["etag"]}, params=by_id(TAGS, first=1))
    assert again.status_code == 304
    posted = ask("POST", "/graphql", json={"documentId": document["documentId"], "variables": {"first": 1}})
    assert posted.json()["data"] == expected
    bare = ask("POST", "/graphql", json={"documentId": sha256(TAGS), "operationName": "Tags"})
    assert bare.json()["data"] == expected
    apollo = {"extensions": json.dumps({"persistedQuery": {"version": 1, "sha256Hash": sha256(TAGS)}})}
    assert ask("GET", "/graphql", params=apollo).json()["data"] == expected


def test_a_registered_mutation_is_posted(client: Client, ask: Caller) -> None:
    register(client, TAG)
    answer = ask("GET", "/graphql", params=by_id(TAG))
    assert (answer.status_code, answer.headers["allow"], code(answer)) == (405, "POST", "METHOD_NOT_ALLOWED")
    assert client.ask("{ tags { totalCount } }")["tags"]["totalCount"] == 0
    assert ask("POST", "/graphql", json=by_id(TAG)).json()["data"]["tagCreate"]["tag"] == {"name": "spring"}


def test_it_runs_in_the_right_of_whoever_asks(hub: Hub, client: Client, ask: Caller) -> None:
    asks = "{ documents { totalCount } }"
    register(client, asks, NAME)
    other = ask.as_(token_of(hub, member(hub, "viewer", name="Another")))
    assert other("GET", "/graphql", params=by_id(NAME)).json()["data"] == {"me": {"name": "Another"}}
    told = other("GET", "/graphql", params=by_id(asks)).json()
    assert told["errors"][0]["extensions"]["code"] == "NOT_ALLOWED"
    mine = ask("GET", "/graphql", params=by_id(NAME))
    theirs = other("GET", "/graphql", {"If-None-Match": mine.headers["etag"]}, params=by_id(NAME))
    assert (theirs.status_code, theirs.json()["data"]["me"]["name"]) == (200, "Another")
    assert ask.as_("")("GET", "/graphql", params=by_id(NAME)).status_code == 401


def test_a_document_nobody_registered_is_told_so(ask: Caller) -> None:
    for named in (f"sha256:{'0' * 64}", "0" * 64, "md5:abc", "x-ours:1", "\0", f"sha256:{'A' * 64}"):
        for accept, status in (("application/json", 200), (GRAPHQL, 400)):
            answer = ask("POST", "/graphql", {"Accept": accept}, json={"documentId": named})
            assert (answer.status_code, code(answer)) == (status, "PERSISTED_QUERY_NOT_FOUND")
            assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "told",
    [
        {"documentId": 7},
        {"documentId": ["sha256:" + "0" * 64]},
        {"documentId": "sha256:" + "0" * 64, "query": NAME},
        {"documentId": ""},
        {"extensions": {"persistedQuery": None}},
        {"extensions": {"persistedQuery": "0" * 64}},
        {"extensions": {"persistedQuery": {"version": 2, "sha256Hash": "0" * 64}}},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": 7}}},
        {"extensions": {"persistedQuery": {"version": 1}}},
        {"query": NAME, "extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}},
    ],
)
def test_a_name_that_is_none_is_a_bad_request(ask: Caller, told: dict[str, Any]) -> None:
    answer = ask("POST", "/graphql", json=told)
    assert (answer.status_code, code(answer)) == (400, "BAD_REQUEST")


def test_each_document_that_is_refused_is_told_and_none_is_registered(client: Client) -> None:
    deep = "{ me " + "{ organisation " * 60 + "{ id }" + "}" * 61
    wanted = [
        *given(TAGS),
        {"id": "0" * 64, "body": TAGS},
        *given(
            "{ noSuchField }", "{ nonsense", "", "fragment F on Asset { id }", deep, "#" * (documents.MAX_BYTES + 1)
        ),
        *given("# \0\n{ me { name } }", "type A { b: Int }"),
        *given(NAME, name="x" * (documents.MAX_NAME + 1)),
    ]
    errors = refused(client, wanted)
    places = [(2, "body"), (3, "body"), (4, "body"), (5, "body"), (6, "body"), (7, "body"), (8, "body"), (9, "body")]
    expected = [["documents", "1", "id"], *(["documents", str(n), part] for n, part in [*places, (10, "name")])]
    assert [error["path"] for error in errors] == expected
    assert {(error["__typename"], error["code"]) for error in errors} == {("ValidationError", "INVALID")}
    assert sha256(TAGS) in errors[0]["message"]
    assert "noSuchField" in errors[1]["message"]


def test_no_more_and_no_fewer_are_taken_at_once_than_said(client: Client) -> None:
    for count in (0, documents.MAX_AT_ONCE + 1):
        answer = client.answer(REGISTER, input={"documents": given(NAME) * count})
        assert json.dumps(answer).count('"code"') == 1, "one error, by the hub's rule or by any request's bounds"


def test_registering_again_changes_nothing_and_brings_back_what_was_retired(client: Client) -> None:
    (first,) = register(client, TAGS)
    before = rows_everywhere(client.hub)
    assert register(client, TAGS, TAGS, name="other") == [first, first]
    assert rows_everywhere(client.hub) == before
    client.ask(RETIRE, input={"documents": [first["id"]]})
    assert register(client, NAME, TAGS)[1] == first


def test_a_retired_document_does_not_run_from_its_moment_on(hub: Hub, client: Client, ask: Caller) -> None:
    (document, later) = register(client, TAGS, NAME)
    soon = (hub.clock() + timedelta(hours=1)).isoformat()
    answer = client.ask(RETIRE, input={"documents": [later["id"]], "at": soon})["documentsRetire"]
    assert (answer["errors"], answer["documents"][0]["isRetired"]) == ([], False)
    assert ask("GET", "/graphql", params=by_id(NAME)).status_code == 200
    past = "2020-01-01T00:00:00Z"
    answer = client.ask(RETIRE, input={"documents": [document["id"]], "at": past})["documentsRetire"]
    assert answer["documents"][0]["isRetired"]
    assert answer["documents"][0]["retiresAt"] > past
    assert code(ask("GET", "/graphql", params=by_id(TAGS))) == "PERSISTED_QUERY_NOT_FOUND"
    with unchanged(hub):
        client.ask(RETIRE, input={"documents": [document["id"]], "at": soon})
    for retired, names in ((None, ["unnamed", "Tags"]), (True, ["Tags"]), (False, ["unnamed"])):
        found = client.ask(LIST, retired=retired)["documents"]
        assert found == {"nodes": [{"name": name} for name in names], "totalCount": len(names)}


def test_who_may_not_register_sees_and_changes_nothing(hub: Hub, client: Client) -> None:
    (document,) = register(client, TAGS)
    other = Client(hub, member(hub, "librarian"))
    (error,) = refused(other, given(NAME))
    assert (error["code"], error["path"]) == ("NOT_ALLOWED", None)
    (error,) = refused(other, given("{ nonsense"))
    assert error["code"] == "NOT_ALLOWED", "it is not even looked at"
    with unchanged(hub):
        payload = other.ask(RETIRE, input={"documents": [document["id"]]})["documentsRetire"]
    assert (payload["documents"], payload["errors"][0]["code"]) == (None, "NOT_FOUND")
    assert other.ask("query ($id: ID!) { node(id: $id) { id } }", id=document["id"]) == {"node": None}
    assert other.answer(LIST)["errors"][0]["extensions"]["code"] == "NOT_ALLOWED"


def test_what_is_recorded_tells_the_digest_and_not_the_text(client: Client) -> None:
    (document,) = register(client, TAGS)
    client.ask(RETIRE, input={"documents": [document["id"]]})
    rows = [row for row in rows_everywhere(client.hub)["event"] if "TrustedDocument" in row]
    assert len(rows) == 2
    assert all(sha256(TAGS) in str(row) and "tags(" not in str(row) for row in rows)


def test_two_who_register_the_same_at_once_make_one(hub: Hub, admin: Viewer) -> None:
    found = at_once([lambda: register(Client(hub, admin), TAGS, NAME)] * 4)
    assert all(each == found[0] for each in found)
    assert len(rows_everywhere(hub)["trusted_document"]) == 2


def test_no_more_are_kept_than_said(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_DOCUMENTS", 2)
    register(client, TAGS, NAME)
    register(client, TAGS)
    (error,) = refused(client, given(TAGS, "{ me { permissions } }"))
    assert error["code"] == "CONFLICT"


def test_running_by_digest_reads_one_statement_more(hub: Hub, client: Client, ask: Caller) -> None:
    register(client, NAME)
    with statements(hub) as plain:
        ask("POST", "/graphql", json={"query": NAME})
    with statements(hub) as named:
        ask("POST", "/graphql", json=by_id(NAME))
    assert len(reads(named)) == len(reads(plain)) + 1


# Where nothing else runs


def test_where_only_trusted_documents_run_nothing_else_does(client: Client, set_so: Ask) -> None:
    register(client, TAGS)
    only = set_so(trusted_only=True)
    assert only("GET", "/graphql", params=by_id(TAGS)).json()["data"] == {"tags": {"nodes": []}}
    assert only("POST", "/graphql", json={"query": TAGS}).status_code == 200, "the same text is the same document"
    introspection = "{ __schema { queryType { name } } }"
    apollo = {"version": 1, "sha256Hash": sha256(NAME)}
    for told in (
        {"query": NAME},
        {"query": introspection},
        {"query": TAGS + " "},
        {"query": "{ nonsense"},
        {"query": NAME, "extensions": {"persistedQuery": apollo}},
        {"extensions": {"persistedQuery": apollo}},
    ):
        for accept in ("application/json", GRAPHQL):
            answer = only("POST", "/graphql", {"Accept": accept}, json=told)
            assert (answer.status_code, code(answer)) == (403, "TRUSTED_DOCUMENTS_ONLY"), told
            assert "Only registered documents run here" in answer.text
    assert code(only("GET", "/graphql", params={"query": NAME})) == "TRUSTED_DOCUMENTS_ONLY"
    assert code(only("GET", "/graphql", params=by_id(NAME))) == "PERSISTED_QUERY_NOT_FOUND"
    page = only("GET", "/graphql", {"Accept": "text/html,*/*;q=0.8"})
    assert (page.status_code, code(page)) == (403, "TRUSTED_DOCUMENTS_ONLY")


def test_even_there_documents_can_be_registered_by_who_may(hub: Hub, set_so: Ask) -> None:
    only = set_so(trusted_only=True)
    told = {**by_id(spoken.REGISTER), "variables": {"documents": given(NAME)}}
    other = only.as_(token_of(hub, member(hub, "designer")))
    assert (
        other("POST", "/graphql", json=told).json()["data"]["documentsRegister"]["errors"][0]["code"] == "NOT_ALLOWED"
    )
    assert only("POST", "/graphql", json=told).json()["data"]["documentsRegister"]["errors"] == []
    assert only("POST", "/graphql", json=by_id(NAME)).status_code == 200


def test_what_comes_with_the_program_could_be_registered() -> None:
    for digest, text in spoken.BUILT_IN.items():
        assert digest == sha256(text)
        assert prepared.prepared(text).errors == ()


# Automatic persisted queries


def persisted(text: str, *, send: bool = False) -> dict[str, Any]:
    told = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha256(text)}}}
    return told | ({"query": text} if send else {})


def test_a_document_sent_once_is_remembered_where_that_is_set(set_so: Ask) -> None:
    ask = set_so(automatic_persisted_queries=True)
    for accept, status in (("application/json", 200), (GRAPHQL, 400)):
        answer = ask("POST", "/graphql", {"Accept": accept}, json=persisted(NAME))
        assert (answer.status_code, code(answer)) == (status, "PERSISTED_QUERY_NOT_FOUND")
        assert answer.json()["errors"][0]["message"] == "PersistedQueryNotFound"
    expected = {"me": {"name": "Administrator"}}
    assert ask("POST", "/graphql", json=persisted(NAME, send=True)).json()["data"] == expected
    assert ask("POST", "/graphql", json=persisted(NAME)).json()["data"] == expected
    read = {"extensions": json.dumps(persisted(NAME)["extensions"])}
    assert ask("GET", "/graphql", params=read).json()["data"] == expected
    elsewhere = set_so(automatic_persisted_queries=True)
    assert code(elsewhere("POST", "/graphql", json=persisted(NAME))) == "PERSISTED_QUERY_NOT_FOUND"


def test_what_cannot_run_is_not_remembered(set_so: Ask) -> None:
    ask = set_so(automatic_persisted_queries=True)
    for text in ("{ nonsense", "{ noSuchField }"):
        assert "errors" in ask("POST", "/graphql", json=persisted(text, send=True)).json()
        assert code(ask("POST", "/graphql", json=persisted(text))) == "PERSISTED_QUERY_NOT_FOUND"


def test_where_that_is_not_set_clients_are_told_so(ask: Caller) -> None:
    answer = ask("POST", "/graphql", json=persisted(NAME))
    assert (answer.json()["errors"][0]["message"], code(answer)) == (
        "PersistedQueryNotSupported",
        "PERSISTED_QUERY_NOT_SUPPORTED",
    )
    assert ask("POST", "/graphql", json=persisted(NAME, send=True)).status_code == 200
    assert code(ask("POST", "/graphql", json=persisted(NAME))) == "PERSISTED_QUERY_NOT_SUPPORTED"


def test_a_retired_document_is_not_remembered_by_its_name(hub: Hub, client: Client, ask: Caller) -> None:
    (document,) = register(client, NAME)
    assert ask("POST", "/graphql", json=by_id(NAME)).status_code == 200
    with hub.writing(HUB) as work:
        documents.retire(work, [decode(document["id"])[1]])
    assert code(ask("POST", "/graphql", json=by_id(NAME))) == "PERSISTED_QUERY_NOT_FOUND"
