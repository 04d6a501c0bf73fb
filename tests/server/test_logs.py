"""What is written down of a request: its id, its outcome, and nothing that opens a door."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from structlog.testing import LogCapture

from domain.hub import Hub
from server import logs
from storage.tables import EventRow
from tests.server.caller import Caller


@pytest.fixture
def lines() -> Any:
    """Everything logged, as the dictionaries that become lines."""
    capture = LogCapture()
    before = structlog.get_config()
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, capture])
    yield capture.entries
    structlog.configure(**before)


def test_each_request_is_one_line_with_its_id(ask: Caller, lines: list[dict[str, Any]]) -> None:
    answer = ask("GET", "/health/live")
    (line,) = lines
    assert (line["method"], line["path"], line["status"]) == ("GET", "/health/live", 200)
    assert line["request_id"] == answer.headers["x-request-id"]
    assert line["bytes"] == len(answer.content)


def test_an_id_that_came_with_the_request_is_kept(ask: Caller) -> None:
    for offered in ("abc-123", "a" * 64, "a.b_c:d"):
        assert ask("GET", "/health/live", {"x-request-id": offered}).headers["x-request-id"] == offered


def test_an_id_that_could_forge_a_line_is_replaced(ask: Caller) -> None:
    for offered in ("", "a" * 65, "a b", "a\tb", '{"level":"info"}', "é"):
        given = ask("GET", "/health/live", {"x-request-id": offered.encode()}).headers["x-request-id"]
        assert given != offered
        assert logs.REQUEST_ID.fullmatch(given)


def test_no_line_holds_a_token_an_address_or_a_query(ask: Caller, lines: list[dict[str, Any]]) -> None:
    secret = "c2VjcmV0LXRva2VuLW9mLWEtZmlsZQ"
    for path in (f"/files/{secret}", f"/latest/{secret}", f"/uploads/{secret}", f"/graphql?query={secret}"):
        ask("HEAD", path, {"Tus-Resumable": "1.0.0"})
    assert len(lines) == 4
    assert secret not in str(lines)
    assert ask.token not in str(lines)
    assert lines[0]["path"] == f"/files/{secret[:8]}…"


def test_a_bug_is_logged_once_with_its_cause_under_the_id_the_client_sees(
    ask: Caller, lines: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("domain.delivery.open_door", fails)
    answer = ask("GET", "/files/anything")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    bug, access = lines
    assert isinstance(bug["exc_info"], ZeroDivisionError)
    assert bug["request_id"] == access["request_id"] == answer.json()["requestId"]
    assert access["status"] == 500


def test_what_a_client_calls_its_request_is_answered_and_logged_but_recorded_only_if_it_is_plainly_an_id(
    ask: Caller, hub: Hub, lines: list[dict[str, Any]]
) -> None:
    """The record stands for ever: nobody writes a name into it."""
    plain = ("1b4e28ba-2fa1-11d2-883f-0016d3cca427", "0af7651916cd43dd8448eb211c80319c", "01ARZ3NDEKTSV4RRFFQ69G5FAV")
    free = ("anna.example", "Anna-Example", "a" * 33, "4111111111111111", "ANNAEXAMPLEANNAEXAMPLEANNA")
    for offered in (*plain, *free):
        lines.clear()
        name = secrets.token_hex(4)
        body = {"query": f'mutation {{ tagCreate(input: {{name: "{name}"}}) {{ errors {{ message }} }} }}'}
        answer = ask("POST", "/graphql", {"x-request-id": offered}, json=body)
        assert answer.json()["data"] == {"tagCreate": {"errors": []}}
        assert answer.headers["x-request-id"] == lines[-1]["request_id"] == offered
        with hub.database.reading() as session:
            (recorded,) = session.scalars(sa.select(EventRow.request_id).order_by(EventRow.id.desc()).limit(1))
        assert logs.PLAIN_ID.fullmatch(recorded or "")
        assert (recorded == offered) == (offered in plain)
        assert lines[-1].get("recorded_as") == (None if offered in plain else recorded)
