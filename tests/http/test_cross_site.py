"""What a page of another site can make a browser send is refused, whoever is signed in there."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import httpx
import pytest
import sqlalchemy as sa

from domain.hub import Hub
from domain.identity import sessions
from domain.work import Viewer
from server import explorer
from server.app import make_app
from storage.tables import PrincipalRow, TagRow
from tests.server.caller import Caller

QUERY = "{ me { __typename } }"
MUTATION = 'mutation { tagCreate(input: {name: "forged"}) { errors { message } } }'
OURS = "http://hub.test"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

#: Bodies that a form, or a script without permission, may send anywhere with the cookies of the place.
SIMPLE = [
    ("text/plain", json.dumps({"query": MUTATION})),
    ("text/plain;charset=UTF-8", json.dumps({"query": MUTATION, "x": "="})),
    ("application/x-www-form-urlencoded", urlencode({"query": MUTATION})),
    (
        "multipart/form-data; boundary=b",
        f'--b\r\nContent-Disposition: form-data; name="o"\r\n\r\n{json.dumps({"query": MUTATION})}\r\n--b--\r\n',
    ),
    ("", json.dumps({"query": MUTATION})),
    (None, json.dumps({"query": MUTATION})),
    ("application/graphql", MUTATION),
    ("text/plain, application/json", json.dumps({"query": MUTATION})),
]


@pytest.fixture
def signed_in(hub: Hub, admin: Viewer) -> Caller:
    """A browser in which the administrator is signed in: it has a cookie and no token."""
    return Caller(make_app(hub))


@pytest.fixture
def cookie(hub: Hub, admin: Viewer) -> str:
    with hub.writing(admin) as work:
        row = work.session.get_one(PrincipalRow, admin.principal_id)
        return f"imprimatur={sessions.begin(work, row, None).secret}"


@pytest.mark.parametrize(("content_type", "body"), SIMPLE)
@pytest.mark.parametrize(
    "told",
    [{}, {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, {"Origin": OURS}, {"Origin": "null"}],
)
def test_a_body_that_needs_no_permission_to_be_sent_changes_nothing(
    hub: Hub, signed_in: Caller, cookie: str, told: dict[str, str], content_type: str | None, body: str
) -> None:
    headers = {"Cookie": cookie, **told} | ({} if content_type is None else {"Content-Type": content_type})
    answer = signed_in("POST", "/graphql", headers, content=body.encode())
    assert answer.status_code == (415 if told.get("Origin") == OURS else 403)
    with hub.database.reading() as session:
        assert session.scalars(sa.select(TagRow)).all() == []


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Origin": OURS}, 200),
        ({"Origin": OURS}, 200),
        ({"GraphQL-Require-Preflight": "1"}, 200),
        ({"Sec-Fetch-Site": "none", "GraphQL-Require-Preflight": "1"}, 200),
        ({}, 403),  # a picture or a link, in a browser that does not say
        ({"Sec-Fetch-Site": "none"}, 403),  # a link in a letter
        ({"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "GraphQL-Require-Preflight": "1"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null", "GraphQL-Require-Preflight": "1"}, 403),
    ],
)
def test_a_session_reads_by_address_only_for_a_script_of_ours(
    signed_in: Caller, cookie: str, told: dict[str, str], status: int
) -> None:
    answer = signed_in("GET", "/graphql", {"Cookie": cookie, **told}, params={"query": QUERY})
    assert answer.status_code == status
    if status != 200:
        assert answer.json()["errors"][0]["extensions"]["code"] == "OTHER_ORIGIN"
        assert "data" not in answer.json()


def test_a_mutation_in_an_address_is_refused_to_a_session_too(signed_in: Caller, cookie: str, hub: Hub) -> None:
    headers = {"Cookie": cookie, "Sec-Fetch-Site": "same-origin"}
    answer = signed_in("GET", "/graphql", headers, params={"query": MUTATION})
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    with hub.database.reading() as session:
        assert session.scalars(sa.select(TagRow)).all() == []


def test_a_navigation_runs_nothing_whatever_its_address_holds(signed_in: Caller, cookie: str) -> None:
    headers = {"Cookie": cookie, "Accept": BROWSER, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    answer = signed_in("GET", "/graphql", headers, params={"query": QUERY})
    assert (answer.status_code, answer.content) == (200, explorer.page().body)


def test_asking_for_permission_first_gets_none(signed_in: Caller) -> None:
    asked = {
        "Origin": "https://evil.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    answer = signed_in("OPTIONS", "/graphql", asked)
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_token_needs_nothing_of_the_kind(ask: Caller) -> None:
    told: httpx.Response = ask("GET", "/graphql", {"Sec-Fetch-Site": "cross-site"}, params={"query": QUERY})
    assert told.status_code == 200
