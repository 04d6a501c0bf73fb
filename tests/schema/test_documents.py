"""Documents that cannot be answered: each gets a code and a sentence, and a fault of ours only a reference."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import sqlalchemy as sa

from domain.hub import Hub
from schema import execution
from schema.execution import Asked
from tests.asking import Client
from tests.assets.acts import created, picture, unchanged

#: What would tell a stranger how we are built.
INNARDS = re.compile(r"Traceback|\.py\b|sqlalchemy|psycopg|SELECT |asset_tag|/tmp/|File \"")
CREATE = "mutation ($input: AssetCreateInput!) { assetCreate(input: $input) { asset { id } errors { code } } }"


#: What is decided before a database is asked needs only one.
one_store = pytest.mark.parametrize("stores", ["sqlite+disk"], indirect=True)


@one_store
@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("", "GRAPHQL_PARSE_FAILED"),
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ me { name }", "GRAPHQL_PARSE_FAILED"),
        ("query { me { name } } }", "GRAPHQL_PARSE_FAILED"),
        ('{ asset(id: "unclosed) { id } }', "GRAPHQL_PARSE_FAILED"),
        ('{ asset(id: "\\ud800") { id } }', "GRAPHQL_PARSE_FAILED"),
        ("\u0000", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ me { name nothing } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ me }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ me { name { first } } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ asset { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ assets(first: 1.5) { totalCount } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ assets(first: 9999999999) { totalCount } }", "GRAPHQL_VALIDATION_FAILED"),
        ('{ assets(where: {kind: {eq: "IMAGE"}}) { totalCount } }', "GRAPHQL_VALIDATION_FAILED"),
        ("{ assets(where: {nothing: 1}) { totalCount } }", "GRAPHQL_VALIDATION_FAILED"),
        ('{ assets(where: {createdAt: {from: "yesterday"}}) { totalCount } }', "GRAPHQL_VALIDATION_FAILED"),
        ('{ assets(where: {createdAt: {from: "2026-13-01T00:00:00Z"}}) { totalCount } }', "GRAPHQL_VALIDATION_FAILED"),
        ("{ assets(where: {byteSize: {eq: 99999999999999999999}}) { totalCount } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { assetChanged { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ("fragment F on Asset { id }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ ...F } fragment F on Query { ...F }", "FRAGMENT_CYCLE"),
        ("query A { me { name } } query B { me { name } }", "GRAPHQL_VALIDATION_FAILED"),
        ("query ($x: Nothing) { me { name } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ assets(first: $x) { totalCount } }", "GRAPHQL_VALIDATION_FAILED"),
        ("mutation { assetCreate(input: {}) { asset { id } } }", "GRAPHQL_VALIDATION_FAILED"),
    ],
)
def test_a_document_that_cannot_be_run_is_refused_before_it_runs(
    client: Client, hub: Hub, document: str, code: str
) -> None:
    with unchanged(hub):
        whole, answered = spoken(client, document)
    assert {error["extensions"]["code"] for error in whole["errors"]} == {code}
    assert (answered.executed, whole.get("data")) == (False, None)
    assert not INNARDS.search(json.dumps(whole))


@one_store
@pytest.mark.parametrize(
    "given",
    [
        None,
        "text",
        [],
        {},
        {"upload": None},
        {"upload": ["x"]},
        {"upload": {"id": "x"}},
        {"upload": "x", "nothing": 1},
        {"upload": "x", "title": 5},
        {"upload": "x", "tags": [None]},
        {"upload": "x", "onDuplicate": "SOMETIMES"},
        {"upload": "x", "onDuplicate": None},
        {"upload": 1.5},
    ],
)
def test_variables_of_the_wrong_type_are_refused_before_anything_runs(client: Client, hub: Hub, given: Any) -> None:
    with unchanged(hub):
        whole, answered = spoken(client, CREATE, input=given)
    assert {error["extensions"]["code"] for error in whole["errors"]} == {"GRAPHQL_VALIDATION_FAILED"}
    assert not answered.executed


@one_store
def test_a_document_of_more_than_five_thousand_tokens_is_not_read(client: Client, hub: Hub) -> None:
    with unchanged(hub):
        whole, answered = spoken(client, "{ " + "me { name } " * 1_251 + "}")
    (error,) = whole["errors"]
    assert error["extensions"]["code"] == "TOO_MANY_TOKENS"
    assert "5,000 tokens" in error["message"]
    assert not answered.executed
    many = "{ " + "".join(f"a{number}: me {{ name }} " for number in range(100)) + "}"
    assert client.ask(many) == {f"a{number}": {"name": "Administrator"} for number in range(100)}


@one_store
@pytest.mark.parametrize("depth", [100, 1_000, 1_600, 2_490])
def test_deep_documents_are_answered_or_refused_and_never_break_anything(client: Client, hub: Hub, depth: int) -> None:
    created(client, picture(1))
    deep = {
        "unknown fields": "{ " + "a { " * depth + "b" + " }" * depth + " }",
        "fields": "{ assets { nodes { " + "current { asset { " * (depth // 2) + "id" + " } }" * (depth // 2) + " } } }",
        "fragments": "{ " + "... { " * depth + "me { name }" + " }" * depth + " }",
        "lists": "{ nodes(ids: " + "[" * depth + '"x"' + "]" * depth + ") { id } }",
        "input": "{ assets(where: " + "{NOT: " * depth + "{}" + "}" * depth + ") { totalCount } }",
    }
    for what, document in deep.items():
        with unchanged(hub):
            whole, _ = spoken(client, document)
        codes = {error["extensions"]["code"] for error in whole.get("errors", [])}
        assert codes <= {"GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "TOO_DEEP", "INVALID"}, (what, codes)
        assert codes or depth == 100, what
        assert not INNARDS.search(json.dumps(whole))


@one_store
def test_deep_variables_are_refused_and_never_break_anything(client: Client, hub: Hub) -> None:
    for depth in (20, 900):
        where: dict[str, Any] = {}
        for _ in range(depth):
            where = {"NOT": where}
        with unchanged(hub):
            whole, _ = spoken(client, "query ($w: AssetWhere) { assets(where: $w) { totalCount } }", w=where)
        codes = {error["extensions"]["code"] for error in whole["errors"]}
        assert codes <= {"INVALID", "TOO_DEEP", "GRAPHQL_VALIDATION_FAILED"}


def test_every_error_of_a_run_has_a_code_a_place_and_the_argument_at_fault(client: Client) -> None:
    answer = client.answer('{ a: assets(first: 101) { totalCount } b: assets(after: "x") { totalCount } me { name } }')
    assert answer["data"] is None
    answer = client.answer(
        "query ($id: ID!) { asset(id: $id) { versions(first: -1) { totalCount } } me { name } }",
        id=created(client, picture(1))["id"],
    )
    assert answer["data"] == {"asset": None, "me": {"name": "Administrator"}}
    (error,) = answer["errors"]
    assert error["path"] == ["asset", "versions"]
    assert error["extensions"] == {"code": "PAGE_TOO_LARGE", "argument": "first"}
    assert error["locations"] == [{"line": 1, "column": 37}]


def test_a_fault_of_ours_is_masked_with_a_reference_that_the_log_knows(
    client: Client, hub: Hub, capfd: pytest.CaptureFixture[str]
) -> None:
    """The fault is real: a table is gone."""
    asset = created(client, picture(1))
    with hub.database.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE asset_tag"))
    answer = client.answer("query ($id: ID!) { asset(id: $id) { id tags { name } } me { name } }", id=asset["id"])
    assert answer["data"] == {"asset": None, "me": {"name": "Administrator"}}
    (error,) = answer["errors"]
    reference = error["extensions"]["reference"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert error["message"] == f"Something went wrong on our side; quote the reference {reference}."
    assert error["path"] == ["asset", "tags"]
    assert not INNARDS.search(json.dumps(answer))
    assert reference in "".join(capfd.readouterr())


def test_a_number_that_fits_no_answer_is_our_fault_and_not_told(client: Client, hub: Hub) -> None:
    """A row broken on purpose: no picture is 2⁴⁰ pixels wide, and GraphQL's Int ends at 2³¹."""
    asset = created(client, picture(1))
    with hub.database.engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE asset_version SET width = {2**40}"))
    answer = client.answer("query ($id: ID!) { asset(id: $id) { current { width height } } }", id=asset["id"])
    assert answer["data"] == {"asset": {"current": {"width": None, "height": None}}}
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert str(2**40) not in json.dumps(answer)


def test_a_mutation_whose_work_fails_leaves_nothing_and_is_masked(client: Client, hub: Hub) -> None:
    upload = client.upload(picture(1))
    with hub.database.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE rendition RENAME TO gone"))
    answer = client.answer(CREATE, input={"upload": upload})
    assert answer["data"] is None
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["INTERNAL"]
    with hub.database.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE gone RENAME TO rendition"))
        assert connection.execute(sa.text("SELECT count(*) FROM asset")).scalar_one() == 0
    assert client.ask(CREATE, input={"upload": upload})["assetCreate"]["errors"] == []


@one_store
def test_without_a_viewer_nothing_is_answered_not_even_the_schema(hub: Hub) -> None:
    for document in ("{ me { name } }", "{ __schema { types { name } } }", "{", CREATE):
        whole = json.loads(execution.answer(hub, None, Asked(document), "test").body)
        assert whole == {"errors": [{"message": "Sign in first.", "extensions": {"code": "UNAUTHENTICATED"}}]}


def test_where_only_reading_is_allowed_a_mutation_is_refused(client: Client, hub: Hub) -> None:
    upload = client.upload(picture(1))
    with unchanged(hub):
        asked = Asked(CREATE, variables={"input": {"upload": upload}}, read_only=True)
        answered = execution.answer(hub, client.viewer, asked, "test")
    assert (answered.executed, answered.wrong_method) == (False, True)
    assert json.loads(answered.body)["errors"][0]["extensions"] == {"code": "METHOD_NOT_ALLOWED"}


def test_mutations_of_one_document_run_in_order_and_each_stands_for_itself(client: Client, hub: Hub) -> None:
    one, two = client.upload(picture(1)), client.upload(picture(2))
    query = """mutation ($a: ID!, $b: ID!) {
      first: assetCreate(input: {upload: $a, title: "First"}) { asset { title } errors { code } }
      again: assetCreate(input: {upload: $a, title: "Again"}) { asset { title } errors { code } }
      second: assetCreate(input: {upload: $b, title: "Second"}) { asset { title } errors { code } } }"""
    assert client.ask(query, a=one, b=two) == {
        "first": {"asset": {"title": "First"}, "errors": []},
        "again": {"asset": None, "errors": [{"code": "DUPLICATE_ASSET"}]},
        "second": {"asset": {"title": "Second"}, "errors": []},
    }
    titles = client.ask("{ assets(orderBy: [{field: TITLE}]) { nodes { title } } }")["assets"]["nodes"]
    assert titles == [{"title": "First"}, {"title": "Second"}]


def test_the_operation_is_chosen_by_its_name(client: Client) -> None:
    document = "query A { me { name } } query B { assets { totalCount } }"
    answered = execution.answer(client.hub, client.viewer, Asked(document, operation_name="B"), "test")
    assert json.loads(answered.body)["data"] == {"assets": {"totalCount": 0}}
    whole = json.loads(
        execution.answer(client.hub, client.viewer, Asked(document, operation_name="C"), "test").body,
    )
    assert whole["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


@one_store
@pytest.mark.parametrize("given", ["null", "5", '"x"'])
def test_an_argument_that_turns_out_to_be_null_is_the_askers_fault(client: Client, given: str) -> None:
    """Only the run itself can see it: a variable with a default may still be given as null."""
    answer = client.answer('query ($id: ID! = "x") { asset(id: $id) { id } }', id=json.loads(given))
    codes = [error["extensions"]["code"] for error in answer.get("errors", [])]
    assert codes == (["GRAPHQL_VALIDATION_FAILED"] if given == "null" else [])
    answer = client.answer('query ($id: ID = "x") { asset(id: $id) { id } }', id=json.loads(given))
    codes = [error["extensions"]["code"] for error in answer.get("errors", [])]
    assert codes == (["BAD_USER_INPUT"] if given == "null" else [])


def spoken(client: Client, document: str, **variables: Any) -> tuple[dict[str, Any], execution.Answered]:
    answered = execution.answer(client.hub, client.viewer, Asked(document, variables=variables), "test")
    return json.loads(answered.body), answered
